import { errnoOf } from '../errors.ts';
import { constants, createWriteStream } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { findPart, packedPath, partPath } from './parts.ts';

/** Does one piece of work after the other, in order. What fails does not hold up the next. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as the work does, when it had its turn. */
  pass<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => null);
    return result;
  }

  /** Resolves when all that came before is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** From this part on they are compressed: what was written last is what people look at. */
const FIRST_PACKED = 2;
const BLOCK_BYTES = 256 * 1024;

/** The older parts of one log: see {@link partPath}. */
export class Rotation {
  readonly #log: string;
  /** Shared by all logs: one compression at a time leaves the other cores to the vassals. */
  readonly #compressions: Turnstile;
  /** Renaming and the ends of compressions must not meet. */
  readonly #renaming: Turnstile = new Turnstile();
  /** How often all parts have moved up by one. */
  #shifts = 0;
  #compressing = false;
  readonly #stop: AbortSignal;

  /** @param stop ends compressions; their parts stay plain */
  constructor(log: string, compressions: Turnstile, stop: AbortSignal) {
    this.#log = log;
    this.#compressions = compressions;
    this.#stop = stop;
  }

  /**
   * Makes the current file part 1, moves the others up, and drops those beyond `keep`. Compression follows in the background.
   * @throws what rename(2) and unlink(2) say; the current file is then where it was
   */
  async rotate(keep: number): Promise<void> {
    await this.#renaming.pass(() => this.#shift(keep));
    if (!this.#compressing && keep >= FIRST_PACKED) {
      this.#compressing = true;
      void this.#compressions.pass(() => this.#compressAll());
    }
  }

  async #shift(keep: number): Promise<void> {
    if (keep === 0) {
      await rm(this.#log, { force: true });
      return;
    }
    let oldest = 0;
    while ((await findPart(this.#log, oldest + 1)) !== null) oldest += 1;
    for (let index = oldest; index >= 1; index--) {
      const forms = await findPart(this.#log, index);
      if (index >= keep) {
        await rm(partPath(this.#log, index), { force: true });
        await rm(packedPath(this.#log, index), { force: true });
      } else if (forms?.packed === true) {
        await rename(packedPath(this.#log, index), packedPath(this.#log, index + 1));
        await rm(partPath(this.#log, index), { force: true });
      } else if (forms !== null) await rename(partPath(this.#log, index), partPath(this.#log, index + 1));
    }
    this.#shifts += 1;
    await rename(this.#log, partPath(this.#log, 1)).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
  }

  async #compressAll(): Promise<void> {
    try {
      while (!this.#stop.aborted && (await this.#compressOne()));
    } catch {
      // Stopped, or no space for it. Nothing is lost: the part stays plain, and the next rotation tries again.
    } finally {
      this.#compressing = false;
    }
  }

  async #compressOne(): Promise<boolean> {
    const found = await this.#renaming.pass(() => this.#openPlain());
    if (found === null) return false;
    const half = `${this.#log}.gz.tmp`;
    try {
      await rm(half, { force: true });
      await pipeline(
        found.file.createReadStream({ highWaterMark: BLOCK_BYTES }),
        createGzip({ chunkSize: BLOCK_BYTES }),
        createWriteStream(half, { flags: 'wx', mode: found.mode }),
        { signal: this.#stop },
      );
      await this.#renaming.pass(async () => {
        // It was read while rotations went on: by now it is further up, or dropped.
        const index = found.index + this.#shifts - found.shifts;
        if ((await findPart(this.#log, index))?.plain !== true) return;
        await rename(half, packedPath(this.#log, index));
        await rm(partPath(this.#log, index));
      });
    } finally {
      await rm(half, { force: true });
    }
    return true;
  }

  async #openPlain(): Promise<{ file: FileHandle; mode: number; index: number; shifts: number } | null> {
    for (let index = FIRST_PACKED; ; index++) {
      const forms = await findPart(this.#log, index);
      if (forms === null) return null;
      if (forms.packed) continue;
      const path = partPath(this.#log, index);
      const { mode } = await lstat(path);
      return { file: await open(path, constants.O_RDONLY | constants.O_NOFOLLOW), mode: mode & 0o777, index, shifts: this.#shifts };
    }
  }
}
