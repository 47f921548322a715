import { closeSync } from 'node:fs';
import type { Pidfds } from '../../kernel/pidfd.ts';
import { readStartTicks } from '../proc.ts';
import type { Inquest } from './inquest.ts';
import { isInUnit } from './unit-cgroup.ts';

/** The process that systemd has started in a unit. */
export interface FirstProcess {
  readonly pid: number;
  /** Ours to close. */
  readonly pidfd: number;
  readonly startTicks: number;
  /** Of the unit. */
  readonly cgroup: string;
}

/** Finds it. null: it is gone; `untold`: systemd does not answer. */
export type Identify = (unit: string) => Promise<FirstProcess | 'untold' | null>;

/** Makes what finds it. */
export function openIdentify(pidfds: Pick<Pidfds, 'open'>, inquest: Pick<Inquest, 'look'>): Identify {
  return async (unit) => {
    const found = await inquest.look(unit);
    if (found === null) return 'untold';
    const [known] = found;
    // First the handle, then the proof.
    const pidfd = known === undefined || known.pid === 0 ? null : pidfds.open(known.pid);
    if (known === undefined || pidfd === null) return null;
    const startTicks = isInUnit(known.pid, unit) ? readStartTicks(known.pid) : null;
    if (startTicks !== null) return { pid: known.pid, pidfd, startTicks, cgroup: known.cgroup };
    closeSync(pidfd);
    return null;
  };
}

/** It is not of interest any more. */
export function leave(first: FirstProcess | null): void {
  if (first !== null) closeSync(first.pidfd);
}
