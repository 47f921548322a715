import type { BigIntStats } from 'node:fs';
import type { Owner } from '../core/basis.ts';

/** In which manner files are looked at: what an operator can choose. */
export interface Manner {
  /** Files belong to somebody, and run as that; null: it does not matter. `nofollow`: a symlink's own owner counts, not that of its target. */
  readonly tyrant: { readonly nofollow: boolean } | null;
  /** A change behind a symlink is none: only the symlink itself counts. uWSGI's `emperor-nofollow`. */
  readonly nofollow: boolean;
  /** Further ends of names of vassal files, e.g. `.conf`. */
  readonly extensions: readonly string[];
  /** Files that may be executed are programs that print what the file would say. */
  readonly magicExec: boolean;
}

export const PLAIN: Manner = { tyrant: null, nofollow: false, extensions: [], magicExec: false };

/** Whose a file is, where that matters. @param link the inode of its own name, where that is a symlink */
export function ownerIn({ tyrant }: Manner, stats: BigIntStats, link: BigIntStats | null): Owner | undefined {
  if (tyrant === null) return undefined;
  const { uid, gid } = tyrant.nofollow && link !== null ? link : stats;
  return { uid: Number(uid), gid: Number(gid) };
}

/** inode(7): somebody may execute it. */
const EXECUTABLE = 0o111n;

/** Whether a file is a program that prints what it says. */
export function isMagic({ magicExec }: Manner, stats: BigIntStats): boolean {
  return magicExec && (stats.mode & EXECUTABLE) !== 0n;
}
