import type Database from 'better-sqlite3';
import type { HistoryEntry, HistoryEvent } from '../core/history.ts';
import type { VassalId } from '../core/listing.ts';
import type { InstanceId, Phase } from '../core/state.ts';
import { exitColumns, exitStatus, integer, orNull, text } from './columns.ts';
import type { HistoryQuery, StoredEntry } from './store.ts';

/** Entries kept: some 20 MB, a year of a quiet host, hours of a host where everything dies all the time. */
export const ENTRIES_KEPT = 100_000;

/** Entries dropped at one time, at most: the emperor waits for it (some ms), and twice as many as come in between is enough. */
const PRUNED_AT_ONCE = 2_000;

/** The table of history entries: one statement, one function. */
export interface HistoryTable {
  append(entry: HistoryEntry): void;
  find(query: HistoryQuery): readonly StoredEntry[];
  /** Drops some of the oldest entries: those that are too many, or older than that wall time. Never the newest. */
  prune(before: number): void;
}

/** Prepares the statements. */
export function historyTable(database: Database.Database): HistoryTable {
  const append = database.prepare(`
    INSERT INTO history (at, vassal, name, instance, pid, revision, event, from_phase, to_phase, why, actor, exit_kind, exit_code, exit_signal)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const last = database.prepare('SELECT * FROM (SELECT * FROM history ORDER BY sequence DESC LIMIT ?) ORDER BY sequence');
  const lastOf = database.prepare('SELECT * FROM (SELECT * FROM history WHERE name = ? ORDER BY sequence DESC LIMIT ?) ORDER BY sequence');
  const after = database.prepare('SELECT * FROM history WHERE sequence > ? ORDER BY sequence LIMIT ?');
  const afterOf = database.prepare('SELECT * FROM history WHERE name = ? AND sequence > ? ORDER BY sequence LIMIT ?');
  const prune = database.prepare(`
    DELETE FROM history WHERE sequence IN (SELECT sequence FROM history ORDER BY sequence LIMIT ${PRUNED_AT_ONCE})
      AND sequence < (SELECT max(sequence) FROM history)
      AND (at < ? OR sequence <= (SELECT max(sequence) FROM history) - ${ENTRIES_KEPT})`);

  function rows({ name, limit, after: sequence }: HistoryQuery): readonly unknown[] {
    // SQLite takes a negative limit for none.
    const atMost = Math.min(Math.max(0, limit), ENTRIES_KEPT);
    if (sequence === null) return name === null ? last.all(atMost) : lastOf.all(name, atMost);
    return name === null ? after.all(sequence, atMost) : afterOf.all(name, sequence, atMost);
  }

  return {
    append({ at, vassal, name, instance, pid, revision, event, from, to, why, actor, status }) {
      append.run(at, vassal, name, instance, pid, revision, event, from, to, why, actor, ...exitColumns(status));
    },
    find(query) {
      return rows(query).map(entryOf);
    },
    prune(before) {
      prune.run(before);
    },
  };
}

/** The words of events and phases are passed on as they were written: a later version may have used ones that this one lacks. */
function entryOf(row: unknown): StoredEntry {
  return {
    sequence: integer(row, 'sequence'),
    at: integer(row, 'at'),
    vassal: orNull(text)(row, 'vassal') as VassalId | null,
    name: orNull(text)(row, 'name'),
    instance: orNull(text)(row, 'instance') as InstanceId | null,
    pid: orNull(integer)(row, 'pid'),
    revision: orNull(integer)(row, 'revision'),
    event: text(row, 'event') as HistoryEvent,
    from: orNull(text)(row, 'from_phase') as Phase | null,
    to: orNull(text)(row, 'to_phase') as Phase | null,
    why: text(row, 'why'),
    actor: orNull(text)(row, 'actor'),
    status: exitStatus(row),
  };
}
