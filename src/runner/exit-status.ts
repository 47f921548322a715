import { constants } from 'node:os';
import type { SignalName } from '../core/spec.ts';
import type { ExitStatus } from '../core/state.ts';
import type { Ending } from '../kernel/pidfd.ts';

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(constants.signals).map(([name, number]): [number, string] => [number, name]).toReversed());

/** How a process ended, in the core's words. A realtime signal is called `SIG35`. */
export function exitStatus(ending: Ending | 'stranger'): ExitStatus {
  if (ending === 'stranger') return { kind: 'unknown' };
  if (ending.kind === 'exited') return ending;
  return { kind: 'killed', signal: SIGNAL_NAMES.get(ending.signal) ?? `SIG${ending.signal}` };
}

/** Whether it can be the work of the kernel's killer of those who take too much memory: by SIGKILL, or a shell tells that of what it ran, exit status 128 + 9. */
export function looksKilled(status: ExitStatus): boolean {
  return status.kind === 'killed' ? status.signal === 'SIGKILL' : status.kind === 'exited' && status.code === 128 + constants.signals.SIGKILL;
}

/** Number of a signal on this machine: signal(7). */
export function signalNumber(name: SignalName): number {
  return constants.signals[name];
}
