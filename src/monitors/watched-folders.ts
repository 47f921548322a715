import type { FolderWatch, Hint, Hints } from './hints.ts';

/** The folders that one source has an eye on; they come and go. */
export interface WatchedFolders extends Disposable {
  /**
   * Watches these folders and no others.
   * @returns the folders of which hints may have been missed until now: look at them again
   */
  keep(folders: ReadonlySet<string>): Promise<readonly string[]>;
  /** True if one of them cannot be watched, so that only looking helps. */
  deaf(): boolean;
}

/** No folders yet. Hints name the folder by its real path. */
export function watchFolders(hints: Hints, onHint: (folder: string, hint: Hint) => void): WatchedFolders {
  const watches = new Map<string, FolderWatch>();
  const unheard = new Set<string>();

  async function renew(folder: string, watch: FolderWatch): Promise<boolean> {
    const outcome = await watch.renew();
    if (watches.get(folder) !== watch) return false;
    if (outcome === 'none') unheard.add(folder);
    else unheard.delete(folder);
    return outcome === 'fresh';
  }

  function drop(folder: string, watch: FolderWatch): void {
    watches.delete(folder);
    unheard.delete(folder);
    watch[Symbol.dispose]();
  }

  return {
    async keep(folders) {
      for (const [folder, watch] of watches) if (!folders.has(folder)) drop(folder, watch);
      for (const folder of folders) {
        if (!watches.has(folder)) watches.set(folder, hints.watch(folder, (hint) => onHint(folder, hint)));
      }
      const renewed = await Promise.all([...watches].map(async ([folder, watch]) => ((await renew(folder, watch)) ? folder : null)));
      return renewed.filter((folder) => folder !== null);
    },
    deaf: () => unheard.size > 0,
    [Symbol.dispose]() {
      for (const [folder, watch] of watches) drop(folder, watch);
    },
  };
}
