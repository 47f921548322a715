import type { Now } from '../core/event.ts';

/** Time, and the only way to wait for it. Tests move a clock by hand. */
export interface Clock {
  now(): Now;
  /** Calls back once, `delayMs` from now (0 or more). The returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back as soon as what has arrived by now was taken in: what comes together is handled together. */
  soon(callback: () => void): void;
}

/** Longest delay that setTimeout(3) takes; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of this machine. Timers do not keep the process alive. */
export function systemClock(): Clock {
  return {
    now: () => ({ ms: performance.now(), at: Date.now() }),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_MS));
      timer.unref();
      return () => clearTimeout(timer);
    },
    soon: (callback) => void setImmediate(callback),
  };
}
