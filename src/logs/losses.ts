import type { Clock } from '../world/clock.ts';

/** Output that could not be written. */
export interface Loss {
  /** Lines and bytes lost since the trouble began. Both 0: nothing is lost yet, but something is wrong. */
  readonly lines: number;
  readonly bytes: number;
  /** What the operating system said, with the path. */
  readonly reason: string;
  /** Writing works again: these are the final numbers. */
  readonly over: boolean;
}

/** Told of lost output, at most once in a few seconds for each vassal. */
export type OnLost = (vassalName: string, loss: Loss) => void;

/** Shortest time between two tellings. */
const TELL_EVERY_MS = 5_000;

/**
 * Adds up what one log loses, and tells of it: at once when the trouble begins, then at intervals while it goes on, and once more when it is over.
 */
export class Losses {
  readonly #clock: Clock;
  readonly #tell: (loss: Loss) => void;
  #lines = 0;
  #bytes = 0;
  #reason: string | null = null;
  #untold = false;
  #works = true;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, tell: (loss: Loss) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Something went wrong. */
  add(lines: number, bytes: number, reason: string): void {
    this.#lines += lines;
    this.#bytes += bytes;
    this.#reason = reason;
    this.#untold = true;
    this.#works = false;
    if (this.#cancel === null) this.#speak();
  }

  /** A write succeeded. */
  works(): void {
    if (this.#works) return;
    this.#works = true;
    if (this.#cancel === null) this.#speak();
  }

  /** Nothing more will be written: tells what has not been told. */
  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#reason !== null && this.#untold) this.#tell({ lines: this.#lines, bytes: this.#bytes, reason: this.#reason, over: this.#works });
    this.#forget();
  }

  #speak(): void {
    this.#cancel = null;
    if (this.#reason === null || (!this.#untold && !this.#works)) return;
    this.#tell({ lines: this.#lines, bytes: this.#bytes, reason: this.#reason, over: this.#works });
    this.#untold = false;
    if (this.#works) this.#forget();
    this.#cancel = this.#clock.after(TELL_EVERY_MS, () => this.#speak());
  }

  #forget(): void {
    this.#lines = 0;
    this.#bytes = 0;
    this.#reason = null;
    this.#untold = false;
    this.#works = true;
  }
}
