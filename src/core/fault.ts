import type { Code } from '../errors.ts';

/** What is wrong with a vassal file: a value, never thrown. All faults of a file are told at once. */
export interface Fault {
  readonly code: Code;
  /** One sentence without the place, e.g. `unknown key "stop-timout"`. */
  readonly message: string;
  /** Absolute path of the file that has to be mended. */
  readonly file: string;
  /** Line, from 1; null where no line is to blame (the file is empty, cannot be read …). */
  readonly line: number | null;
  /** The key to blame, as written in the file; null where there is none. */
  readonly key: string | null;
  /** What to do, e.g. `did you mean "stop-timeout"?`. */
  readonly hint: string | null;
}

/** A fault as one line for people: `unknown key "stop-timout" at /etc/v/shop.toml:7; did you mean "stop-timeout"?` */
export function printFault(fault: Fault): string {
  const place = fault.line === null ? fault.file : `${fault.file}:${fault.line}`;
  return `${brief(fault.message)} at ${place}${fault.hint === null ? '' : `; ${brief(fault.hint)}`}`;
}

/** What a file holds may be quoted in a fault, and be as long as the file. */
const LONGEST = 500;

function brief(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
