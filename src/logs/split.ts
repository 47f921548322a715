const NEWLINE = 0x0a;

/** How much of some output still goes into the current file, and whether the file is rotated then. */
export interface Split {
  readonly length: number;
  readonly rotate: boolean;
}

/**
 * Decides where a log is cut. Between lines, wherever that is possible: a line that does not fit goes into the next file
 * as a whole. A line that is longer than a file may have is finished in the file where it began, up to twice the limit; then it is cut.
 * @param size bytes in the file now
 * @param midLine whether the file ends within a line
 */
export function splitForRotation(data: Uint8Array, size: number, maxBytes: number, midLine: boolean): Split {
  if (size + data.length <= maxBytes) return { length: data.length, rotate: false };
  const room = maxBytes - size;
  const lastFitting = room > 0 ? data.lastIndexOf(NEWLINE, room - 1) + 1 : 0;
  if (lastFitting > 0) return { length: lastFitting, rotate: true };
  if (size > 0 && !midLine) return { length: 0, rotate: true };
  const utmost = Math.max(0, 2 * maxBytes - size);
  const lineEnd = data.indexOf(NEWLINE) + 1;
  if (lineEnd > 0 && lineEnd <= utmost) return { length: lineEnd, rotate: true };
  if (data.length <= utmost) return { length: data.length, rotate: false };
  return { length: utmost, rotate: true };
}

/** Lines that end in this piece. */
export function countLines(data: Uint8Array): number {
  let lines = 0;
  for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** Whether a piece ends within a line. An empty one does not. */
export function endsMidLine(data: Uint8Array): boolean {
  return data.length > 0 && data[data.length - 1] !== NEWLINE;
}
