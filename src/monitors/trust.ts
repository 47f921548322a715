import { lstatSync, statSync, type BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import type { Owner } from '../core/basis.ts';
import { errnoOf } from '../errors.ts';
import { follow } from './road.ts';

/** Who may write the files that say what is run. */
export interface Trusted {
  readonly uids: ReadonlySet<number>;
  /** Groups whose members may. */
  readonly gids: ReadonlySet<number>;
}

/**
 * Looks for somebody else who could write a vassal file, or put another one in its place. A question about a folder is answered from memory
 * until {@link Trust.renew}: thousands of files share one.
 */
export interface Trust {
  /** Why the files of a folder cannot be trusted; null: they can. The folders that it is in, and the symlinks on the way to it, count, too. */
  folder(path: string): Complaint | null;
  /**
   * The same of one file.
   * @param link the inode of its own name, where that is a symlink: then its target counts, and the folder of that
   * @param owner whom it runs as: trusted with this one file; and a sticky folder, where everybody keeps what is theirs, will do
   */
  file(path: string, stats: BigIntStats, link: BigIntStats | null, owner?: Owner): Complaint | null;
  /** What was found of folders holds no longer. */
  renew(): void;
}

/** What is wrong, and what mends it, both for people. */
export interface Complaint {
  readonly message: string;
  readonly hint: string;
}

/** inode(7) */
const STICKY = 0o1000;
const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
const READABLE_BY_ALL = 0o004n;
const ENTERED_BY_ALL = 0o001;

const OR = 'or run the emperor with --allow-writable';

/**
 * Whom this process trusts with its vassal files: root, its own user, and whoever can write its program, as they can make it do anything already. Of a
 * package that is root, of a checkout the owner of the checkout. null: everybody can write the program.
 * @param program a file of the program that runs
 */
export function trustedBy(program: string): Trusted | null {
  const { uid, gid, mode } = statSync(program);
  if ((mode & WRITABLE_BY_ALL) !== 0) return null;
  return { uids: new Set([0, process.geteuid?.() ?? 0, uid]), gids: new Set((mode & WRITABLE_BY_GROUP) === 0 ? [] : [gid]) };
}

/** A trust that has looked at nothing yet. */
export function openTrust(trusted: Trusted): Trust {
  const root = trustIn(trusted);
  /** By uid: whom some vassal runs as. */
  const owners = new Map<number, Circle>();
  const circleOf = ({ uid }: Owner): Circle => {
    const circle = owners.get(uid) ?? trustIn({ ...trusted, uids: new Set([...trusted.uids, uid]) }, uid);
    owners.set(uid, circle);
    return circle;
  };
  return {
    folder: (path) => root.folder(path),
    file: (path, stats, link, owner) => (owner === undefined ? root : circleOf(owner)).file(path, stats, link),
    renew: () => {
      root.renew();
      owners.clear();
    },
  };
}

/** Whom to trust with one and the same file. */
interface Circle extends Trust {
  file(path: string, stats: BigIntStats, link: BigIntStats | null): Complaint | null;
}

/** @param owner uid of the owner of the files; null: it has to be somebody who is trusted with all of them */
function trustIn({ uids, gids }: Trusted, owner: number | null = null): Circle {
  const known = new Map<string, Complaint | null>();
  const others = owner === null ? 'root' : 'root and its owner';

  function once(key: string, look: () => Complaint | null): Complaint | null {
    const found = known.get(key);
    if (found !== undefined) return found;
    const complaint = look();
    known.set(key, complaint);
    return complaint;
  }

  function inode(path: string, { uid, gid, mode }: Owned, sticky = false): Complaint | null {
    const bits = Number(mode);
    if (!uids.has(Number(uid))) return { message: `${path} belongs to uid ${uid}`, hint: `chown root ${path}, ${OR}` };
    if (sticky && (bits & STICKY) !== 0) return null;
    const open = (bits & WRITABLE_BY_ALL) !== 0 || ((bits & WRITABLE_BY_GROUP) !== 0 && !gids.has(Number(gid)));
    return open ? { message: `others than ${others} can write ${path} (mode ${(bits & 0o7777).toString(8).padStart(4, '0')})`, hint: `chmod go-w ${path}, ${OR}` } : null;
  }

  /**
   * A folder by its real path, and those that it is in.
   * @param passing only one entry of it matters, and whose that is is known: where it is sticky, nobody else can move that
   */
  function chain(path: string, passing: boolean): Complaint | null {
    return once(`${passing ? 'through' : 'in'} ${path}`, () => (path === '/' ? null : chain(dirname(path), true)) ?? inode(path, lstatSync(path), passing));
  }

  /** The symlinks on the way to a path, the folders that those are in, and the folder at the end, or of the file there. */
  function road(path: string): Complaint | null {
    const { signposts, end } = follow(path);
    for (const { folder, name } of signposts) {
      const at = folder === '/' ? `/${name}` : `${folder}/${name}`;
      const own = lstatSync(at);
      const complaint = chain(folder, true) ?? (own.isSymbolicLink() && !uids.has(own.uid) ? { message: `the symlink ${at} belongs to uid ${own.uid}`, hint: `chown -h root ${at}, ${OR}` } : null);
      if (complaint !== null) return complaint;
    }
    if (end.kind === 'nowhere') return { message: `${end.at}: ${end.errno}`, hint: 'look again' };
    return chain(end.kind === 'folder' ? end.realPath : dirname(end.realPath), owner !== null);
  }

  const folder = (path: string): Complaint | null => once(`to ${path}`, () => closed(path, () => road(path)));

  return {
    folder,
    file: (path, stats, link) => folder(dirname(path)) ?? (link === null ? null : closed(path, () => road(path))) ?? inode(path, stats) ?? (owner === null || owner === 0 || stats.uid === BigInt(owner) ? null : closed(path, () => secret(path, stats, owner))),
    renew: () => known.clear(),
  };
}

/** Through a symlink of its own nobody comes to what they could not read themselves. */
function secret(path: string, { mode }: BigIntStats, uid: number): Complaint | null {
  const { end } = follow(path);
  const hidden = (at: string): Complaint => ({ message: `${at} cannot be read by uid ${uid}, to whom the symlink belongs`, hint: `chmod o+rX ${at}, or chown -h root ${path}` });
  if ((mode & READABLE_BY_ALL) === 0n) return hidden(path);
  for (let at = end.kind === 'nowhere' ? '/' : dirname(end.realPath); at !== '/'; at = dirname(at)) {
    if ((lstatSync(at).mode & ENTERED_BY_ALL) === 0) return hidden(at);
  }
  return null;
}

interface Owned {
  readonly uid: number | bigint;
  readonly gid: number | bigint;
  readonly mode: number | bigint;
}

/** What vanishes while it is looked at is not trusted: who can make it vanish may bring it back as something else. */
function closed(path: string, look: () => Complaint | null): Complaint | null {
  try {
    return look();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === '') throw error;
    return { message: `who can write ${path} cannot be told: ${errno}`, hint: OR };
  }
}
