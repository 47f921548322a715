import { statSync } from 'node:fs';

/** Bits of a mode by which others than the owner can write: inode(7). An ACL that lets somebody write shows in the bit of the group. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Why a folder cannot be trusted with what this process keeps in it: part of a sentence, e.g. `belongs to uid 1000`; null: it belongs to this process'
 * user, and nobody else can write into it. A symlink is followed.
 * @throws the error of stat(2)
 */
export function notOwn(folder: string): string | null {
  const { uid, mode } = statSync(folder);
  const own = process.geteuid?.() ?? uid;
  if (uid !== own) return `belongs to uid ${uid}, and this is uid ${own}`;
  return (mode & WRITABLE_BY_OTHERS) === 0 ? null : `can be written by others than its owner (mode ${(mode & 0o7777).toString(8).padStart(4, '0')}; chmod go-w ${folder} mends that)`;
}
