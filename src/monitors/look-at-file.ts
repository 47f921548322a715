import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import type { SeenFile, VassalId } from '../core/listing.ts';
import { unreachable, errnoOf } from '../errors.ts';
import type { Leases } from '../kernel/lease.ts';
import { contentOf, faulty, type Content } from './content.ts';
import { glance, identityOf, sealOf, type Glance } from './glance.ts';
import { isMagic, ownerIn, PLAIN, type Manner } from './manner.ts';
import { follow, type Signpost } from './road.ts';
import type { Trust } from './trust.ts';
import { vassalNameOf } from './vassal-file-name.ts';

/** One look at one path. */
export type FileLook =
  /** Nothing has the name, or a folder has it. */
  | { readonly kind: 'absent' }
  /** It is being written, changes under our eyes, or we lack the means right now: to be looked at again. */
  | { readonly kind: 'busy'; readonly why: string; readonly signposts: readonly Signpost[] }
  | {
      readonly kind: 'seen';
      readonly file: SeenFile;
      /** See {@link sealOf}. */
      readonly seal: string;
      /** For a symlink: what leads it to where it leads. Empty for others. */
      readonly signposts: readonly Signpost[];
      /** How far the content can be trusted to be complete. */
      readonly state: State;
    };

export type State =
  /** There is nothing that could be half-written: no regular file, or none that can be read. */
  | { readonly kind: 'final' }
  /** A symlink that leads nowhere; its target may be on its way. */
  | { readonly kind: 'astray' }
  | {
      readonly kind: 'content';
      readonly identity: string;
      /** False: the kernel does not tell whether anybody writes. */
      readonly unwritten: boolean;
      /** It was moved here, linked, or its times were set after it was written: mtime and ctime differ. */
      readonly handed: boolean;
      readonly empty: boolean;
      /** When it last changed, by the wall clock, ms. */
      readonly changedAt: number;
    };

const MOST_BYTES = 1024 * 1024;

/** Errors that speak of the host at this moment, and not of the file. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'ESTALE', 'ETIMEDOUT', 'ENOTCONN', 'ENOENT', 'ELOOP', 'ENXIO', 'EBUSY']);

/** Errors that a symlink is to blame for. */
const ASTRAY: ReadonlySet<string> = new Set(['ELOOP', 'ENOENT', 'ENOTDIR']);

/**
 * Looks at one path and reads it. Never blocks on a FIFO, never opens a device, and never returns a content that changed while it was read.
 * @param path as the source names it; links in it are followed
 * @param known a file has been seen there before: a folder in its place is a fault then, and else is no vassal
 * @param trust a file that others can write is a fault, and is not read; null: it does not matter who can
 * @param manner what else is looked at
 */
export function lookAtFile(path: string, leases: Leases, known = false, trust: Trust | null = null, manner: Manner = PLAIN): FileLook {
  const seen = glance(path);
  const signposts = seen.kind === 'stray' || (seen.kind === 'file' && seen.link !== null) ? follow(path).signposts : [];
  const final = (stamp: string, content: Content): FileLook =>
    ({ kind: 'seen', file: seenFile(path, stamp, '', content), seal: sealOf(seen), signposts, state: { kind: 'final' } });
  switch (seen.kind) {
    case 'absent':
      return { kind: 'absent' };
    case 'folder':
      return known ? final(sealOf(seen), faulty(idOf(path), 'E_FILE_KIND', 'a folder has taken the place of the vassal file', 'put a regular file there')) : { kind: 'absent' };
    case 'failed':
      return PASSING.has(seen.errno) ? { kind: 'busy', why: seen.errno, signposts } : final(seen.errno, unreadable(path, seen.errno));
    case 'special':
      return final(mark(seen.stats), faulty(idOf(path), 'E_FILE_KIND', `${seen.what} has the name of a vassal file`, 'put a regular file there'));
    case 'stray': {
      if (!ASTRAY.has(seen.errno)) return PASSING.has(seen.errno) ? { kind: 'busy', why: seen.errno, signposts } : final(mark(seen.link), unreadable(path, seen.errno));
      const message = seen.errno === 'ELOOP' ? 'the symlink leads in a circle' : 'the symlink leads to a file that does not exist';
      const file = seenFile(path, mark(seen.link), '', faulty(idOf(path), 'E_FILE_LINK', message, 'mend or remove the symlink'));
      return { kind: 'seen', file, seal: sealOf(seen), signposts, state: { kind: 'astray' } };
    }
    case 'file':
      return read(path, seen, signposts, leases, trust, manner);
    default:
      return unreachable(seen);
  }
}

function read(path: string, seen: Glance & { kind: 'file' }, signposts: readonly Signpost[], leases: Leases, trust: Trust | null, manner: Manner): FileLook {
  const busy = (why: string): FileLook => ({ kind: 'busy', why, signposts });
  const stamp = stampOf(path, seen);
  // What is told of it is what was read of the one inode: its content, and whose it is.
  let traits: Traits = {};
  const all = (digest: string, content: Content, state: State): FileLook =>
    ({ kind: 'seen', file: { ...seenFile(path, stamp, digest, content), ...traits }, seal: sealOf(seen), signposts, state });
  let fd: number;
  try {
    // What was a regular file a moment ago may be a FIFO by now: O_NONBLOCK does not wait for its other end.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (seen.link === null ? constants.O_NOFOLLOW : 0));
  } catch (error) {
    const errno = errnoOf(error);
    return PASSING.has(errno) ? busy(errno) : all('', unreadable(path, errno), { kind: 'final' });
  }
  try {
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile() || !alike(before, seen.stats)) return busy('it is being replaced');
    const owner = ownerIn(manner, before, seen.link);
    traits = { ...(owner === undefined ? {} : { owner }), ...(isMagic(manner, before) ? { executable: true } : {}) };
    const doubt = trust?.file(path, before, seen.link, owner) ?? null;
    if (doubt !== null) return all('', faulty(idOf(path), 'E_FILE_WRITABLE', doubt.message, doubt.hint), { kind: 'final' });
    const writer = leases.writer(fd);
    if (writer === 'some') return busy('another process has it open for writing');
    const state: State = {
      kind: 'content',
      identity: identityOf(before),
      unwritten: writer === 'none',
      handed: before.mtimeNs !== before.ctimeNs,
      empty: before.size === 0n,
      changedAt: Number((before.ctimeNs > before.mtimeNs ? before.ctimeNs : before.mtimeNs) / 1_000_000n),
    };
    if (before.size > MOST_BYTES) {
      return all('', faulty(idOf(path), 'E_FILE_TOO_LARGE', `the file has ${before.size} bytes, more than 1 MiB`, 'is it a vassal file?'), state);
    }
    const bytes = readAll(fd, Number(before.size));
    if (!alike(before, fstatSync(fd, { bigint: true }))) return busy('it changes while it is read');
    return all(hash('sha256', bytes, 'hex'), contentOf(idOf(path), bytes), state);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === '') throw error;
    return PASSING.has(errno) ? busy(errno) : all('', unreadable(path, errno), { kind: 'final' });
  } finally {
    closeSync(fd);
  }
}

type Traits = Pick<SeenFile, 'owner' | 'executable'>;

/** Reads up to `size` bytes. A file that has become longer meanwhile is found out by its inode. */
function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const count = readSync(fd, bytes, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

function alike(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}

function unreadable(path: string, errno: string): Content {
  return faulty(idOf(path), 'E_FILE_UNREADABLE', `the file cannot be read: ${errno}`, errno === 'EACCES' ? 'let the user of the emperor read it, and enter the folders above it' : null);
}

/** A file that nobody has been able to look at so far, since it never holds still. */
export function unfinished(path: string, why: string): SeenFile {
  return seenFile(path, '', '', faulty(idOf(path), 'E_FILE_UNREADABLE', `the file cannot be read yet: ${why}`, null));
}

function seenFile(path: string, stamp: string, digest: string, content: Content): SeenFile {
  return { id: idOf(path), name: vassalNameOf(basename(path)), stamp, hash: digest, content };
}

/** Not ctime: a chmod is no touch. */
function mark(stats: BigIntStats): string {
  return `${stats.mtimeNs}.${stats.ino}.${stats.dev}`;
}

function stampOf(path: string, { stats, link }: Glance & { kind: 'file' }): string {
  if (link === null) return mark(stats);
  const { end } = follow(path);
  return `${mark(stats)}>${mark(link)}>${end.kind === 'nowhere' ? '' : end.realPath}`;
}

/** The border where a path becomes the identity of a vassal. */
function idOf(path: string): VassalId {
  return path as VassalId;
}
