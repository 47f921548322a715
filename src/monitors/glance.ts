import { lstatSync, statSync, type BigIntStats } from 'node:fs';
import { unreachable, errnoOf } from '../errors.ts';

/** What the inodes tell, without opening anything. */
export type Glance =
  | { readonly kind: 'absent' }
  /** A folder, or a symlink to one. */
  | { readonly kind: 'folder'; readonly stats: BigIntStats }
  /** A regular file, or one at the end of symlinks. `link`: the inode of the name itself, where that is a symlink. */
  | { readonly kind: 'file'; readonly stats: BigIntStats; readonly link: BigIntStats | null }
  /** A FIFO, socket or device. */
  | { readonly kind: 'special'; readonly what: string; readonly stats: BigIntStats }
  /** A symlink that leads nowhere, in a circle, or where we may not go. */
  | { readonly kind: 'stray'; readonly errno: string; readonly link: BigIntStats }
  | { readonly kind: 'failed'; readonly errno: string };

/** Looks at the inodes of a path. `path` may be bytes, for names that are no text. */
export function glance(path: string | Buffer): Glance {
  try {
    const own = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (own === undefined) return { kind: 'absent' };
    if (!own.isSymbolicLink()) return sort(own, null);
    return target(path, own);
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOTDIR' || errno === 'ENOENT' || errno === 'ELOOP' ? { kind: 'absent' } : { kind: 'failed', errno };
  }
}

function target(path: string | Buffer, link: BigIntStats): Glance {
  try {
    return sort(statSync(path, { bigint: true }), link);
  } catch (error) {
    return { kind: 'stray', errno: errnoOf(error), link };
  }
}

function sort(stats: BigIntStats, link: BigIntStats | null): Glance {
  if (stats.isFile()) return { kind: 'file', stats, link };
  if (stats.isDirectory()) return { kind: 'folder', stats };
  return { kind: 'special', what: stats.isFIFO() ? 'a FIFO' : stats.isSocket() ? 'a socket' : 'a device', stats };
}

/** Names the inode, and not what is in it. */
export function identityOf(stats: BigIntStats): string {
  return `${stats.dev}.${stats.ino}`;
}

/**
 * A text that differs after anything happened to the file, be it only a chmod: while it is the same, the file need not be read.
 * It starts with the identity of the (target's) inode.
 */
export function sealOf(seen: Glance): string {
  switch (seen.kind) {
    case 'file':
      return `${facts(seen.stats)}${seen.link === null ? '' : `>${facts(seen.link)}`}`;
    case 'special':
      return facts(seen.stats);
    case 'folder':
      return `${identityOf(seen.stats)} folder`;
    case 'stray':
      return `${facts(seen.link)}!${seen.errno}`;
    case 'absent':
    case 'failed':
      return '';
    default:
      return unreachable(seen);
  }
}

function facts(stats: BigIntStats): string {
  return `${identityOf(stats)} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
