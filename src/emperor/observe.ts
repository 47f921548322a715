import type { Change, HistoryEntry, HistoryEvent } from '../core/history.ts';
import type { Logger } from '../world/logger.ts';

/** How loud each kind of change is. Everything is in the history; the log is for operators. */
const LEVELS: Readonly<Record<HistoryEvent, 'debug' | 'info' | 'warn' | 'error'>> = {
  appeared: 'debug',
  edited: 'info',
  touched: 'info',
  vanished: 'info',
  forgotten: 'info',
  fault: 'error',
  launch: 'info',
  spawned: 'debug',
  unlaunchable: 'error',
  ready: 'info',
  answered: 'debug',
  sos: 'warn',
  rejected: 'error',
  exited: 'info',
  quoted: 'info',
  backoff: 'warn',
  cursed: 'info',
  killed: 'warn',
  idle: 'info',
  knocked: 'info',
  waiting: 'info',
  canary: 'info',
  swapped: 'info',
  sick: 'error',
  scaled: 'info',
  paused: 'info',
  adopted: 'info',
  loyal: 'debug',
  hook: 'warn',
  order: 'info',
  stopped: 'info',
  blind: 'error',
  sighted: 'info',
  shutdown: 'info',
};

/** The one place where changes are logged, each once. */
export function logChanges(logger: Logger): (change: Change) => void {
  return (change) => {
    for (const entry of change.history) logger[LEVELS[entry.event]](fieldsOf(entry), entry.event);
  };
}

function fieldsOf(entry: HistoryEntry): Record<string, unknown> {
  const all = {
    vassal: entry.name,
    instance: entry.instance,
    pid: entry.pid,
    revision: entry.revision,
    from: entry.to === null ? null : entry.from,
    to: entry.to,
    why: entry.why,
    actor: entry.actor,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
