import type { Now } from '../../src/core/event.ts';
import type { Clock } from '../../src/world/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved by hand. Turns of the event loop go on without it. */
export class HandClock implements Clock {
  private ms = 0;
  private readonly at: number;
  private readonly timers = new Set<Timer>();
  private readonly next = new Set<() => void>();

  /** @param at wall time at the start, ms; monotonic time starts at 0 */
  constructor(at: number = Date.now()) {
    this.at = at;
  }

  /** Callbacks that are armed and wait for their time. */
  get waiting(): number {
    return this.timers.size;
  }

  now(): Now {
    return { ms: this.ms, at: this.at + this.ms };
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.ms + Math.max(0, delayMs), callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  soon(callback: () => void): void {
    const once = (): void => {
      if (this.next.delete(once)) callback();
    };
    this.next.add(once);
    setImmediate(once);
  }

  /** Moves time on and calls back what is due, in order, each at its own moment. What a callback arms is called, too, if it is due by then. */
  advance(byMs: number): void {
    const endMs = this.ms + byMs;
    this.turn();
    for (;;) {
      // A Set keeps the order of arming, and sort is stable: of two that are due together, the one armed first comes first.
      const [next] = [...this.timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.timers.delete(next);
      this.ms = Math.max(this.ms, next.dueMs);
      next.callback();
      this.turn();
    }
    this.ms = endMs;
  }

  /** Moves time on while nobody calls back: what is due by then is called late, all at one moment, in order; or, with `ring` false, not even then. */
  standStill(forMs: number, ring = true): void {
    this.ms += forMs;
    if (ring) this.advance(0);
  }

  /** What is asked for meanwhile comes in the next turn. */
  private turn(): void {
    const now = [...this.next];
    for (const once of now) once();
  }
}
