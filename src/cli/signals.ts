import type { Event } from '../core/event.ts';

/** What the signals of the daemon do. */
export interface SignalTarget {
  post(event: Event): void;
  /** Rereads the configuration and looks at all sources again. */
  reread(): Promise<void>;
  reopenLogs(): Promise<void>;
  /** Lets the program on the disk take over. */
  upgrade(): Promise<unknown>;
}

/** Where signals come from: `process`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Signals that are caught; they do nothing before there is somebody to deliver them to. */
export interface CaughtSignals extends Disposable {
  /** Delivers what came so far, then what comes. */
  deliverTo(target: SignalTarget): void;
}

/**
 * The signals of the daemon: TERM and INT end it (a second one hurries), HUP rereads the configuration and looks at the
 * sources again, USR1 reopens the logs, USR2 upgrades in place. Caught before the emperor
 * boots: the default of most would end it half way, and a TERM would be lost.
 * @param onTrouble told when something fails
 */
export function catchSignals(source: SignalSource, onTrouble: (signal: NodeJS.Signals, reason: unknown) => void): CaughtSignals {
  let target: SignalTarget | null = null;
  const early: NodeJS.Signals[] = [];
  const listeners = (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const).map((signal) => {
    const listener = (): void => {
      if (target === null) early.push(signal);
      else deliver(signal, target, onTrouble);
    };
    source.on(signal, listener);
    return { signal, listener };
  });
  return {
    deliverTo(found) {
      target = found;
      for (const signal of early.splice(0)) deliver(signal, found, onTrouble);
    },
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) source.off(signal, listener);
    },
  };
}

function deliver(signal: NodeJS.Signals, target: SignalTarget, onTrouble: (signal: NodeJS.Signals, reason: unknown) => void): void {
  const trouble = (reason: unknown): void => onTrouble(signal, reason);
  if (signal === 'SIGHUP') target.reread().catch(trouble);
  else if (signal === 'SIGUSR1') target.reopenLogs().catch(trouble);
  else if (signal === 'SIGUSR2') target.upgrade().catch(trouble);
  else target.post({ type: 'shutdown', keep: false, actor: signal });
}
