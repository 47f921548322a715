import { closeSync } from 'node:fs';
import { EmperorError } from '../errors.ts';
import type { SocketPairs } from '../kernel/socket-pair.ts';
import type { TakeDescriptor } from '../kernel/take-descriptor.ts';

/**
 * Takes our end of a channel back from the instance that carries a copy of it. It is known by its name: what else may be open there under that
 * number is left alone.
 * @param pid of its first process
 * @returns null: it is not there, or we may not have it
 */
export function takeBack(pid: number, fd: number, name: string, take: TakeDescriptor, pairs: Pick<SocketPairs, 'nameOf'>): number | null {
  let ours: number;
  try {
    ours = take(pid, fd);
  } catch (error) {
    if (error instanceof EmperorError) return null;
    throw error;
  }
  if (pairs.nameOf(ours) === name) return ours;
  closeSync(ours);
  return null;
}
