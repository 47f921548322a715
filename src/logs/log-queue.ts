import type { Intake } from './intake.ts';
import type { Left, LogFile } from './log-file.ts';

/** What a queue is made of. */
export interface LogQueueParts {
  readonly log: Pick<LogFile, 'isOpen' | 'close'>;
  /** Takes a portion of what an intake has: see {@link LogFile.take}. */
  readonly take: LogFile['take'];
  /** Whether one alone prints into the log now. */
  readonly alone: () => boolean;
  /** All that an intake had was taken; it is offered again when it has more. `partial`: but for the beginning of a line. */
  readonly onServed: (intake: Intake, left: Exclude<Left, 'more'>) => void;
}

/** Lets those who print into one log take turns, a portion each. */
export class LogQueue {
  readonly #parts: LogQueueParts;
  /** Who has something, in order. */
  readonly #offers: Set<Intake> = new Set();
  /** Who waits for the file to be closed. */
  #closers: (() => void)[] = [];
  #closeFirst = false;
  #working = false;

  constructor(parts: LogQueueParts) {
    this.#parts = parts;
  }

  /** Takes what an intake has, in its turn. */
  offer(intake: Intake): void {
    this.#offers.add(intake);
    if (!this.#working) void this.#work();
  }

  /** Takes nothing more of it. Not to be called in its turn. */
  withdraw(intake: Intake): void {
    this.#offers.delete(intake);
  }

  /** Nobody waits and the file is closed. */
  get idle(): boolean {
    return !this.#working && !this.#parts.log.isOpen;
  }

  /** Closes the file once all that was offered is taken. It may be offered more: then it is opened anew. */
  release(): Promise<void> {
    return new Promise((resolve) => {
      this.#closers.push(resolve);
      if (!this.#working) void this.#work();
    });
  }

  /** Closes the file after this turn: what comes next goes to what has its path then, as someone may have moved it. */
  reopen(): Promise<void> {
    this.#closeFirst = true;
    return this.release();
  }

  async #work(): Promise<void> {
    const { log, take, alone, onServed } = this.#parts;
    this.#working = true;
    while (this.#offers.size > 0 || this.#closers.length > 0) {
      const [intake] = this.#offers;
      if (intake !== undefined && !this.#closeFirst) {
        this.#offers.delete(intake);
        let left = await take(intake, alone());
        // What an instance printed last comes before what its successor, who may wait behind it, prints first.
        while (left === 'more' && intake.isEnding) left = await take(intake, alone());
        if (left === 'more') this.#offers.add(intake);
        else onServed(intake, left);
        continue;
      }
      const closers = this.#closers;
      this.#closers = [];
      this.#closeFirst = false;
      await log.close();
      for (const resolve of closers) resolve();
    }
    this.#working = false;
  }
}
