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
    this.#compress(keep);
  }

  /**
   * Finishes what an emperor before this one had begun: a rotation within which it died, compressions that were not done. To be called once, before the current file is opened.
   * @throws what rename(2) and unlink(2) say
   */
  async recover(keep: number): Promise<void> {
    await this.#renaming.pass(async () => {
      const missing = (await this.#newestRow()) + 1;
      // Parts move up from the oldest on: in between, the place of one is free.
      if ((await findPart(this.#log, missing + 1)) !== null) await this.#shift(keep);
    });
    this.#compress(keep);
  }

  #compress(keep: number): void {
    if (this.#compressing || keep < FIRST_PACKED) return;
    this.#compressing = true;
    void this.#compressions.pass(() => this.#compressAll());
  }

  /** Number of the last part before the first that is missing. */
  async #newestRow(): Promise<number> {
    let last = 0;
    while ((await findPart(this.#log, last + 1)) !== null) last += 1;
    return last;
  }

  /** Each step leaves all parts in order, and none in two places: whoever finds it half done goes on by doing it again. */
  async #shift(keep: number): Promise<void> {
    if (keep === 0) {
      await rm(this.#log, { force: true });
      return;
    }
    for (let index = await this.#newestRow(); index >= 1; index--) {
      const forms = await findPart(this.#log, index);
      if (forms === null) continue;
      // Both are there: what is compressed is complete. First of all the other, which would be in the way, or come back to life alone.
      if (forms.packed && forms.plain) await rm(partPath(this.#log, index), { force: true });
      const path = forms.packed ? packedPath : partPath;
      if (index >= keep) await rm(path(this.#log, index), { force: true });
      else await rename(path(this.#log, index), path(this.#log, index + 1));
    }
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
    const half = `${this.#log}.gz.tmp`;
    const found = await this.#renaming.pass(() => this.#openPlain());
    if (found === null) {
      await rm(half, { force: true });
      return false;
    }
    // It stays open until its place is known again, so that no other file gets its number meanwhile.
    await using file = found.file;
    try {
      await rm(half, { force: true });
      await pipeline(
        file.createReadStream({ highWaterMark: BLOCK_BYTES, autoClose: false }),
        createGzip({ chunkSize: BLOCK_BYTES }),
        createWriteStream(half, { flags: 'wx', mode: found.mode }),
        { signal: this.#stop },
      );
      await this.#renaming.pass(async () => {
        // It was read while rotations went on: by now it is further up, or dropped.
        const index = await this.#placeOf(found.ino);
        if (index === null) return;
        await rename(half, packedPath(this.#log, index));
        await rm(partPath(this.#log, index));
      });
    } finally {
      await rm(half, { force: true });
    }
    return true;
  }

  async #openPlain(): Promise<{ readonly file: FileHandle; readonly mode: number; readonly ino: bigint } | null> {
    for (let index = FIRST_PACKED; ; index++) {
      const forms = await findPart(this.#log, index);
      if (forms === null) return null;
      const path = partPath(this.#log, index);
      // An emperor died between the end of a compression and this.
      if (forms.packed && forms.plain) await rm(path);
      if (forms.packed) continue;
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const { mode, ino } = await file.stat({ bigint: true });
      return { file, mode: Number(mode) & 0o777, ino };
    }
  }

  /** Which part a file is now, as long as that is not compressed. */
  async #placeOf(ino: bigint): Promise<number | null> {
    for (let index = FIRST_PACKED; ; index++) {
      const forms = await findPart(this.#log, index);
      if (forms === null) return null;
      if (forms.plain && !forms.packed && (await lstat(partPath(this.#log, index), { bigint: true })).ino === ino) return index;
    }
  }
}
