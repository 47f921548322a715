import { close, constants, fstat, mkdir, open, read, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf, errnoOf } from '../errors.ts';
import type { LogPolicy } from '../core/spec.ts';
import type { Losses } from './losses.ts';
import type { Rotation } from './rotate.ts';
import { countLines, endsMidLine, splitForRotation } from './split.ts';

/** Bytes that wait for the disk when {@link LogFile.full} says to read no more. As many may be on their way to it. */
const FULL_BYTES = 128 * 1024;
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
/** Read, too: only so can be seen whether the file ends within a line. A symlink could lead anywhere, and is refused: ELOOP. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
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
  /** It is not full any more. */
  readonly onRoom: () => void;
}

interface OpenFile {
  readonly fd: number;
  size: number;
  /** A device or pipe is never rotated. */
  readonly regular: boolean;
  /** It is rotated when it would grow beyond this. */
  maxBytes: number;
}

/**
 * The file that one vassal's output goes to. Opened at the first byte, appended, rotated by size. Whatever goes wrong with
 * it costs the output that cannot be written, which is counted, and nothing else: {@link LogFile.append} never fails.
 */
export class LogFile {
  readonly #parts: LogFileParts;
  #policy: LogPolicy;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #file: OpenFile | null = null;
  /** Output was lost within a line: the next one must not be glued to what is left of it. */
  #torn = false;
  #midLine = false;
  /** Who waits for the file to be closed. */
  #closers: (() => void)[] = [];
  #working = false;

  constructor(parts: LogFileParts) {
    this.#parts = parts;
    this.#policy = parts.policy;
  }

  /** So much waits that nothing more should be read; `onRoom` tells when it may be. */
  get full(): boolean {
    return this.#waitingBytes >= FULL_BYTES;
  }

  /** From now on. */
  set policy(policy: LogPolicy) {
    this.#policy = policy;
    if (this.#file !== null) this.#file.maxBytes = policy.maxBytes;
  }

  /** Takes output, in order. The memory is not to be changed afterwards. */
  append(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
    if (!this.#working) void this.#work();
  }

  /** Nothing waits and nothing is open. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#closers.length === 0 && this.#file === null;
  }

  /** Writes what waits now and closes the file. It may be appended to again: then it is opened anew, as someone may have moved it. */
  release(): Promise<void> {
    return new Promise((resolve) => {
      this.#closers.push(resolve);
      if (!this.#working) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0 || this.#closers.length > 0) {
      const closers = this.#closers;
      this.#closers = [];
      if (this.#waiting.length > 0) {
        const wasFull = this.full;
        const [only = NEWLINE] = this.#waiting;
        const data = this.#waiting.length === 1 ? only : Buffer.concat(this.#waiting);
        this.#waiting = [];
        this.#waitingBytes = 0;
        if (wasFull) this.#parts.onRoom();
        await this.#write(data);
      }
      if (closers.length > 0) await this.#attempt(() => this.#close());
      for (const resolve of closers) resolve();
    }
    this.#working = false;
  }

  async #write(data: Uint8Array): Promise<void> {
    let rest = data;
    const advance = async (file: OpenFile, length: number): Promise<void> => {
      for (let left = length; left > 0; ) {
        const { bytesWritten } = await writeFile(file.fd, rest, 0, left);
        this.#midLine = endsMidLine(rest.subarray(0, bytesWritten));
        rest = rest.subarray(bytesWritten);
        left -= bytesWritten;
        file.size += bytesWritten;
      }
    };
    try {
      while (rest.length > 0) {
        const file = (this.#file ??= await this.#open());
        await this.#mend(file);
        const { length, rotate } = file.regular
          ? splitForRotation(rest, file.size, file.maxBytes, this.#midLine)
          : { length: rest.length, rotate: false };
        await advance(file, length);
        if (rotate) await this.#rotate(file);
      }
      this.#parts.losses.works();
    } catch (error) {
      this.#torn = this.#midLine;
      this.#parts.losses.add(countLines(rest), rest.length, reasonOf(error));
    }
  }

  async #mend(file: OpenFile): Promise<void> {
    if (!this.#torn) return;
    await writeFile(file.fd, NEWLINE);
    file.size += NEWLINE.length;
    this.#midLine = false;
    this.#torn = false;
  }

  async #open(): Promise<OpenFile> {
    const { path } = this.#parts;
    let fd: number;
    try {
      fd = await openFile(path, OPEN_FLAGS, FILE_MODE);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await makeFolder(dirname(path), { recursive: true, mode: FOLDER_MODE });
      fd = await openFile(path, OPEN_FLAGS, FILE_MODE);
    }
    const stat = await statFile(fd);
    const regular = stat.isFile();
    const last = Buffer.from(NEWLINE);
    if (regular && stat.size > 0) await readFile(fd, last, 0, 1, stat.size - 1);
    this.#midLine = endsMidLine(last);
    return { fd, size: regular ? stat.size : 0, regular, maxBytes: this.#policy.maxBytes };
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
