import { EmperorError, errnoOf } from '../errors.ts';
import { constants } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { lastLinesOfFile, lastLinesOfPacked, type LastLines } from './last-lines.ts';
import { findPart, packedPath, partPath } from './parts.ts';

/** A log that is rotated so often while it is read is told as it came. */
const MOST_ATTEMPTS = 5;

/**
 * The last lines of a log, with those of older parts where the current file is too short. A last line without an end counts as one.
 * @param lines 0 or more
 * @returns empty if there is no log
 */
export async function tail(log: string, lines: number): Promise<Buffer> {
  const { text, file } = await openAtEnd(log, lines);
  await file?.close();
  return text;
}

/** The end of a log, and its current file to read on from there; null if there is none. The caller closes it. */
export interface LogEnd {
  readonly text: Buffer;
  readonly file: FileHandle | null;
  /** Where `text` ends in it. */
  readonly position: number;
}

/** Opens a log at its end, with the last lines before that. */
export async function openAtEnd(log: string, lines: number): Promise<LogEnd> {
  for (let attempt = 1; ; attempt++) {
    const file = await openIfThere(log);
    const { ino, size } = file === null ? { ino: null, size: 0 } : await file.stat();
    const newest = file === null ? { text: Buffer.alloc(0), found: 0 } : await lastLinesOfFile(file, size, lines);
    if (newest.found >= lines) return { text: newest.text, file, position: size };
    const older = await olderLines(log, lines - newest.found);
    // Had it been rotated in between, what was just read would have been read again as part 1.
    if (attempt === MOST_ATTEMPTS || (await inodeOf(log)) === ino) {
      return { text: Buffer.concat([...older, newest.text]), file, position: size };
    }
    await file?.close();
  }
}

async function olderLines(log: string, lines: number): Promise<Buffer[]> {
  const texts: Buffer[] = [];
  let missing = lines;
  for (let index = 1; missing > 0; index++) {
    const part = await lastLinesOfPart(log, index, missing);
    if (part === null) break;
    texts.unshift(part.text);
    missing -= part.found;
  }
  return texts;
}

async function lastLinesOfPart(log: string, index: number, lines: number): Promise<LastLines | null> {
  const forms = await findPart(log, index);
  if (forms === null) return null;
  await using file = await openIfThere(forms.packed ? packedPath(log, index) : partPath(log, index));
  if (file === null) return null;
  return forms.packed ? await lastLinesOfPacked(file, lines) : await lastLinesOfFile(file, (await file.stat()).size, lines);
}

/** null: there is no such file. What is at the end of a symlink is none of our logs: it is refused. @throws E_KERNEL */
export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    if (errnoOf(error) === 'ELOOP') throw new EmperorError('E_KERNEL', `cannot read ${path}: it is a symlink, which is not followed`, { cause: error });
    throw error;
  }
}

/** What tells a file from another one that has its path later. null: there is none. */
export async function inodeOf(path: string): Promise<number | null> {
  try {
    return (await lstat(path)).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
