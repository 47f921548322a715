import { closeSync } from 'node:fs';
import { unreachable } from '../errors.ts';
import type { LogPolicy } from '../core/spec.ts';
import type { Epoll } from '../kernel/epoll.ts';
import type { WriteJournal } from '../kernel/journal.ts';
import { PIECE_BYTES, type Splice } from '../kernel/splice.ts';
import type { Clock } from '../world/clock.ts';
import type { Intake } from './intake.ts';
import { JournalLog } from './journal-log.ts';
import { LogFile } from './log-file.ts';
import { LogQueue, type LogQueueParts } from './log-queue.ts';
import type { Losses } from './losses.ts';
import type { Rotation } from './rotate.ts';

/** What a channel is made of. */
export interface ChannelParts {
  readonly clock: Clock;
  readonly epoll: Epoll;
  readonly splice: Splice;
  readonly vassalName: string;
  readonly journal: WriteJournal;
  /** Of the log file. */
  readonly path: string;
  readonly policy: LogPolicy;
  readonly losses: Losses;
  readonly rotation: Rotation;
  /** Nothing will come of an intake any more; its descriptor is closed. */
  readonly onOver: (intake: Intake) => void;
}

/** The beginning of a line is written without its end after so long. */
const PARTIAL_MS = 5_000;

/** All that prints into one log, each until it is over. */
export class Channel {
  readonly #parts: ChannelParts;
  readonly #log: LogFile;
  readonly #queue: LogQueue;
  /** Also of instances that have ended, until they are read to their end. */
  readonly #intakes: Set<Intake> = new Set();
  /** Those that wait for the end of a line, each with what ends that waiting. */
  readonly #partial: Map<Intake, () => void> = new Map();

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.#log = new LogFile(parts);
    const journal = new JournalLog({ ...parts, write: parts.journal });
    const take: LogQueueParts['take'] = (intake, alone) => (intake.toJournal ? journal.take(intake) : this.#log.take(intake, alone));
    this.#queue = new LogQueue({ log: this.#log, take, alone: () => this.#intakes.size === 1, onServed: (intake, left) => this.#served(intake, left) });
  }

  /** From now on. */
  set policy(policy: LogPolicy) {
    this.#log.policy = policy;
  }

  get isEmpty(): boolean {
    return this.#intakes.size === 0;
  }

  /** Reads what one prints. */
  add(intake: Intake): void {
    this.#parts.epoll.watchOnce(intake.fd, () => this.#pour(intake));
    this.#intakes.add(intake);
  }

  /** Reads what is in the FIFO of one that has ended; then it is over. */
  finish(intake: Intake): void {
    this.#parts.epoll.unwatch(intake.fd);
    intake.listen();
    intake.end();
    this.#queue.offer(intake);
  }

  /** Closes the log now: it is opened anew for what comes next. */
  reopen(): Promise<void> {
    return this.#queue.reopen();
  }

  /** Closes the log when it has all. @returns false: somebody prints into it again */
  async release(): Promise<boolean> {
    await this.#queue.release();
    return this.isEmpty && this.#queue.idle;
  }

  /** Reads what is in all FIFOs now, and closes everything. */
  async close(): Promise<void> {
    for (const intake of this.#intakes) this.finish(intake);
    while (!(await this.release()));
    this.#parts.losses.close();
  }

  /** It is heard at once, however long the disk takes. */
  #pour(intake: Intake): void {
    const news = intake.listen(PIECE_BYTES);
    intake.widen();
    if (news || !this.#partial.has(intake)) this.#queue.offer(intake);
  }

  #served(intake: Intake, left: 'empty' | 'partial' | 'over'): void {
    const { clock, epoll } = this.#parts;
    const wasPartial = this.#partial.has(intake);
    this.#partial.get(intake)?.();
    this.#partial.delete(intake);
    switch (left) {
      case 'over':
        return this.#end(intake);
      case 'empty':
        return epoll.again(intake.fd, 'readable');
      case 'partial':
        this.#partial.set(intake, clock.after(PARTIAL_MS, () => {
          intake.hurry();
          this.#queue.offer(intake);
        }));
        // Asked for again, it would call back at once, for what is there already.
        if (!wasPartial) epoll.again(intake.fd, 'more');
        return;
      default:
        return unreachable(left);
    }
  }

  #end(intake: Intake): void {
    this.#queue.withdraw(intake);
    this.#parts.epoll.unwatch(intake.fd);
    closeSync(intake.fd);
    this.#intakes.delete(intake);
    // Who is alone now need not wait for the end of a line any more.
    for (const waits of this.#partial.keys()) this.#queue.offer(waits);
    this.#parts.onOver(intake);
  }
}
