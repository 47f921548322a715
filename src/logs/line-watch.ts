import type { Pattern } from '../world/pattern.ts';

/** How looking for a line ended. */
export type Seen =
  | { readonly kind: 'matched'; readonly line: string }
  /** It will not be found, as the pattern cannot be used. */
  | { readonly kind: 'unusable'; readonly why: string };

const NEWLINE = 0x0a;
/** So much of a line is looked at, in bytes. */
const LONGEST_LINE = 4_096;

/** Looks at what one instance prints for a line that matches. Complete lines only; the first 4 KiB of each. */
export class LineWatch {
  readonly #pattern: Pattern;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  /** Takes output, which may be changed afterwards. @returns how it ended; null: not yet */
  push(data: Buffer): Seen | null {
    const first = data.indexOf(NEWLINE);
    if (first < 0) {
      this.#rest = this.#rested(data);
      return null;
    }
    const last = data.lastIndexOf(NEWLINE);
    const start = this.#rested(data.subarray(0, first)).toString('utf8');
    const lines = last > first ? [start, ...linesOf(data.subarray(first + 1, last))] : [start];
    this.#rest = Buffer.from(data.subarray(last + 1, last + 1 + LONGEST_LINE));

    let found = this.#pattern.find(lines);
    // A busy host may have been the cause, and the line will not come again.
    if (found.kind === 'unusable' && !found.lasting) found = this.#pattern.find(lines);
    if (found.kind === 'found') return { kind: 'matched', line: lines[found.index] ?? '' };
    return found.kind === 'unusable' && found.lasting ? { kind: 'unusable', why: found.why } : null;
  }

  #rested(more: Buffer): Buffer {
    return Buffer.concat([this.#rest, more.subarray(0, LONGEST_LINE - this.#rest.length)]);
  }
}

/** Each cut where it would be if it had come in parts. */
function linesOf(data: Buffer): readonly string[] {
  // All at once: a chunk of short lines holds a thousand of them. No unit of UTF-16 stands for more than 3 bytes.
  const lines = data.toString('utf8').split('\n');
  if (lines.every((line) => 3 * line.length <= LONGEST_LINE)) return lines;
  const cut: string[] = [];
  for (let start = 0; start <= data.length; ) {
    const newline = data.indexOf(NEWLINE, start);
    const end = newline < 0 ? data.length : newline;
    cut.push(data.toString('utf8', start, Math.min(end, start + LONGEST_LINE)));
    start = end + 1;
  }
  return cut;
}
