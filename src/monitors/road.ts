import { errnoOf } from '../errors.ts';
import { lstatSync, readlinkSync } from 'node:fs';

/** A name in a folder (its real path) that decides where a path leads: a symlink on the way, the file itself, or what is missing. */
export interface Signpost {
  readonly folder: string;
  readonly name: string;
}

/** Where a path leads, and what to watch to learn that it leads elsewhere. */
export interface Road {
  readonly signposts: readonly Signpost[];
  readonly end:
    | { readonly kind: 'folder' | 'file'; readonly realPath: string }
    /** `errno` is that of the first step that could not be taken, at `at`. */
    | { readonly kind: 'nowhere'; readonly errno: string; readonly at: string };
}

/** path_resolution(7): so many symlinks are followed, then it is a circle. */
const MOST_LINKS = 40;

/** Walks an absolute path as the kernel does, path_resolution(7), and notes the signposts. Everything that is no folder counts as a file. */
export function follow(path: string): Road {
  const ahead = steps(path);
  const signposts: Signpost[] = [];
  let here = '';
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      here = here.slice(0, here.lastIndexOf('/'));
      continue;
    }
    const at = `${here}/${name}`;
    const signpost = { folder: here === '' ? '/' : here, name };
    try {
      const stats = lstatSync(at);
      if (stats.isDirectory()) {
        here = at;
        continue;
      }
      signposts.push(signpost);
      if (stats.isSymbolicLink()) {
        links += 1;
        if (links > MOST_LINKS) return { signposts, end: { kind: 'nowhere', errno: 'ELOOP', at } };
        const target = readlinkSync(at);
        if (target.startsWith('/')) here = '';
        ahead.push(...steps(target));
        continue;
      }
      if (ahead.length === 0) return { signposts, end: { kind: 'file', realPath: at } };
      return { signposts, end: { kind: 'nowhere', errno: 'ENOTDIR', at } };
    } catch (error) {
      const errno = errnoOf(error);
      // A folder that may not be entered opens when its own mode changes, which is told to who watches its parent.
      const closed = errno === 'EACCES' && here !== '';
      const cut = here.lastIndexOf('/');
      signposts.push(closed ? { folder: here.slice(0, cut) || '/', name: here.slice(cut + 1) } : signpost);
      return { signposts, end: { kind: 'nowhere', errno, at } };
    }
  }
  return { signposts, end: { kind: 'folder', realPath: here === '' ? '/' : here } };
}

/** The names in a path, the first one last. */
function steps(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.').toReversed();
}
