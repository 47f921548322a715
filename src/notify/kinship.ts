import type { InstanceId } from '../core/state.ts';
import { readProcessStat, type ProcessStat } from '../kernel/process-stat.ts';

/** Whose child a process is, and whose session it is in. */
export type Kin = Pick<ProcessStat, 'parent' | 'session'>;

/** Ancestors that are asked for; more than any sane program has below its instance. */
const MOST_GENERATIONS = 32;

/**
 * Finds the instance that a process belongs to: it is its first process, it or an ancestor is in the session which that leads, or it descends from it.
 *
 * A process that has ended and was reaped before we look cannot be told from a stranger (unless it was the first of an instance), because nothing
 * but its number is left; systemd has the same gap. `systemd-notify` waits for a BARRIER before it ends, and so never falls into it.
 * @param instanceOf the living instance whose first process has that pid
 */
export function ownerOf(pid: number, instanceOf: (pid: number) => InstanceId | null, look: (pid: number) => Kin | null = readProcessStat): InstanceId | null {
  let each = pid;
  for (let generation = 0; generation < MOST_GENERATIONS && each > 1; generation++) {
    const itself = instanceOf(each);
    if (itself !== null) return itself;
    const kin = look(each);
    if (kin === null) return null;
    const leader = instanceOf(kin.session);
    if (leader !== null) return leader;
    each = kin.parent;
  }
  return null;
}
