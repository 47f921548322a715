import type Database from 'better-sqlite3';
import type { VassalId } from '../core/listing.ts';
import type { Vassal } from '../core/state.ts';
import { integer, oneOf, orNull, text } from './columns.ts';
import type { ForgottenVassal, StoredVassal } from './store.ts';

/** The table of vassals: one statement, one function. */
export interface VassalTable {
  write(vassal: Vassal): void;
  /** Its file is gone and nothing of it runs. `at`: wall time, ms. */
  forget(vassal: VassalId, at: number): void;
  remembered(): readonly Omit<StoredVassal, 'instances'>[];
  forgotten(): readonly ForgottenVassal[];
  /** Drops vassals that were forgotten before that wall time, with their revisions. */
  prune(before: number): void;
}

/** Prepares the statements. */
export function vassalTable(database: Database.Database): VassalTable {
  // A vassal whose file is gone has no newest revision, but it must count on from the last one.
  const write = database.prepare(`
    INSERT INTO vassals (id, name, source, stamp, want, restarts, newest, good) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      name = excluded.name, source = excluded.source, stamp = excluded.stamp, want = excluded.want, restarts = excluded.restarts,
      newest = coalesce(excluded.newest, newest), good = excluded.good, forgotten_at = NULL`);
  const forget = database.prepare('UPDATE vassals SET forgotten_at = ? WHERE id = ?');
  const remembered = database.prepare(`
    SELECT vassals.*, newest.hash AS newest_hash, good.text AS good_text FROM vassals
    LEFT JOIN revisions AS newest ON newest.vassal = vassals.id AND newest.number = vassals.newest
    LEFT JOIN revisions AS good ON good.vassal = vassals.id AND good.number = vassals.good
    WHERE forgotten_at IS NULL ORDER BY id`);
  const forgotten = database.prepare(`
    SELECT vassals.id, vassals.newest, revisions.hash AS newest_hash FROM vassals
    JOIN revisions ON revisions.vassal = vassals.id AND revisions.number = vassals.newest
    WHERE forgotten_at IS NOT NULL ORDER BY id`);
  const prune = database.prepare('DELETE FROM vassals WHERE forgotten_at < ?');

  return {
    write({ id, name, source, stamp, want, restarts, newest, good }) {
      write.run(id, name, source, stamp, want, restarts, newest?.number ?? null, good?.number ?? null);
    },
    forget(vassal, at) {
      forget.run(at, vassal);
    },
    remembered() {
      return remembered.all().map((row) => ({
        id: text(row, 'id') as VassalId,
        name: text(row, 'name'),
        source: text(row, 'source'),
        stamp: text(row, 'stamp'),
        want: oneOf(['up', 'down'])(row, 'want'),
        restarts: integer(row, 'restarts'),
        newest: newestOf(row),
        good: goodOf(row),
      }));
    },
    forgotten() {
      return forgotten.all().map((row) => ({
        id: text(row, 'id') as VassalId,
        newest: { number: integer(row, 'newest'), hash: text(row, 'newest_hash') },
      }));
    },
    prune(before) {
      prune.run(before);
    },
  };
}

function newestOf(row: unknown): StoredVassal['newest'] {
  const number = orNull(integer)(row, 'newest');
  const hash = orNull(text)(row, 'newest_hash');
  return number === null || hash === null ? null : { number, hash };
}

function goodOf(row: unknown): StoredVassal['good'] {
  const number = orNull(integer)(row, 'good');
  const good = orNull(text)(row, 'good_text');
  return number === null || good === null ? null : { number, text: good };
}
