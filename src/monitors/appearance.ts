import { errnoOf } from '../errors.ts';
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { identityOf } from './glance.ts';
import type { Hints } from './hints.ts';
import { follow, type Signpost } from './road.ts';
import { createSignposts } from './signposts.ts';
import { watchFolders } from './watched-folders.ts';

/** More paths than these are not watched; a PATH has about six. */
const MOST_PATHS = 32;

/**
 * Waits for what a vassal lacks on this host: calls back once when one of the paths appears, or changes in content, mode or owner.
 * While a path is missing, the nearest folder above it that exists is watched.
 * @param paths absolute; what they lead to counts, not the symlinks on the way
 * @returns ends the wait
 */
export function watchAppearance(paths: readonly string[], hints: Hints, onAppear: () => void): () => void {
  const watched = new Map(paths.slice(0, MOST_PATHS).map((path) => [path, featuresOf(path)]));
  const signposts = createSignposts();
  const folders = watchFolders(hints, (folder, { name }) => {
    if (name === null || [...signposts.at(folder, name)].length > 0) look();
  });
  let work: Promise<void> = Promise.resolve();
  let over = false;

  function look(): void {
    if (over) return;
    for (const [path, before] of watched) {
      const now = featuresOf(path);
      if (now !== null && now !== before) {
        end();
        onAppear();
        return;
      }
      watched.set(path, now);
    }
    work = work.then(follows);
  }

  /** Watches the roads as they are now. What was new may have been reached before it was watched. */
  async function follows(): Promise<void> {
    if (over) return;
    for (const path of watched.keys()) signposts.set(path, roadTo(path));
    const fresh = await folders.keep(new Set(signposts.folders()));
    if (fresh.length > 0) look();
  }

  function end(): void {
    over = true;
    folders[Symbol.dispose]();
  }

  look();
  return end;
}

function roadTo(path: string): readonly Signpost[] {
  const { signposts, end } = follow(path);
  if (end.kind !== 'folder' || end.realPath === '/') return signposts;
  return [...signposts, { folder: dirname(end.realPath), name: basename(end.realPath) }];
}

/** What a check of the path could depend on. A folder changes whenever something is put into it; that is not meant. */
function featuresOf(path: string): string | null {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return null;
    const owner = `${identityOf(stats)} ${stats.mode} ${stats.uid} ${stats.gid}`;
    return stats.isDirectory() ? owner : `${owner} ${stats.ctimeNs}`;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return null;
  }
}
