import { readdirSync, readFileSync } from 'node:fs';
import type { Marked } from './invariants.ts';

/** A process that bears the mark of a state folder. */
interface Bearer {
  readonly pid: number;
  readonly startTicks: number;
  readonly instance: string;
  readonly vassal: string;
}

/** All processes that emperors of a state folder have started, by the marks in their environment; zombies have none. */
export function bearers(state: string): readonly Bearer[] {
  return readdirSync('/proc').flatMap((entry): readonly Bearer[] => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0');
      if (!environment.includes(`EMPEROR_STATE=${state}`)) return [];
      const valueOf = (name: string): string => environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
      return [{ pid: Number(entry), startTicks, instance: valueOf('EMPEROR_INSTANCE'), vassal: valueOf('EMPEROR_VASSAL') }];
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  });
}

/** The instances that run; of each its processes, the oldest first. */
export function processTable(state: string): readonly Marked[] {
  const table = new Map<string, Bearer[]>();
  for (const bearer of bearers(state)) table.set(bearer.instance, [...(table.get(bearer.instance) ?? []), bearer]);
  return Array.from(table, ([instance, all]) => ({ instance, vassal: all[0]!.vassal, pids: all.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid).map(({ pid }) => pid) }));
}

/** Sends a signal to a process that bears the mark; false: it is gone, or the number is another's by now. */
export function signalBearer(state: string, pid: number, signal: NodeJS.Signals): boolean {
  try {
    if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`EMPEROR_STATE=${state}`)) return false;
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** What a process has: descriptors, threads and resident memory, proc_pid_status(5). */
export function statureOf(pid: number): { readonly descriptors: number; readonly threads: number; readonly residentBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, threads: field('Threads'), residentBytes: field('VmRSS') * 1024 };
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}
