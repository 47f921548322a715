import { closeSync } from 'node:fs';
import type { Passed } from '../systemd/inherited.ts';
import { readKeptName } from '../world/keeper.ts';

/** What the service manager has passed to an emperor, by what it is for. */
export interface Sorted {
  /** The control socket, of a socket unit with FileDescriptorName=control; null: there is none. */
  readonly control: number | null;
  /** Listening sockets that an earlier emperor had it keep. */
  readonly kept: readonly number[];
  /** Ends of FIFOs that an earlier emperor had it keep, by the serials of the instances that print into them. */
  readonly fifos: ReadonlyMap<number, number>;
  /** Sockets of socket units, for the vassals that name their addresses. */
  readonly lasting: readonly number[];
}

/** Sorts it by its names. */
export function sortPassed(passed: readonly Passed[]): Sorted {
  let control: number | null = null;
  const kept: number[] = [];
  const fifos = new Map<number, number>();
  const lasting: number[] = [];
  for (const { name, fd } of passed) {
    const known = readKeptName(name);
    if (known?.kind === 'socket') kept.push(fd);
    else if (known?.kind === 'log' && !fifos.has(known.number)) fifos.set(known.number, fd);
    else if (name === 'control' && control === null) control = fd;
    else if (known === null) lasting.push(fd);
    else closeSync(fd);
  }
  return { control, kept, fifos, lasting };
}
