import { readFileSync } from 'node:fs';
import type { InstanceId } from '../core/state.ts';

/** Whose child a process is, and whose session it is in. */
export interface Kin {
  readonly parent: number;
  readonly session: number;
}

/** Ancestors that are asked for; more than any sane program has below its instance. */
const MOST_GENERATIONS = 32;
/** Columns of /proc/PID/stat after the name: fields 4 and 6 of proc_pid_stat(5). */
const PARENT = 4 - 3;
const SESSION = 6 - 3;

/**
 * Finds the instance that a process belongs to: it is its first process, it or an ancestor is in the session which that leads, or it descends from it.
 *
 * A process that has ended and was reaped before we look cannot be told from a stranger (unless it was the first of an instance), because nothing
 * but its number is left; systemd has the same gap. `systemd-notify` waits for a BARRIER before it ends, and so never falls into it.
 * @param instanceOf the living instance whose first process has that pid
 */
export function ownerOf(pid: number, instanceOf: (pid: number) => InstanceId | null, look: (pid: number) => Kin | null = readKin): InstanceId | null {
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

/** Asks /proc. null: there is no such process. */
export function readKin(pid: number): Kin | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The name of the program is in parentheses and may itself hold blanks and parentheses.
  const columns = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(columns[PARENT]), session: Number(columns[SESSION]) };
}
