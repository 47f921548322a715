import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { FSWatcher } from 'chokidar';
import { reasonOf, errnoOf } from '../errors.ts';
import type { Clock } from '../world/clock.ts';
import { identityOf } from './glance.ts';
import type { FolderWatch, Hint, Hints } from './hints.ts';

/**
 * Only the raw events of chokidar are wanted: they come at once and carry a name. So it is kept from reading the folder
 * (0.3 s for 10,000 files), and from following up the events (30 µs for each).
 */
class FolderWatcher extends FSWatcher {
  private opened = false;

  constructor(folder: string) {
    super({ ignored: (path) => path !== folder, depth: 0, atomic: false, backend: 'native' });
    this.once('ready', () => {
      this.opened = true;
    });
  }

  override createScanStream(): undefined {
    return undefined;
  }

  override isUnwatched(): boolean {
    return this.opened;
  }
}

interface Folder {
  readonly path: string;
  readonly listeners: Set<(hint: Hint) => void>;
  watcher: FSWatcher | null;
  /** The inode that is watched; null: none, or one that was moved or deleted. */
  identity: string | null;
  /** Counts the watchers that this folder has had. */
  generation: number;
  /** What is being opened or closed. */
  work: Promise<void>;
  /** What was told as trouble last. */
  trouble: string | null;
}

/**
 * Hints from inotify(7), through chokidar. A folder that several want is watched once.
 * @param onTrouble told, for people, when a folder cannot be watched, as when inotify's limits are reached
 */
export function openChokidarHints(clock: Clock, onTrouble: (message: string) => void): Hints {
  const folders = new Map<string, Folder>();
  const most = queueLimit() / 2;
  let inThisTurn = 0;

  function count(): void {
    if (inThisTurn === 0) {
      clock.soon(() => {
        // The queue in the kernel was as good as full, and it does not say what it dropped.
        if (inThisTurn > most) for (const folder of folders.values()) tell(folder, { kind: 'entry', name: null });
        inThisTurn = 0;
      });
    }
    inThisTurn += 1;
  }

  function open(folder: Folder): Promise<void> {
    return new Promise((resolve) => {
      const watcher = new FolderWatcher(folder.path);
      folder.watcher = watcher;
      folder.generation += 1;
      watcher.on('raw', (event, name, details) => {
        count();
        const kind = event === 'change' ? 'content' : 'entry';
        // Where the folder is gone, chokidar waits for it and tells of the folders above.
        const elsewhere = watchedPath(details) !== folder.path;
        // The kernel tells of the folder itself without a name, and libuv puts in its own.
        const self = name === basename(folder.path);
        if (self && kind === 'entry') folder.identity = null;
        if (!elsewhere && typeof name === 'string') tell(folder, { kind, name });
        if (elsewhere || self || typeof name !== 'string') tell(folder, { kind, name: null });
      });
      watcher.on('error', (error) => {
        folder.identity = null;
        troubled(folder, errnoOf(error) === '' ? reasonOf(error) : errnoOf(error));
      });
      watcher.once('ready', resolve);
      watcher.add(folder.path);
    });
  }

  function troubled(folder: Folder, reason: string): void {
    if (folder.trouble === reason) return;
    folder.trouble = reason;
    const advice = reason === 'ENOSPC' ? ' (raise fs.inotify.max_user_watches)' : reason === 'EMFILE' ? ' (raise fs.inotify.max_user_instances)' : '';
    onTrouble(`cannot watch ${folder.path}: ${reason}${advice}; it is looked at every few seconds instead`);
  }

  async function renew(folder: Folder): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      const identity = identityAt(folder.path);
      if (identity !== null && identity === folder.identity) return;
      await folder.watcher?.close();
      folder.watcher = null;
      folder.identity = null;
      if (identity === null || folder.listeners.size === 0) return;
      // chokidar takes a backslash for a separator and would watch something else.
      if (folder.path.includes('\\')) return troubled(folder, 'its path has a backslash');
      folder.identity = identity;
      await open(folder);
      if (folder.identity === null && folder.trouble !== null) return;
    }
  }

  async function close(folder: Folder): Promise<void> {
    folder.listeners.clear();
    folders.delete(folder.path);
    await folder.watcher?.close();
    folder.watcher = null;
    folder.identity = null;
  }

  return {
    watch(path, onHint): FolderWatch {
      const folder = folders.get(path) ?? { path, listeners: new Set(), watcher: null, identity: null, generation: 0, work: Promise.resolve(), trouble: null };
      folders.set(path, folder);
      const listener = (hint: Hint): void => onHint(hint);
      folder.listeners.add(listener);
      let generation = 0;
      return {
        async renew() {
          folder.work = folder.work.then(() => renew(folder));
          await folder.work;
          if (folder.identity === null) return 'none';
          folder.trouble = null;
          const fresh = generation !== folder.generation;
          generation = folder.generation;
          return fresh ? 'fresh' : 'same';
        },
        [Symbol.dispose]() {
          folder.listeners.delete(listener);
          if (folder.listeners.size === 0) folder.work = folder.work.then(() => (folder.listeners.size === 0 ? close(folder) : undefined));
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...folders.values()].map(async (folder) => {
        await folder.work;
        await close(folder);
      }));
    },
  };
}

function tell(folder: Folder, hint: Hint): void {
  for (const listener of folder.listeners) listener(hint);
}

function watchedPath(details: unknown): unknown {
  return typeof details === 'object' && details !== null && 'watchedPath' in details ? details.watchedPath : null;
}

function identityAt(folder: string): string | null {
  try {
    const stats = statSync(folder, { bigint: true });
    return stats.isDirectory() ? identityOf(stats) : null;
  } catch (error) {
    // Whatever it is, there is nothing that could be watched, and the next look tells why.
    if (errnoOf(error) === '') throw error;
    return null;
  }
}

/** Events that the kernel keeps for us before it drops some: inotify(7). */
function queueLimit(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || 16_384;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return 16_384;
  }
}
