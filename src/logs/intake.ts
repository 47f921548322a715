import type { InstanceId } from '../core/state.ts';
import { LARGE_FIFO_BYTES, PIECE_BYTES, type Splice } from '../kernel/splice.ts';
import type { Ear } from './ear.ts';
import type { LargeFifos } from './large-fifos.ts';

/** What an intake has for its log now. */
export type Portion =
  /** Its head, at least a byte. The memory is valid until anything is looked at again. `all`: there was no more. */
  | { readonly kind: 'bytes'; readonly data: Buffer; readonly all: boolean }
  | { readonly kind: 'empty' }
  /** The beginning of a line, which waits for its end. */
  | { readonly kind: 'partial' }
  /** There will be nothing any more. */
  | { readonly kind: 'over' };

const EMPTY: Portion = { kind: 'empty' };
const PARTIAL: Portion = { kind: 'partial' };
const OVER: Portion = { kind: 'over' };

const NEWLINE = 0x0a;
/** What is left in the FIFO of an instance that has ended; should someone still write, no more. */
const MOST_LEFT_BYTES = 1024 * 1024;
/** A FIFO of 64 KiB holds at least as much when it is full, as of two pages one is half full or more. It must not wait for the end of a line then. */
const A_LOT_BYTES = 32 * 1024;
/** Of a longer line its beginning is taken, too, though it might still be waited for. */
const LONGEST_LINE = 64 * 1024;
/** As much is transformed at once: of empty lines it becomes 70 times as much. */
const MOST_TRANSFORMED = 64 * 1024;

/** What an intake is made of. */
export interface IntakeParts {
  readonly id: InstanceId;
  /** Of its FIFO. */
  readonly path: string;
  readonly fd: number;
  readonly ear: Ear;
  /** What is written instead of some lines; null: they themselves. */
  readonly transform: ((lines: Buffer) => Buffer) | null;
  /** What it prints goes to the journal of the host, and to no file. */
  readonly toJournal: boolean;
  readonly splice: Splice;
  readonly large: LargeFifos;
}

/**
 * The FIFO of one instance. What it prints stays in there until it is in its log: nothing of it is kept in memory, so that nothing dies with the
 * emperor, and a full FIFO holds up who prints faster than the disk writes.
 */
export class Intake {
  readonly #parts: IntakeParts;
  /** So much of the head of the FIFO was heard by the ear. */
  #heard = 0;
  /** Bytes that are still taken; Infinity: it lives. */
  #left = Number.POSITIVE_INFINITY;
  #impatient = false;
  #large = false;
  /** Who waits until it may be looked at. */
  #waiting: (() => void)[] | null = null;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  get id(): InstanceId {
    return this.#parts.id;
  }

  get path(): string {
    return this.#parts.path;
  }

  get fd(): number {
    return this.#parts.fd;
  }

  get ear(): Ear {
    return this.#parts.ear;
  }

  get toJournal(): boolean {
    return this.#parts.toJournal;
  }

  get transform(): ((lines: Buffer) => Buffer) | null {
    return this.#parts.transform;
  }

  /** It is over once what is in it now is taken, 1 MiB at most. */
  end(): void {
    this.#left = Math.min(this.#left, MOST_LEFT_BYTES);
  }

  /** See {@link Intake.end}. */
  get isEnding(): boolean {
    return Number.isFinite(this.#left);
  }

  /** A line that has begun is not waited for any longer. */
  hurry(): void {
    this.#impatient = true;
  }

  /** Where there is a lot in its FIFO, it is made to hold more. */
  widen(): void {
    if (this.#heard >= A_LOT_BYTES && !this.#large && this.#waiting === null) this.#large = this.#parts.large.add(this.fd);
  }

  /**
   * Lets the ear hear what is in the FIFO, without taking it. Not while a part of it is on its way to the disk: see {@link Intake.whenStill}.
   * @param most bytes; default: all
   * @returns whether it heard anything new
   */
  listen(most: number = LARGE_FIFO_BYTES): boolean {
    const before = this.#heard;
    if (this.#waiting === null) this.#peek(most, () => {});
    return this.#heard > before;
  }

  /** Calls back when no part of it is on its way: at once, or after the disk has taken that. */
  whenStill(then: () => void): void {
    if (this.#waiting === null) then();
    else this.#waiting.push(then);
  }

  /**
   * Looks at what comes next, and lets the ear hear it. Whole lines only, where there are some, if others print into the same log or lines are
   * transformed: so no line gets into the middle of another.
   */
  look(alone: boolean): Portion {
    const most = this.transform === null ? PIECE_BYTES : MOST_TRANSFORMED;
    let data: Buffer | null = null;
    const seen = this.#peek(most, (piece) => {
      data = piece;
    });
    if (seen === 0 || this.#left <= 0) return OVER;
    if (seen === null || data === null) return this.isEnding ? OVER : EMPTY;
    const length = this.#share((data as Buffer).subarray(0, this.#left), alone);
    return length === 0 ? PARTIAL : { kind: 'bytes', data: (data as Buffer).subarray(0, length), all: length === seen && !this.isEnding && seen < most };
  }

  /** Moves its head, of which at least `length` bytes were seen, to a file. @returns see {@link Splice.move} */
  async move(file: number, offset: number, length: number): Promise<number | null> {
    this.#waiting = [];
    const moved = await this.#parts.splice.move(this.fd, file, offset, length);
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#taken(moved ?? 0);
    for (const then of waiting) then();
    return moved;
  }

  /** Takes out its head, of which at least `length` bytes were seen, as it was written elsewhere or cannot be written. */
  drop(length: number): void {
    this.#parts.splice.drop(this.fd, length);
    this.#taken(length);
  }

  #share(data: Buffer, alone: boolean): number {
    if (alone && this.transform === null) return data.length;
    const lines = data.lastIndexOf(NEWLINE) + 1;
    return lines === 0 && (this.isEnding || this.#impatient || data.length >= (this.#large ? LONGEST_LINE : A_LOT_BYTES)) ? data.length : lines;
  }

  #taken(length: number): void {
    this.#heard -= length;
    this.#left -= length;
    this.#impatient = false;
  }

  #peek(most: number, onPiece: (piece: Buffer) => void): number | null {
    let at = 0;
    const seen = this.#parts.splice.peek(this.fd, most, (piece) => {
      const news = this.#heard - at;
      if (news < piece.length) this.ear.hear(piece.subarray(Math.max(0, news)));
      at += piece.length;
      onPiece(piece);
    });
    this.#heard = Math.max(this.#heard, at);
    return seen;
  }
}
