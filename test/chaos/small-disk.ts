import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK = Buffer.alloc(64 * 1024);

/** A file system of its own that can be filled, for the log of one vassal. Needs root. Leaving its scope unmounts it. */
export class SmallDisk implements Disposable {
  readonly #folder: string;
  readonly #ballast: string;

  /** @param log the path that leads to a log on it */
  constructor(folder: string, log: string, megabytes: number) {
    this.#folder = folder;
    this.#ballast = join(folder, 'ballast');
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'emperor-chaos', folder]);
    symlinkSync(join(folder, 'log'), log);
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
    execFileSync('umount', ['-l', this.#folder]);
  }
}
