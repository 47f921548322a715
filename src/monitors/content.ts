import { isUtf8 } from 'node:buffer';
import type { SeenFile, VassalId } from '../core/listing.ts';
import type { Code } from '../errors.ts';

/** What a file holds, or the fault why it holds nothing that can be used. */
export type Content = SeenFile['content'];

/** Bytes as text without its byte order mark; faults E_FILE_BINARY and E_FILE_ENCODING with the first line at fault. */
export function contentOf(id: VassalId, bytes: Buffer): Content {
  const nul = bytes.indexOf(0);
  if (nul >= 0) return faulty(id, 'E_FILE_BINARY', 'the file holds a NUL byte: it is no text', null, lineAt(bytes, nul));
  if (!isUtf8(bytes)) return faulty(id, 'E_FILE_ENCODING', 'the file is not valid UTF-8', 'save it as UTF-8', firstBrokenLine(bytes));
  const text = bytes.toString('utf8');
  return { ok: true, text: text.startsWith('\uFEFF') ? text.slice(1) : text };
}

/** A file of which there is no text, only what is wrong with it. */
export function faulty(id: VassalId, code: Code, message: string, hint: string | null, line: number | null = null): Content {
  return { ok: false, fault: { code, message, file: id, line, key: null, hint } };
}

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) line += 1;
  return line;
}

/** A newline is never part of a longer character in UTF-8, so lines can be judged one by one. */
function firstBrokenLine(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    if (!isUtf8(bytes.subarray(start, end))) return line;
    line += 1;
    start = end + 1;
  }
  return line;
}
