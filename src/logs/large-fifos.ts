import type { Splice } from '../kernel/splice.ts';

/** Half of what a user who is not root may have before the pipes of all its processes become tiny: /proc/sys/fs/pipe-user-pages-soft, pipe(7). */
const MOST = 32;

/**
 * Who prints a lot gets a FIFO of 1 MiB instead of 64 KiB: it can print for longer while no emperor is there, and a busy emperor looks after it less often.
 * Only those, and not too many: the kernel keeps 16 kB for such a FIFO, also while it is empty, and 1 kB for another.
 */
export class LargeFifos {
  readonly #splice: Splice;
  readonly #held: Set<number> = new Set();

  constructor(splice: Splice) {
    this.#splice = splice;
  }

  /** @returns whether that FIFO is large now */
  add(fifo: number): boolean {
    if (this.#held.size >= MOST || !this.#splice.enlarge(fifo)) return false;
    this.#held.add(fifo);
    return true;
  }

  /** It was closed. A stranger is no mistake. */
  delete(fifo: number): void {
    this.#held.delete(fifo);
  }
}
