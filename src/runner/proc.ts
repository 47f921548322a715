import { readFileSync } from 'node:fs';
import type { Proof } from '../core/state.ts';
import { readProcessStat } from '../kernel/process-stat.ts';

/** The mark of this boot: start times of processes mean something only within it. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** When a process was started, in clock ticks after boot. null: there is none with that pid. */
export function readStartTicks(pid: number): number | null {
  return readProcessStat(pid)?.startTicks ?? null;
}

/** The session of a process, setsid(2). null: there is none with that pid. */
export function sessionOf(pid: number): number | null {
  return readProcessStat(pid)?.session ?? null;
}

/** Whether nothing of a process is left but its exit status. */
export function isEnded(pid: number): boolean {
  const state = readProcessStat(pid)?.state;
  return state === undefined || state === 'Z' || state === 'X';
}

/** How long the kernel runs, in ms: proc_uptime(5). */
export function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000;
}

/** When a process was started, in ms after boot. A tick is 1/100 s in everything that the kernel tells. */
export function bornMs(startTicks: number): number {
  return startTicks * 10;
}

/** Whether the process of a proof is still there, as a zombie at least. */
export function isProven(proof: Proof, bootId: string): boolean {
  return proof.bootId === bootId && readStartTicks(proof.pid) === proof.startTicks;
}
