import { close, constants, fstat, mkdir, open, read, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf, errnoOf } from '../errors.ts';
import type { LogPolicy } from '../core/spec.ts';
import type { Splice } from '../kernel/splice.ts';
import type { Intake, Portion } from './intake.ts';
import type { Losses } from './losses.ts';
import type { Rotation } from './rotate.ts';
import { countLines, endsMidLine, splitForRotation } from './split.ts';

const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
/** Read, too: only so can be seen whether the file ends within a line. Not for appending: splice(2) refuses that. A symlink could lead anywhere, and is refused: ELOOP. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const NEWLINE = Buffer.from('\n');

// Plain descriptors instead of FileHandle: thousands of these files may be open.
const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const readFile = promisify(read);
const writeFile = promisify(write);
const makeFolder = promisify(mkdir);

/** What a log file is made of. */
export interface LogFileParts {
  readonly path: string;
  readonly policy: LogPolicy;
  readonly rotation: Rotation;
  readonly losses: Losses;
  readonly splice: Splice;
}

/** What an intake has after it was taken from: see {@link Portion}. */
export type Left = 'more' | Exclude<Portion['kind'], 'bytes'>;

interface OpenFile {
  readonly fd: number;
  size: number;
  /** A device or pipe is never rotated. */
  readonly regular: boolean;
  /** It can be spliced to. */
  readonly exact: boolean;
  /** It is rotated when it would grow beyond this. */
  maxBytes: number;
}

/**
 * The file that one vassal's output goes to. Opened at the first byte, rotated by size. Whatever goes wrong with it costs the output that cannot be
 * written, which is counted, and nothing else. It is for one user at a time: see {@link LogQueue}.
 *
 * A byte leaves its FIFO as it enters the file: see {@link Splice}. At every moment it is in one of them, so an emperor that is killed loses and
 * doubles none. What has to be transformed, and what goes to a device, is written first and then taken out of the FIFO: that much the next
 * emperor may write once more.
 *
 * Should somebody truncate the file (logrotate's copytruncate) between the look at its size and the write, some 0.1 ms later, it begins with zeros.
 */
export class LogFile {
  readonly #parts: LogFileParts;
  #policy: LogPolicy;
  #file: OpenFile | null = null;
  /** What comes next must not be glued to the line that the file ends in. */
  #torn = false;
  #midLine = false;
  /** Who wrote last. null: an earlier emperor's instance. */
  #speaker: Intake | null = null;
  #recovered = false;

  constructor(parts: LogFileParts) {
    this.#parts = parts;
    this.#policy = parts.policy;
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** From now on. */
  set policy(policy: LogPolicy) {
    this.#policy = policy;
    if (this.#file !== null) this.#file.maxBytes = policy.maxBytes;
  }

  /**
   * Takes one portion of what an intake has; never fails.
   * @param alone see {@link Intake.look}
   */
  async take(intake: Intake, alone: boolean): Promise<Left> {
    let file: OpenFile;
    if (this.#file === null) {
      // It is not opened for who has nothing, as a thousand that are handed over to the next emperor at once.
      const { kind } = intake.look(alone);
      if (kind !== 'bytes') return kind;
    }
    try {
      if (this.#file === null) this.#file = await this.#open();
      else await this.#measure(this.#file);
      file = this.#file;
      if (this.#torn) await this.#mend(file);
    } catch (error) {
      return this.#lose(intake, alone, reasonOf(error));
    }
    // From here to the move nothing is waited for: what was seen is still there, and so is the memory that it was seen in.
    const portion = intake.look(alone);
    if (portion.kind !== 'bytes') return portion.kind;
    if (this.#midLine && this.#speaker !== null && this.#speaker !== intake) {
      this.#torn = true;
      return 'more';
    }
    this.#speaker = intake;
    const { data, all } = portion;
    if (intake.transform === null && file.exact) return (await this.#move(intake, file, data)) && all ? 'empty' : 'more';
    const { length } = data;
    await this.#write(intake.transform?.(data) ?? Buffer.from(data));
    intake.drop(length);
    return all ? 'empty' : 'more';
  }

  /** It is opened anew when something is to be written. A failure to close is told of. */
  async close(): Promise<void> {
    await this.#attempt(() => this.#close());
  }

  /** @returns whether all of it is in the file */
  async #move(intake: Intake, file: OpenFile, data: Buffer): Promise<boolean> {
    const { length, rotate } = splitForRotation(data, file.size, file.maxBytes, this.#midLine);
    const midLine = length > 0 ? endsMidLine(data.subarray(0, length)) : this.#midLine;
    const whole = length === data.length;
    if (length > 0) {
      const moved = await intake.move(file.fd, file.size, length);
      if (moved === null) {
        await this.#writeInstead(intake);
        return false;
      }
      file.size += moved;
      try {
        this.#midLine = moved === length ? midLine : await this.#endsMidLine(file);
      } catch (error) {
        this.#parts.losses.add(0, 0, reasonOf(error));
      }
      if (moved < length) return false;
    }
    this.#parts.losses.works();
    if (rotate) await this.#attempt(() => this.#rotate(file));
    return whole;
  }

  /** Where nothing can be moved: it is written, so that it is known why that fails. */
  async #writeInstead(intake: Intake): Promise<void> {
    const portion = intake.look(true);
    if (portion.kind !== 'bytes') return;
    const data = Buffer.from(portion.data);
    await this.#write(data);
    intake.drop(data.length);
  }

  async #write(data: Uint8Array): Promise<void> {
    let rest = data;
    try {
      while (rest.length > 0) {
        const file = (this.#file ??= await this.#open());
        const { length, rotate } = file.regular
          ? splitForRotation(rest, file.size, file.maxBytes, this.#midLine)
          : { length: rest.length, rotate: false };
        for (const end = rest.length - length; rest.length > end; ) {
          const { bytesWritten } = await writeFile(file.fd, rest, 0, rest.length - end, file.regular ? file.size : null);
          this.#midLine = endsMidLine(rest.subarray(0, bytesWritten));
          rest = rest.subarray(bytesWritten);
          file.size += bytesWritten;
        }
        if (rotate) await this.#rotate(file);
      }
      this.#parts.losses.works();
    } catch (error) {
      this.#lost(rest, reasonOf(error));
    }
  }

  #lose(intake: Intake, alone: boolean, reason: string): Left {
    const portion = intake.look(alone);
    if (portion.kind !== 'bytes') return portion.kind;
    const { length } = portion.data;
    this.#lost(intake.transform?.(portion.data) ?? portion.data, reason);
    intake.drop(length);
    return portion.all ? 'empty' : 'more';
  }

  #lost(data: Uint8Array, reason: string): void {
    this.#torn ||= this.#midLine;
    this.#parts.losses.add(countLines(data), data.length, reason);
  }

  async #mend(file: OpenFile): Promise<void> {
    if (this.#midLine) {
      await writeFile(file.fd, NEWLINE, 0, NEWLINE.length, file.regular ? file.size : null);
      file.size += NEWLINE.length;
    }
    this.#midLine = false;
    this.#torn = false;
  }

  /** Others may truncate it. */
  async #measure(file: OpenFile): Promise<void> {
    if (!file.regular) return;
    file.size = await this.#parts.splice.sizeOf(file.fd);
    if (file.size === 0) this.#midLine = false;
  }

  async #endsMidLine(file: OpenFile): Promise<boolean> {
    const last = Buffer.from(NEWLINE);
    if (file.size > 0) await readFile(file.fd, last, 0, 1, file.size - 1);
    return endsMidLine(last);
  }

  async #open(): Promise<OpenFile> {
    const { path, rotation } = this.#parts;
    const trouble = this.#recovered ? null : await rotation.recover(this.#policy.keep).then(() => null, reasonOf);
    const { fd, exact } = await openLog(path);
    this.#recovered = trouble === null;
    if (trouble !== null) this.#parts.losses.add(0, 0, trouble);
    const stat = await statFile(fd);
    const regular = stat.isFile();
    const file = { fd, size: regular ? stat.size : 0, regular, exact: exact && regular, maxBytes: this.#policy.maxBytes };
    this.#midLine = regular && (await this.#endsMidLine(file));
    return file;
  }

  async #rotate(file: OpenFile): Promise<void> {
    await this.#close();
    const rotated = await this.#attempt(() => this.#parts.rotation.rotate(this.#policy.keep));
    this.#file = await this.#open();
    // Better too long than lost; it is tried again when as much has come again.
    if (!rotated) this.#file.maxBytes = file.size + this.#policy.maxBytes;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file !== null) await closeFile(file.fd);
  }

  /** For what costs no output when it fails. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#parts.losses.add(0, 0, reasonOf(error));
      return false;
    }
  }
}

/** Opens a log, and makes its folder if that is not there. `exact`: it can be spliced to; not so a file that may only be appended to, see chattr(1). */
async function openLog(path: string): Promise<{ readonly fd: number; readonly exact: boolean }> {
  try {
    return { fd: await openFile(path, OPEN_FLAGS, FILE_MODE), exact: true };
  } catch (error) {
    switch (errnoOf(error)) {
      case 'ENOENT':
        await makeFolder(dirname(path), { recursive: true, mode: FOLDER_MODE });
        return { fd: await openFile(path, OPEN_FLAGS, FILE_MODE), exact: true };
      case 'EPERM':
        return { fd: await openFile(path, OPEN_FLAGS | constants.O_APPEND, FILE_MODE), exact: false };
      default:
        throw error;
    }
  }
}
