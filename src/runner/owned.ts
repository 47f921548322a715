import { lstatSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Fault } from '../core/fault.ts';
import type { Owned, VassalSpec } from '../core/spec.ts';
import { changedHands } from '../core/tyrant.ts';
import { errnoOf } from '../errors.ts';

/** inode(7) */
const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o002;
const WRITABLE_BY_OTHERS = 0o022;

/** Why an instance cannot be launched for the owner of its file, at this moment: the file is not theirs any more. null: it is. */
export function lostOwner({ file, owner, nofollow }: Owned): string | null {
  try {
    const { uid, gid } = nofollow ? lstatSync(file) : statSync(file);
    return changedHands(owner, { uid, gid }) ? `${file} belongs to uid ${uid}, gid ${gid} by now` : null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === '') throw error;
    return `whose ${file} is cannot be told: ${errno}`;
  }
}

/**
 * What of a file that runs as its owner would be written where only others may. What the owner writes, the kernel refuses as well; what the emperor opens
 * for them, as root, it would not: a unix socket is put into a folder of root that is called like the owner, so nobody can have it lead elsewhere.
 * @param name the owner's, as a folder can be called
 */
export function trespasses(vassalFile: string, spec: VassalSpec, name: string): readonly Fault[] {
  const { owned } = spec;
  if (owned === undefined) return [];
  const { uid } = owned.owner;
  const tell = (message: string, key: string, line: number | null, hint: string): Fault => ({ file: vassalFile, code: 'E_TYRANT', line, key, message, hint });
  const faults = owned.writes.filter(({ path }) => !mayWrite(path, uid)).map(({ path, key, line }) => tell(`${path} is not in a folder of the owner, uid ${uid}`, key, line, 'name a path in a folder of their own'));
  for (const { address } of spec.listen) {
    if (address.kind !== 'unix') continue;
    const folder = dirname(address.path);
    if (basename(folder) !== name || !isOfRoot(folder)) faults.push(tell(`the socket ${address.path} is not in a folder of root that is called ${JSON.stringify(name)}`, 'listen', null, `for example unix:/run/vassals/${name}/${basename(address.path)}, and mkdir -p /run/vassals/${name}`));
  }
  return faults;
}

/** Theirs already; or to be made in a folder of theirs, or in one like /tmp, where everybody keeps what is theirs. */
function mayWrite(path: string, uid: number): boolean {
  const there = inodeOf(path);
  if (there !== null) return there.uid === uid;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = inodeOf(folder);
    if (found !== null) return found.uid === uid || (found.mode & (STICKY | WRITABLE_BY_ALL)) === (STICKY | WRITABLE_BY_ALL);
    if (folder === '/') return false;
  }
}

/** So are all folders that it is in, by their own names: no symlink leads there. */
function isOfRoot(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory() || found.uid !== 0) return false;
  const closed = (found.mode & WRITABLE_BY_OTHERS) === 0 || (found.mode & STICKY) !== 0;
  return closed && (path === '/' || isOfRoot(dirname(path)));
}

/** What is at the end of a path; null: nothing that can be seen. */
function inodeOf(path: string): { readonly uid: number; readonly mode: number } | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return null;
  }
}
