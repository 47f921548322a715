import type { Hint, Hints } from '../../src/monitors/hints.ts';

/** Hints that a test gives by hand; without any it is a network file system. */
export class HandHints implements Hints {
  /** How the next {@link FolderWatch.renew} of a watch that has not been renewed yet ends. */
  watchable = true;
  private readonly listeners = new Map<string, Set<(hint: Hint) => void>>();

  /** The folders that are watched. */
  get folders(): readonly string[] {
    return [...this.listeners.keys()].toSorted();
  }

  watch(folder: string, onHint: (hint: Hint) => void): ReturnType<Hints['watch']> {
    const listeners = this.listeners.get(folder) ?? new Set();
    this.listeners.set(folder, listeners.add(onHint));
    let renewed = false;
    return {
      renew: () => {
        const outcome = renewed ? 'same' : this.watchable ? 'fresh' : 'none';
        renewed ||= this.watchable;
        return Promise.resolve(outcome);
      },
      [Symbol.dispose]: () => {
        listeners.delete(onHint);
        if (listeners.size === 0) this.listeners.delete(folder);
      },
    };
  }

  /** Tells those that watch the folder. */
  tell(folder: string, hint: Hint): void {
    for (const listener of this.listeners.get(folder) ?? []) listener(hint);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.listeners.clear();
    return Promise.resolve();
  }
}
