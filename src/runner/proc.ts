import { readFileSync } from 'node:fs';
import type { Proof } from '../core/state.ts';

/** Column of the start time in /proc/PID/stat, counted from the first one after the name: field 22 of proc_pid_stat(5). */
const START_TICKS = 22 - 3;

/** The mark of this boot: start times of processes mean something only within it. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** When a process was started, in clock ticks after boot. null: there is none with that pid. */
export function readStartTicks(pid: number): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  return parseStartTicks(stat);
}

/** Takes the start time out of a /proc/PID/stat. The name of the program is in parentheses and may itself hold blanks and parentheses. */
export function parseStartTicks(stat: string): number | null {
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TICKS]);
  return Number.isInteger(ticks) ? ticks : null;
}

/** Whether the process of a proof is still there, as a zombie at least. */
export function isProven(proof: Proof, bootId: string): boolean {
  return proof.bootId === bootId && readStartTicks(proof.pid) === proof.startTicks;
}
