import { closeSync, openSync, readSync } from 'node:fs';

/** What the kernel tells of a process in one line: proc_pid_stat(5). */
export interface ProcessStat {
  /** One letter; `Z` and `X`: nothing is left of it but its exit status. */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** When it was started, in clock ticks after boot. */
  readonly startTicks: number;
}

/** Where the fields are, counted from the first one after the name, which is field 3. */
const STATE = 3 - 3;
const PARENT = 4 - 3;
const SESSION = 6 - 3;
const START_TICKS = 22 - 3;

/** Some 350 bytes; the name has at most 64. */
const MOST_BYTES = 1_024;

/** Asks /proc. null: there is no such process. In one read, which takes half the time of `readFileSync`: each launch waits for it. */
export function readProcessStat(pid: number): ProcessStat | null {
  try {
    const file = openSync(`/proc/${pid}/stat`, 'r');
    try {
      const line = Buffer.allocUnsafe(MOST_BYTES);
      return parseProcessStat(line.toString('latin1', 0, readSync(file, line)));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** Understands the line. The name of the program is in parentheses and may itself hold blanks and parentheses. null: it is no such line. */
export function parseProcessStat(line: string): ProcessStat | null {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, parent, session, startTicks] = [fields[STATE], Number(fields[PARENT]), Number(fields[SESSION]), Number(fields[START_TICKS])];
  return state === undefined || ![parent, session, startTicks].every(Number.isInteger) ? null : { state, parent, session, startTicks };
}
