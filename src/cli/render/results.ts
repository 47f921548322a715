import type { OrderResult, OrderVerb } from '../../control/protocol.ts';
import { unreachable } from '../../errors.ts';
import { printable } from '../../world/printable.ts';

const DONE: Readonly<Record<OrderVerb, string>> = {
  start: 'started', stop: 'stopped', restart: 'restarted', reload: 'reloaded', pause: 'paused', resume: 'resumed', scale: 'scaled', rollback: 'rolled back',
};

/** The results of an order, each as text to print; `good` goes to stdout, the rest to stderr. Pure. */
export function resultLines(verb: OrderVerb, results: readonly OrderResult[]): readonly { readonly text: string; readonly good: boolean }[] {
  return results.map((result) => ({ text: resultText(verb, result), good: result.outcome === 'done' || result.outcome === 'posted' }));
}

function resultText(verb: OrderVerb, { name, outcome, code, message, log }: OrderResult): string {
  const told = message === null ? '' : `: ${message.split('\n').map(printable).join('\n  ')}`;
  const known = code === null ? '' : ` (${code})`;
  const shown = printable(name);
  switch (outcome) {
    case 'done':
      return `${shown}: ${DONE[verb]}${told}\n`;
    case 'posted':
      return `${shown}: ${verb} was asked for\n`;
    case 'no-vassal':
    case 'timeout':
      return `emperor: ${message === null ? shown : printable(message)}${outcome === 'timeout' ? ` (${shown})` : ''}\n`;
    case 'failed':
    case 'fault': {
      const lines = log.map((line) => `  | ${printable(line)}\n`).join('');
      const hint = outcome === 'failed' ? `  see "emperor logs ${shown}" and "emperor events ${shown}"\n` : '';
      return `${shown}: ${verb} failed${known}${told}\n${lines}${hint}`;
    }
    default:
      return unreachable(outcome);
  }
}
