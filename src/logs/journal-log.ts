import type { JournalFields, WriteJournal } from '../kernel/journal.ts';
import type { Clock } from '../world/clock.ts';
import type { Intake } from './intake.ts';
import type { Left } from './log-file.ts';
import type { Losses } from './losses.ts';
import { countLines } from './split.ts';

/** What it is made of. */
export interface JournalLogParts {
  readonly clock: Pick<Clock, 'after' | 'soon'>;
  readonly vassalName: string;
  readonly losses: Losses;
  readonly write: WriteJournal;
}

const NEWLINE = 0x0a;
/** A journal that has no room is tried again after this; who prints waits meanwhile. */
const AGAIN_MS = 10;
/** So often it is tried for one that has ended: an emperor that ends does not wait for ever for a journal that hangs. */
const MOST_TRIES = 100;
/** Entries that are written in one turn of the event loop. */
const ENTRIES_A_TURN = 200;
const BUSY: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS', 'ENOMEM', 'ETOOMANYREFS']);
/** Informational, of syslog(3). */
const USUAL_PRIORITY = '6';

/**
 * The journal of the host, for the output of one vassal: a line an entry. As with a file, what is not written is still in the FIFO, so an emperor that is killed
 * loses nothing; the lines of one turn the next one may write once more.
 */
export class JournalLog {
  readonly #parts: JournalLogParts;
  /** In a row in which it was busy. */
  #tries = 0;

  constructor(parts: JournalLogParts) {
    this.#parts = parts;
  }

  /** Takes one portion of what an intake has; never fails. */
  async take(intake: Intake): Promise<Left> {
    const { clock, losses } = this.#parts;
    // Whole lines, even of one who is alone: a line is an entry.
    const portion = intake.look(false);
    if (portion.kind !== 'bytes') return portion.kind;
    const { length, busy } = this.#write(portion.data, intake.id);
    if (length > 0) intake.drop(length);
    this.#tries = busy ? this.#tries + 1 : 0;
    if (busy && intake.isEnding && this.#tries > MOST_TRIES) {
      const rest = portion.data.subarray(length);
      losses.add(countLines(rest), rest.length, 'the journal does not read');
      intake.drop(rest.length);
    } else if (busy) await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
    else if (length === portion.data.length && portion.all) return 'empty';
    else await new Promise<void>((resolve) => clock.soon(resolve));
    return 'more';
  }

  /** @returns how many bytes were dealt with */
  #write(data: Buffer, instance: string): { readonly length: number; readonly busy: boolean } {
    const { losses, write } = this.#parts;
    let at = 0;
    for (let count = 0; at < data.length && count < ENTRIES_A_TURN; count += 1) {
      const newline = data.indexOf(NEWLINE, at);
      const end = newline === -1 ? data.length : newline;
      const next = newline === -1 ? data.length : newline + 1;
      const errno = end === at ? null : write(this.#entry(data.subarray(at, end), instance));
      if (errno !== null && BUSY.has(errno)) return { length: at, busy: true };
      if (errno === null) losses.works();
      else losses.add(1, next - at, `cannot write to the journal: ${errno}`);
      at = next;
    }
    return { length: at, busy: false };
  }

  /** `<3>` at its beginning is a priority: sd-daemon(3). */
  #entry(line: Buffer, instance: string): JournalFields {
    const { vassalName } = this.#parts;
    const marked = line.length > 2 && line[0] === 0x3c && line[2] === 0x3e && line[1] !== undefined && line[1] >= 0x30 && line[1] <= 0x37;
    return [
      ['MESSAGE', marked ? line.subarray(3) : line],
      ['PRIORITY', marked ? line.toString('latin1', 1, 2) : USUAL_PRIORITY],
      ['SYSLOG_IDENTIFIER', vassalName],
      ['VASSAL', vassalName],
      ['INSTANCE', instance],
    ];
  }
}
