import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { countLines } from './split.ts';

const NEWLINE = 0x0a;
const BLOCK_BYTES = 64 * 1024;

/** The end of some text. */
export interface LastLines {
  readonly text: Buffer;
  /** Lines in it: as many as were asked for, or all there are. */
  readonly found: number;
}

/** The last lines of a text. A last line without an end counts as one. */
export function cutLastLines(text: Buffer, lines: number): LastLines {
  let found = 0;
  // The newline at the very end belongs to the last line.
  let end = text.length - 1;
  while (found < lines && end >= 0) {
    found += 1;
    const newline = end === 0 ? -1 : text.lastIndexOf(NEWLINE, end - 1);
    if (found === lines) return { text: text.subarray(newline + 1), found };
    end = newline;
  }
  return found < lines ? { text, found } : { text: text.subarray(text.length), found };
}

/** The last lines before byte `end` of a file, read from its end backwards: a long file costs no more than a short one. */
export async function lastLinesOfFile(file: FileHandle, end: number, lines: number): Promise<LastLines> {
  const blocks: Buffer[] = [];
  let newlines = 0;
  for (let start = end; start > 0 && newlines <= lines; ) {
    const length = Math.min(BLOCK_BYTES, start);
    start -= length;
    const block = Buffer.alloc(length);
    await file.read(block, 0, length, start);
    newlines += countLines(block);
    blocks.push(block);
  }
  return cutLastLines(Buffer.concat(blocks.toReversed()), lines);
}

/** The last lines of a compressed file. It can only be read from its start; no more is kept of it than is asked for. */
export async function lastLinesOfPacked(file: FileHandle, lines: number): Promise<LastLines> {
  const blocks: { readonly bytes: Buffer; readonly newlines: number }[] = [];
  let newlines = 0;
  const unpack = createGunzip({ chunkSize: BLOCK_BYTES });
  await pipeline(file.createReadStream({ autoClose: false }), unpack, async (source: AsyncIterable<Buffer>) => {
    for await (const bytes of source) {
      const block = { bytes, newlines: countLines(bytes) };
      blocks.push(block);
      newlines += block.newlines;
      for (let [first] = blocks; first !== undefined && newlines - first.newlines > lines; [first] = blocks) {
        newlines -= first.newlines;
        blocks.shift();
      }
    }
  });
  return cutLastLines(Buffer.concat(blocks.map((block) => block.bytes)), lines);
}
