import type Database from 'better-sqlite3';
import type { Change } from '../core/history.ts';
import { living } from '../core/lifecycle.ts';
import type { VassalId } from '../core/listing.ts';
import type { InstanceId, Vassal } from '../core/state.ts';
import { withDatabase } from './failure.ts';
import { historyTable } from './history.ts';
import { instanceTable } from './instances.ts';
import { revisionTable } from './revisions.ts';
import type { Store } from './store.ts';
import { sameRow, vassalTable } from './vassals.ts';

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
  /** Each vassal as it was written last: only what differs from that is written. */
  const written = new Map<VassalId, Vassal>();
  let entriesToPruning = 0;

  // Vassals come first: pruning revisions looks at them. Ends come after the instances; what is still open then has ended unseen.
  const write = database.transaction((change: Change, at: number) => {
    for (const [id, vassal] of change.vassals) {
      if (vassal === null) {
        vassals.forget(id, at);
        continue;
      }
      const before = written.get(id) ?? null;
      if (before === null || !sameRow(before, vassal)) vassals.write(vassal);
      instances.write(vassal, before);
      if (vassal.newest !== null && vassal.newest !== before?.newest) revisions.write(id, vassal.newest, at);
    }
    const alive = new Set([...change.vassals.values()].flatMap((vassal) => (vassal === null ? [] : living(vassal).map(({ id }) => id))));
    for (const entry of change.history) history.append(entry);
    writeEnds(change, alive, at);
    if (entriesToPruning > 0) return;
    history.prune(at - KEPT_MS);
    vassals.prune(at - KEPT_MS);
    instances.prune();
  });

  /** The vassals are the truth about their instances: one that its vassal does not hold any more has ended. */
  function writeEnds({ vassals: changed, history: entries }: Change, alive: ReadonlySet<InstanceId>, at: number): void {
    const gone = new Set([...changed.keys()].flatMap((id) => livingBefore(id).filter((instance) => !alive.has(instance))));
    for (const entry of entries) {
      const { instance, vassal } = entry;
      if (instance === null || alive.has(instance)) continue;
      if (!gone.has(instance)) instances.mention(entry, instance);
      if (entry.event === 'exited') {
        instances.end(instance, entry.at, entry.status ?? { kind: 'unknown' });
        gone.delete(instance);
      } else if (vassal !== null && changed.has(vassal)) {
        gone.add(instance);
      }
    }
    for (const instance of gone) instances.end(instance, at, { kind: 'unknown' });
    // What an earlier emperor left open: only a vassal that was not written yet in this life can have some.
    const strange = [...changed.keys()].filter((id) => !written.has(id));
    if (strange.length > 0) instances.endOthers(strange, alive, at);
  }

  function livingBefore(id: VassalId): readonly InstanceId[] {
    const before = written.get(id);
    return before === undefined ? [] : living(before).map((instance) => instance.id);
  }

  function record(change: Change): void {
    write.immediate(change, now());
    entriesToPruning = (entriesToPruning > 0 ? entriesToPruning : ENTRIES_BETWEEN_PRUNINGS) - change.history.length;
    for (const [id, vassal] of change.vassals) {
      if (vassal === null) written.delete(id);
      else written.set(id, vassal);
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
