import type { Change, HistoryEntry } from '../core/history.ts';
import type { VassalId } from '../core/listing.ts';
import type { Vassal } from '../core/state.ts';
import { EmperorError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../world/clock.ts';

/** How long a change that could not be stored waits, if nothing else is to be stored meanwhile. */
const RETRY_MS = 5_000;

/** History entries that are kept while the store fails; older ones are dropped, counted and told. */
const KEPT_ENTRIES = 10_000;

/** Told when the store begins to fail, and when it works again. */
export type StoreTrouble = (trouble:
  | { readonly kind: 'failing'; readonly error: EmperorError }
  | { readonly kind: 'healed'; readonly lostEntries: number }) => void;

/** Where changes are written down. Disposed, it tries what it still owes once more, and then nothing. */
export interface Recorder extends Disposable {
  /** Never throws for what the store refuses. */
  record(change: Change): void;
}

/**
 * Writes changes down. A store that fails (full disk, read-only file system) costs nothing but the record: supervision
 * goes on, what could not be written is kept and written with the next change, or after a while.
 */
export function rememberIn(store: Store, clock: Clock, onTrouble: StoreTrouble): Recorder {
  let owed: Change | null = null;
  let lost = 0;
  let retry: (() => void) | null = null;

  function attempt(change: Change): void {
    retry?.();
    retry = null;
    try {
      store.record(change);
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      if (owed === null) onTrouble({ kind: 'failing', error });
      const excess = Math.max(0, change.history.length - KEPT_ENTRIES);
      lost += excess;
      owed = { ...change, history: change.history.slice(excess) };
      retry = clock.after(RETRY_MS, () => owed !== null && attempt(owed));
      return;
    }
    if (owed !== null) onTrouble({ kind: 'healed', lostEntries: lost });
    owed = null;
    lost = 0;
  }

  return {
    record: (change) => attempt(owed === null ? change : joined(owed, change)),
    [Symbol.dispose]() {
      if (owed !== null) attempt(owed);
      retry?.();
    },
  };
}

function joined(first: Change, second: Change): Change {
  const history: HistoryEntry[] = [...first.history, ...second.history];
  const vassals = new Map<VassalId, Vassal | null>([...first.vassals, ...second.vassals]);
  return { history, vassals };
}
