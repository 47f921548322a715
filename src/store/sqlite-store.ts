import type Database from 'better-sqlite3';
import type { Change } from '../core/history.ts';
import { living } from '../core/lifecycle.ts';
import type { VassalId } from '../core/listing.ts';
import type { Revision } from '../core/state.ts';
import { withDatabase } from './failure.ts';
import { historyTable } from './history.ts';
import { instanceTable } from './instances.ts';
import { revisionTable } from './revisions.ts';
import type { Store } from './store.ts';
import { vassalTable } from './vassals.ts';

/** History entries, and vassals whose file is gone, are kept this long: 90 days. */
export const KEPT_MS: number = 90 * 24 * 60 * 60 * 1_000;

/** What is too old is dropped with the first change of a life, then once in so many history entries. */
const ENTRIES_BETWEEN_PRUNINGS = 1_000;

/** The store in a database of the latest version, which it then owns. `now`: wall time, ms. */
export function storeIn(database: Database.Database, now: () => number): Store {
  const vassals = vassalTable(database);
  const revisions = revisionTable(database);
  const instances = instanceTable(database);
  const history = historyTable(database);
  /** The newest revision of each vassal, if it is written already: texts are long, and seldom new. */
  const written = new Map<VassalId, Revision>();
  let entriesToPruning = 0;

  // Vassals come first: pruning revisions looks at them. Ends come after the instances; what is still open then has ended unseen.
  const write = database.transaction((change: Change, at: number) => {
    for (const [id, vassal] of change.vassals) {
      if (vassal === null) {
        vassals.forget(id, at);
        continue;
      }
      vassals.write(vassal);
      instances.write(vassal);
      if (vassal.newest !== null && vassal.newest !== written.get(id)) revisions.write(id, vassal.newest, at);
    }
    const alive = new Set([...change.vassals.values()].flatMap((vassal) => (vassal === null ? [] : living(vassal).map(({ id }) => id))));
    for (const entry of change.history) {
      history.append(entry);
      if (entry.instance === null || alive.has(entry.instance)) continue;
      instances.mention(entry, entry.instance);
      if (entry.event === 'exited') instances.end(entry.instance, entry.at, entry.status ?? { kind: 'unknown' });
    }
    instances.endOthers(change.vassals.keys(), alive, at);
    if (entriesToPruning > 0) return;
    history.prune(at - KEPT_MS);
    vassals.prune(at - KEPT_MS);
    instances.prune();
  });

  function record(change: Change): void {
    write.immediate(change, now());
    entriesToPruning = (entriesToPruning > 0 ? entriesToPruning : ENTRIES_BETWEEN_PRUNINGS) - change.history.length;
    for (const [id, vassal] of change.vassals) {
      if (vassal?.newest) written.set(id, vassal.newest);
      else written.delete(id);
    }
  }

  return {
    load: () => withDatabase('read what the database remembers', () => {
      const alive = instances.alive();
      return {
        vassals: vassals.remembered().map((vassal) => ({ ...vassal, instances: alive.get(vassal.id) ?? [] })),
        forgotten: vassals.forgotten(),
        nextSerial: instances.nextSerial(),
      };
    }),
    record: (change) => withDatabase('write to the database', () => record(change)),
    history: (query) => withDatabase('read the history', () => history.find(query)),
    revisions: (vassal) => withDatabase('read the revisions', () => revisions.of(vassal)),
    [Symbol.dispose]: () => withDatabase('close the database', () => database.close()),
  };
}
