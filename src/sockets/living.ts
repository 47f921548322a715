import { readdirSync, readlinkSync } from 'node:fs';
import { EmperorError, errnoOf } from '../errors.ts';
import { readProcessStat } from '../kernel/process-stat.ts';
import type { TakeDescriptor } from '../kernel/take-descriptor.ts';
import type { Estate } from './estate.ts';
import type { Slot } from './group.ts';

/**
 * Takes sockets back from an instance that lives: from its first process or, where that has closed them, from another one of its session.
 * @param pid of its first process
 * Those that are in the estate come from there, which needs no right to trace the process.
 * @param wanted inodes of the sockets
 * @returns those that it has, and that we may have
 */
export function takeFrom(pid: number, wanted: ReadonlySet<number>, take: TakeDescriptor, estate: Estate): readonly Slot[] {
  const own = takeFromProcess(pid, wanted, take, estate);
  if (own.length > 0) return own;
  for (const other of sessionOf(pid)) {
    const found = takeFromProcess(other, wanted, take, estate);
    if (found.length > 0) return found;
  }
  return [];
}

function takeFromProcess(pid: number, wanted: ReadonlySet<number>, take: TakeDescriptor, estate: Estate): readonly Slot[] {
  const slots = new Map<number, Slot>();
  for (const name of list(`/proc/${pid}/fd`)) {
    const inode = socketOf(`/proc/${pid}/fd/${name}`);
    if (inode === null || !wanted.has(inode) || slots.has(inode)) continue;
    try {
      slots.set(inode, { fd: estate.take(inode) ?? take(pid, Number(name)), inode });
    } catch (error) {
      // It has gone meanwhile, or is not ours to take: then its address is one that somebody else has.
      if (!(error instanceof EmperorError)) throw error;
    }
  }
  return [...slots.values()];
}

/** The inode of the socket that a descriptor is; null: it is none. */
function socketOf(link: string): number | null {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1];
    return inode === undefined ? null : Number(inode);
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errnoOf(error))) return null;
    throw error;
  }
}

function sessionOf(pid: number): readonly number[] {
  return list('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((each) => each !== pid && readProcessStat(each)?.session === pid);
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errnoOf(error))) return [];
    throw error;
  }
}
