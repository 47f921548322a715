import { closeSync } from 'node:fs';
import type { Pidfds } from '../../kernel/pidfd.ts';
import { readStartTicks } from '../proc.ts';
import type { Inquest } from './inquest.ts';
import { cgroupIn } from './unit-cgroup.ts';

/** The process that systemd has started in a unit. */
export interface FirstProcess {
  readonly pid: number;
  /** Ours to close. */
  readonly pidfd: number;
  readonly startTicks: number;
  /** Of the unit. */
  readonly cgroup: string;
}

/** Finds it. null: it is gone; `untold`: systemd does not answer. @param pid what it says that it is */
export type Identify = (unit: string, pid: number) => Promise<FirstProcess | 'untold' | null>;

/** Makes what finds it: where the kernel says that its word is true, systemd need not be asked, which takes longer than all the rest. */
export function openIdentify(pidfds: Pick<Pidfds, 'open'>, inquest: Pick<Inquest, 'look'>): Identify {
  const proven = (unit: string, pid: number): FirstProcess | null => {
    // First the handle, then the proof.
    const pidfd = pid === 0 ? null : pidfds.open(pid);
    if (pidfd === null) return null;
    const cgroup = cgroupIn(pid, unit);
    const startTicks = cgroup === null ? null : readStartTicks(pid);
    if (cgroup !== null && startTicks !== null) return { pid, pidfd, startTicks, cgroup };
    closeSync(pidfd);
    return null;
  };
  return async (unit, pid) => {
    const first = proven(unit, pid);
    if (first !== null) return first;
    const found = await inquest.look(unit);
    return found === null ? 'untold' : proven(unit, found[0]?.pid ?? 0);
  };
}

/** It is not of interest any more. */
export function leave(first: FirstProcess | null): void {
  if (first !== null) closeSync(first.pidfd);
}
