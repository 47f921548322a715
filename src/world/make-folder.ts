import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';

/**
 * Makes a folder, and those above it that are missing. Node's own way, `recursive`, never comes back from /proc and says ENOENT of a
 * read-only file system.
 * @param path absolute
 * @param mode of each folder that is made, less the umask
 * @returns true if it was not there
 * @throws the error of mkdir(2)
 */
export function makeFolder(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    if (errno !== 'ENOENT' || path === dirname(path)) throw error;
  }
  makeFolder(dirname(path), mode);
  mkdirSync(path, { mode });
  return true;
}
