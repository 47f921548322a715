import { watch } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { EmperorError, reasonOf } from '../errors.ts';
import { findPart, partPath } from './parts.ts';
import { inodeOf, openAtEnd, openIfThere } from './tail.ts';

const BLOCK_BYTES = 64 * 1024;

/**
 * What is written to a log from now on, across rotations, until the signal is aborted; it then ends without an error. There need not be a log yet, only its folder.
 * Who takes the output so slowly that a part is compressed or dropped before its turn misses that part.
 * @param lines last lines to begin with, with no gap to what follows; default 0
 * @throws E_KERNEL if the folder cannot be watched
 */
export async function* follow(log: string, signal: AbortSignal, lines = 0): AsyncGenerator<Buffer, void, void> {
  using hints = watchLog(log, signal);
  const start = await openAtEnd(log, lines);
  let { file, position } = start;
  try {
    if (start.text.length > 0) yield start.text;
    while (!signal.aborted) {
      const looked = hints.expect();
      file ??= await openIfThere(log);
      if (file !== null) {
        const next = await findNext(log, file);
        if ((await file.stat()).size < position) position = 0;
        // Nobody writes to a part that has a successor: what is read now is all of it.
        for await (const block of readFrom(file, position)) {
          position = block.end;
          yield block.data;
        }
        if (next !== null) {
          await file.close();
          file = next;
          position = 0;
          continue;
        }
      }
      await looked;
    }
  } finally {
    await file?.close();
  }
}

async function* readFrom(file: FileHandle, start: number): AsyncGenerator<{ data: Buffer; end: number }, void, void> {
  for (let position = start; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield { data: buffer.subarray(0, bytesRead), end: position };
  }
}

/** Opens the part that came after this one. null: this one is the current file, or the next is not there yet. */
async function findNext(log: string, file: FileHandle): Promise<FileHandle | null> {
  const { ino } = await file.stat();
  for (;;) {
    const index = await indexOf(log, ino);
    if (index === 0) return null;
    const next = await openIfThere(partPath(log, index === null ? 0 : index - 1));
    // Unless a rotation has moved them all meanwhile, this is the one.
    if (next === null || index === null || (await indexOf(log, ino)) === index) return next;
    await next.close();
  }
}

/** Which part a file is now; null: none any more. */
async function indexOf(log: string, ino: number): Promise<number | null> {
  for (let index = 0; index === 0 || (await findPart(log, index)) !== null; index++) {
    if ((await inodeOf(partPath(log, index))) === ino) return index;
  }
  return null;
}

/** Says that there may be something new. */
interface Hints extends Disposable {
  /** Resolves at the next hint, or when it is over. Hints that come after this call are not missed. */
  expect(): Promise<void>;
}

function watchLog(log: string, signal: AbortSignal): Hints {
  const folder = dirname(log);
  const name = basename(log);
  const waiting = new Set<() => void>();
  const give = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  try {
    const watcher = watch(folder, (_event, file) => {
      if (file === null || file === name) give();
    });
    watcher.on('error', give);
    signal.addEventListener('abort', give, { once: true });
    return {
      expect() {
        return new Promise((resolve) => {
          if (signal.aborted) resolve();
          else waiting.add(resolve);
        });
      },
      [Symbol.dispose]() {
        signal.removeEventListener('abort', give);
        watcher.close();
      },
    };
  } catch (cause) {
    throw new EmperorError('E_KERNEL', `cannot watch ${folder}: ${reasonOf(cause)}`, { cause });
  }
}
