import { constants, openSync, readlinkSync, rmSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** How the emperor's end of a FIFO is opened: fifo(7). */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK;

/** Removes a FIFO; one that stays harms nobody. */
export function removeFifo(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its file system is read-only now, or worse. It does no harm where it is, and every emperor that boots tries again.
  }
}

/**
 * Opens a FIFO of an earlier emperor: by its path or, if that is gone, through the instance that holds it.
 * @throws what open(2) gave, if it is neither there nor held
 */
export function openAgain(path: string, pid: number | null): number {
  try {
    return openSync(path, READ_FLAGS | constants.O_NOFOLLOW);
  } catch (error) {
    if (pid === null || errnoOf(error) !== 'ENOENT') throw error;
    const held = ['1', '2'].map((fd) => `/proc/${pid}/fd/${fd}`).find((link) => [path, `${path} (deleted)`].includes(readlinkSync(link)));
    if (held === undefined) throw error;
    return openSync(held, READ_FLAGS);
  }
}
