import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Proof } from '../core/state.ts';

/** Column of the start time in /proc/PID/stat, counted from the first one after the name: field 22 of proc_pid_stat(5). */
const START_TICKS = 22 - 3;
/** Column of the session: field 6. */
const SESSION = 6 - 3;

/** The mark of this boot: start times of processes mean something only within it. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** When a process was started, in clock ticks after boot. null: there is none with that pid. */
export function readStartTicks(pid: number): number | null {
  try {
    return parseStartTicks(readStat(pid));
  } catch {
    return null;
  }
}

/** One line of some 350 bytes, in one read: half the time of `readFileSync`, and each launch waits for it. */
function readStat(pid: number): string {
  const file = openSync(`/proc/${pid}/stat`, 'r');
  try {
    const line = Buffer.allocUnsafe(1_024);
    return line.toString('latin1', 0, readSync(file, line));
  } finally {
    closeSync(file);
  }
}

/** Takes the start time out of a /proc/PID/stat. The name of the program is in parentheses and may itself hold blanks and parentheses. */
export function parseStartTicks(stat: string): number | null {
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TICKS]);
  return Number.isInteger(ticks) ? ticks : null;
}

/** Whether a process leads a session, setsid(2). */
export function leadsSession(pid: number): boolean {
  return sessionOf(pid) === pid;
}

/** The session of a process: field 6 of its /proc/PID/stat. null: there is none with that pid. */
export function sessionOf(pid: number): number | null {
  const fields = fieldsOf(pid);
  return fields === null ? null : Number(fields[SESSION]);
}

/** Whether nothing of a process is left but its exit status: state Z or X, field 3. */
export function isEnded(pid: number): boolean {
  const state = fieldsOf(pid)?.[0];
  return state === undefined || state === 'Z' || state === 'X';
}

function fieldsOf(pid: number): readonly string[] | null {
  try {
    const stat = readStat(pid);
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** How long ago the process was started, in ms: proc_uptime(5). A tick is 1/100 s in everything that the kernel tells. */
export function ageMs(startTicks: number): number {
  return Math.max(0, Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000 - startTicks * 10);
}

/** Whether the process of a proof is still there, as a zombie at least. */
export function isProven(proof: Proof, bootId: string): boolean {
  return proof.bootId === bootId && readStartTicks(proof.pid) === proof.startTicks;
}
