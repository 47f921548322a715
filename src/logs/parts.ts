import { errnoOf } from '../errors.ts';
import { lstat } from 'node:fs/promises';

/**
 * A log is its current file and older parts: `shop.log`, `shop.log.1`, `shop.log.2.gz` … `.1` is always plain; from `.2` on a
 * part is plain until it has been compressed. Where both forms exist, the emperor died in between: the compressed one is complete and counts.
 */
export function partPath(log: string, index: number): string {
  return index === 0 ? log : `${log}.${index}`;
}

/** Path of the compressed form. */
export function packedPath(log: string, index: number): string {
  return `${partPath(log, index)}.gz`;
}

/** Which forms of a part are there. */
export interface Forms {
  readonly plain: boolean;
  readonly packed: boolean;
}

/** Looks for a part. null: there is none, nor an older one. */
export async function findPart(log: string, index: number): Promise<Forms | null> {
  const [plain, packed] = await Promise.all([isThere(partPath(log, index)), isThere(packedPath(log, index))]);
  return plain || packed ? { plain, packed } : null;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
