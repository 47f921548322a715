import type Database from 'better-sqlite3';
import type { HistoryEntry } from '../core/history.ts';
import { living } from '../core/lifecycle.ts';
import type { VassalId } from '../core/listing.ts';
import type { ExitStatus, Instance, InstanceId, Proof, Vassal } from '../core/state.ts';
import { basisIn } from './json-columns.ts';
import { exitColumns, flag, integer, orNull, text } from './columns.ts';
import type { StoredInstance } from './store.ts';

/** Ended instances that are kept: some days of a busy host. The history tells the same in words, for longer. */
const ENDED_KEPT = 10_000;

/** The table of instances: one statement, one function. Times: wall time, ms. */
export interface InstanceTable {
  /** Writes the instances that a vassal has now. `before`: the vassal as it was written last; what is the same is left out. null: never. */
  write(vassal: Vassal, before: Vassal | null): void;
  /** Takes note of an instance that a history entry speaks of and that no vassal may hold any more: its serial is used up. */
  mention(entry: HistoryEntry, instance: InstanceId): void;
  /** One that has ended already keeps its end. */
  end(instance: InstanceId, at: number, status: ExitStatus): void;
  /** Ends whatever these vassals had beside the instances that are alive: nobody saw how. */
  endOthers(vassals: Iterable<VassalId>, alive: ReadonlySet<InstanceId>, at: number): void;
  /** Those that have not ended, by vassal, newest first. */
  alive(): ReadonlyMap<VassalId, readonly StoredInstance[]>;
  /** Higher than any serial that was ever written. */
  nextSerial(): number;
  prune(): void;
}

/** Prepares the statements. */
export function instanceTable(database: Database.Database): InstanceTable {
  const write = database.prepare(`
    INSERT INTO instances (serial, id, vassal, revision, generation, pid, start_ticks, boot_id, born_at, ready_at, leaving, draining)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (serial) DO UPDATE SET
      id = excluded.id, vassal = excluded.vassal, revision = excluded.revision, generation = excluded.generation, pid = excluded.pid,
      start_ticks = excluded.start_ticks, boot_id = excluded.boot_id, born_at = excluded.born_at, ready_at = excluded.ready_at, leaving = excluded.leaving, draining = excluded.draining,
      ended_at = NULL, exit_kind = NULL, exit_code = NULL, exit_signal = NULL`);
  const mention = database.prepare('INSERT OR IGNORE INTO instances (serial, id, vassal, revision, born_at) VALUES (?, ?, ?, ?, ?)');
  const end = database.prepare(`
    UPDATE instances SET ended_at = ?, exit_kind = ?, exit_code = ?, exit_signal = ? WHERE serial = ? AND id = ? AND ended_at IS NULL`);
  const endOthers = database.prepare(`
    UPDATE instances SET ended_at = ?, exit_kind = 'unknown'
    WHERE vassal IN (SELECT value FROM json_each(?)) AND ended_at IS NULL AND id NOT IN (SELECT value FROM json_each(?))`);
  const alive = database.prepare(`
    SELECT instances.*, revisions.text, revisions.basis FROM instances
    LEFT JOIN revisions ON revisions.vassal = instances.vassal AND revisions.number = instances.revision
    WHERE ended_at IS NULL AND instances.vassal IS NOT NULL AND instances.revision IS NOT NULL ORDER BY serial DESC`);
  const highest = database.prepare('SELECT max(serial) AS serial FROM instances');
  const prune = database.prepare('DELETE FROM instances WHERE serial <= (SELECT max(serial) FROM instances) - ? AND ended_at IS NOT NULL');

  return {
    write(vassal, before) {
      const going = stagesOf(vassal);
      const known = new Map((before === null ? [] : living(before)).map((instance) => [instance.id, instance]));
      const goingBefore = before === null ? going : stagesOf(before);
      for (const instance of living(vassal)) {
        const { serial, id, runs, generation, process, bornAt, readyAt } = instance;
        const old = known.get(id);
        if (old !== undefined && sameRow(old, instance) && goingBefore.get(id) === going.get(id)) continue;
        const proof = [process?.pid ?? null, process?.startTicks ?? null, process?.bootId ?? null];
        write.run(serial, id, vassal.id, runs.number, generation, ...proof, bornAt, readyAt, going.has(id) ? 1 : 0, going.get(id) === 'draining' ? 1 : 0);
      }
    },
    mention({ vassal, revision, at }, instance) {
      mention.run(serialOf(instance), instance, vassal, revision, at);
    },
    end(instance, at, status) {
      end.run(at, ...exitColumns(status), serialOf(instance), instance);
    },
    endOthers(vassals, alive, at) {
      endOthers.run(at, JSON.stringify([...vassals]), JSON.stringify([...alive]));
    },
    alive() {
      const byVassal = new Map<VassalId, StoredInstance[]>();
      for (const row of alive.all()) {
        const vassal = text(row, 'vassal') as VassalId;
        byVassal.set(vassal, [...(byVassal.get(vassal) ?? []), instanceOf(row)]);
      }
      return byVassal;
    },
    nextSerial() {
      return (orNull(integer)(highest.get(), 'serial') ?? 0) + 1;
    },
    prune() {
      prune.run(ENDED_KEPT);
    },
  };
}

/** `shop#12` → 12 */
function serialOf(instance: InstanceId): number {
  return Number(instance.slice(instance.lastIndexOf('#') + 1));
}

/** How far those are that are to go, as far as that is written. */
function stagesOf({ leaving }: Vassal): ReadonlyMap<InstanceId, 'draining' | 'told'> {
  return new Map(leaving.map(({ instance, stage }) => [instance.id, stage === 'draining' ? 'draining' : 'told']));
}

/** True if both are written alike; what an instance says of itself, for one, is not. */
function sameRow(a: Instance, b: Instance): boolean {
  return a === b || (a.runs.number === b.runs.number && a.process === b.process && a.readyAt === b.readyAt);
}

function instanceOf(row: unknown): StoredInstance {
  return {
    id: text(row, 'id') as InstanceId,
    serial: integer(row, 'serial'),
    generation: integer(row, 'generation'),
    revision: { number: integer(row, 'revision'), text: orNull(text)(row, 'text') ?? '', ...basisIn(row, 'basis') },
    process: proofOf(row),
    bornAt: integer(row, 'born_at'),
    readyAt: orNull(integer)(row, 'ready_at'),
    leaving: flag(row, 'leaving'),
    draining: flag(row, 'draining'),
  };
}

function proofOf(row: unknown): Proof | null {
  const pid = orNull(integer)(row, 'pid');
  return pid === null ? null : { pid, startTicks: integer(row, 'start_ticks'), bootId: text(row, 'boot_id') };
}
