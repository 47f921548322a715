import { chmodSync, chownSync, closeSync, constants, fchmodSync, fstatSync, linkSync, lstatSync, openSync, readdirSync, realpathSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { unixAddress } from '../kernel/sockaddr.ts';
import type { StreamSockets } from '../kernel/sockets.ts';

/** A file, whatever it is called: stat(2). */
export interface FileId {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Who may connect to a unix socket: who may write to its file, unix(7). */
export interface Permissions {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** open(2); Node does not name it. */
const O_PATH = 0o10000000;
/** Before it has its owner nobody but us may connect. */
const PRIVATE = 0o600;

/** Path of the socket of one slot: beside the one that people know, and hidden. */
export function besideOf(path: string, number: number): string {
  return join(dirname(path), `.${basename(path)}.${number}`);
}

/** The number of a path that {@link besideOf} gave, for that path; null: it is none of these. */
export function numberBeside(path: string, file: string): number | null {
  const prefix = besideOf(path, 0).slice(0, -1);
  const number = file.slice(prefix.length);
  return file.startsWith(prefix) && /^\d+$/.test(number) ? Number(number) : null;
}

/** The path that a hidden one is beside; null: it is none of those that {@link besideOf} gives. */
export function mainOf(file: string): string | null {
  const name = /^\.(.+)\.\d+$/s.exec(basename(file))?.[1];
  return name === undefined ? null : join(dirname(file), name);
}

/** What is at a path; null: nothing. Throws what lstat(2) does. */
export function lookAt(path: string): (FileId & { readonly isSocket: boolean }) | null {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : { device: found.dev, inode: found.ino, isSocket: found.isSocket() };
}

export function isSame(a: FileId | null, b: FileId | null): boolean {
  return a !== null && b !== null && a.device === b.device && a.inode === b.inode;
}

/** Whether somebody listens on a socket file. Only a refused connection proves that nobody does; a full queue, for one, proves the opposite. */
export function answers(sockets: StreamSockets, path: string): boolean {
  const address = unixAddress(path);
  if (address === null) return true;
  const fd = sockets.open('unix');
  const errno = sockets.connect(fd, address);
  closeSync(fd);
  return errno !== 'ECONNREFUSED' && errno !== 'ENOENT';
}

/** The hidden files of a folder, by the path that they are beside. Throws what readdir(3) does. */
export function hiddenIn(folder: string): ReadonlyMap<string, readonly string[]> {
  return groupedBy(readdirSync(folder).map((name) => join(folder, name)), mainOf);
}

/** Groups things by a name; null: it is in no group. */
export function groupedBy<T>(all: readonly T[], nameOf: (each: T) => string | null): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const name = nameOf(each);
    if (name === null) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [each]);
    else group.push(each);
  }
  return groups;
}

/**
 * Removes the sockets of slots that an earlier emperor left.
 * @param hidden what was seen beside the path
 * @returns the numbers of those that somebody still listens on
 */
export function sweepBeside(sockets: StreamSockets, path: string, hidden: readonly string[]): ReadonlySet<number> {
  const taken = new Set<number>();
  for (const file of hidden) {
    const number = numberBeside(path, file);
    const found = lookAt(file);
    if (number === null || found === null) continue;
    if (found.isSocket && !answers(sockets, file)) unlinkSync(file);
    else taken.add(number);
  }
  return taken;
}

/**
 * Makes the socket that is to be bound one that only we may use: the kernel takes the mode of its file from the descriptor.
 * So there is no moment in which it is more open than it should be.
 */
export function closeToOthers(fd: number): void {
  fchmodSync(fd, PRIVATE);
}

/**
 * Gives a socket file to its owner. In a folder that somebody else may write to, the file may be replaced at any moment: so it is held first, and
 * looked at, and what is changed is what is held. Throws what the calls do; EEXIST: it is not what we bound.
 */
export function grant(path: string, { mode, uid, gid }: Permissions): FileId {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(fd, { bigint: true });
    if (!found.isSocket()) throw Object.assign(new Error('another file took the place of our socket'), { code: 'EEXIST' });
    const held = `/proc/self/fd/${fd}`;
    if (found.uid !== BigInt(uid) || found.gid !== BigInt(gid)) chownSync(held, uid, gid);
    if ((found.mode & 0o7777n) !== BigInt(mode)) chmodSync(held, mode);
    return { device: found.dev, inode: found.ino };
  } finally {
    closeSync(fd);
  }
}

/** Makes one file appear at another path as well, in one step, whatever was there. Throws what link(2) and rename(2) do. */
export function showAt(path: string, file: string): void {
  const aside = join(dirname(path), `.${basename(path)}.new`);
  removeIf(aside, () => true);
  linkSync(file, aside);
  renameSync(aside, path);
  // rename(2) does nothing if both are the same file already.
  removeIf(aside, () => true);
}

/** Removes a path if what is there is what we think. */
export function removeIf(path: string, isIt: (found: FileId) => boolean): void {
  try {
    const found = lookAt(path);
    if (found !== null && isIt(found)) unlinkSync(path);
  } catch (error) {
    // The folder has gone, or is no longer ours to write to: then there is nothing that we could do.
    if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error))) throw error;
  }
}

/** Whether two paths mean the same file, whether or not it is there: folders may be known by several names. */
export function isSamePath(one: string, other: string): boolean {
  return basename(one) === basename(other) && (one === other || folderOf(one) === folderOf(other));
}

function folderOf(path: string): string {
  try {
    return realpathSync(dirname(path));
  } catch {
    // Where it does not exist, or cannot be looked at, nothing can be opened either.
    return dirname(path);
  }
}
