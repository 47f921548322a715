import type { SignalName } from '../core/spec.ts';
import { single, type Form } from './form.ts';
import { didYouMean } from './nearest.ts';

const SIGNALS: readonly SignalName[] = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGKILL', 'SIGCONT', 'SIGWINCH', 'SIGABRT',
];
const SHORT: readonly string[] = SIGNALS.map((name) => name.slice(3));

/** A signal by name, with or without `SIG`, in any case: signal(7). */
export const SIGNAL: Form<SignalName> = single({
  label: 'a signal',
  hint: `write one of ${SHORT.join(', ')}`,
  parse: (text) => SIGNALS.find((name) => name === `SIG${text.toUpperCase().replace(/^SIG/, '')}`),
  advise: (text) => didYouMean(text.toUpperCase().replace(/^SIG/, ''), SHORT),
});
