import { lstatSync, statSync, type BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import { follow } from './road.ts';

/** Who may write the files that say what is run: those who can already do whatever this process can. */
export interface Trusted {
  readonly uids: ReadonlySet<number>;
  /** Groups whose members may. */
  readonly gids: ReadonlySet<number>;
  /** Everybody may. */
  readonly everybody: boolean;
}

/**
 * Looks for somebody else who could write a vassal file, or put another one in its place. A question about a folder is answered from memory
 * until {@link Trust.renew}: thousands of files share one.
 */
export interface Trust {
  /** Why the files of a folder cannot be trusted, for people, with what mends it; null: they can. Everything that leads there is looked at, too. */
  folder(path: string): Complaint | null;
  /** The same for one file, whose folder is trusted. `link`: the inode of its own name, where that is a symlink; then the target counts, and its folder. */
  file(path: string, stats: BigIntStats, link: BigIntStats | null): Complaint | null;
  /** What was found of folders holds no longer. */
  renew(): void;
}

export interface Complaint {
  readonly message: string;
  readonly hint: string;
}

/** inode(7) */
const STICKY = 0o1000;
const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;

/**
 * Whom a process trusts with its vassal files: root, its own user, and whoever can write its program, who can do all that it can as it is. Of what a
 * package manager has installed that is root; of a checkout it is the owner of the checkout.
 * @param program a file of the program that runs
 */
export function trustedBy(program: string): Trusted {
  const { uid, gid, mode } = statSync(program);
  return {
    uids: new Set([0, process.geteuid?.() ?? uid, uid]),
    gids: new Set((mode & WRITABLE_BY_GROUP) === 0 ? [] : [gid]),
    everybody: (mode & WRITABLE_BY_ALL) !== 0,
  };
}

/** A trust that has looked at nothing yet. */
export function openTrust(trusted: Trusted): Trust {
  const known = new Map<string, Complaint | null>();

  /** @param among the entries of a sticky folder are safe from all but their owners */
  function inode(path: string, { uid, gid, mode }: { readonly uid: number | bigint; readonly gid: number | bigint; readonly mode: number | bigint }, among: boolean): Complaint | null {
    const bits = Number(mode);
    if (!trusted.uids.has(Number(uid))) return { message: `${path} belongs to uid ${uid}`, hint: `chown root ${path}, or run with --allow-writable` };
    if (among && (bits & STICKY) !== 0) return null;
    const open = (bits & WRITABLE_BY_ALL) !== 0 || ((bits & WRITABLE_BY_GROUP) !== 0 && !trusted.gids.has(Number(gid)));
    return open ? { message: `others than root can write ${path} (mode ${(bits & 0o7777).toString(8).padStart(4, '0')})`, hint: `chmod go-w ${path}, or run with --allow-writable` } : null;
  }

  /** A folder by its real path, and all that it is in. */
  function chain(path: string, among: boolean): Complaint | null {
    const key = `${among ? 'among' : 'in'} ${path}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const complaint = (path === '/' ? null : chain(dirname(path), true)) ?? inode(path, lstatSync(path), among);
    known.set(key, complaint);
    return complaint;
  }

  /** The symlinks on the way to a path, and the folders that they are in. */
  function road(path: string): Complaint | null {
    const { signposts, end } = follow(path);
    for (const { folder, name } of signposts) {
      const at = folder === '/' ? `/${name}` : `${folder}/${name}`;
      const own = lstatSync(at, { throwIfNoEntry: false });
      const complaint = chain(folder, true) ?? (own?.isSymbolicLink() === true && !trusted.uids.has(own.uid) ? { message: `the symlink ${at} belongs to uid ${own.uid}`, hint: `chown -h root ${at}, or run with --allow-writable` } : null);
      if (complaint !== null) return complaint;
    }
    if (end.kind === 'nowhere') return null;
    return chain(end.kind === 'folder' ? end.realPath : dirname(end.realPath), false);
  }

  function folder(path: string): Complaint | null {
    const key = `to ${path}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const complaint = gone(() => road(path));
    known.set(key, complaint);
    return complaint;
  }

  return {
    folder,
    file: (path, stats, link) => gone(() => folder(dirname(path)) ?? (trusted.everybody || link === null ? null : road(path)) ?? inode(path, stats, false)),
    renew: () => known.clear(),
  };
}

/** What vanishes while it is looked at is told of by who lists the files. */
function gone(look: () => Complaint | null): Complaint | null {
  try {
    return look();
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return null;
  }
}
