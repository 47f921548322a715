import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BLOCK = Buffer.alloc(64 * 1024);

/** A file system of its own that can be filled, for the log of one vassal. Needs root. Leaving its scope unmounts it. */
export class SmallDisk implements Disposable {
  readonly #folder: string;
  readonly #ballast: string;
  readonly #log: string;

  /** @param log the path of a log on it; not a symlink, which no log may be */
  constructor(folder: string, log: string, megabytes: number) {
    this.#folder = folder;
    this.#ballast = join(folder, 'ballast');
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'emperor-chaos', folder]);
    this.#log = log;
    mkdirSync(dirname(log), { recursive: true });
    for (const path of [join(folder, 'log'), log]) writeFileSync(path, '');
    execFileSync('mount', ['--bind', join(folder, 'log'), log]);
  }

  /** Until nothing more goes in. */
  fill(): void {
    const fd = openSync(this.#ballast, 'a');
    try {
      for (let block = BLOCK; block.length > 0; ) {
        try {
          writeSync(fd, block);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          block = block.subarray(0, block.length >> 1);
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Lazily: what an emperor that was killed has open there is gone when its process is. */
  [Symbol.dispose](): void {
    for (const path of [this.#log, this.#folder]) execFileSync('umount', ['-l', path]);
  }
}
