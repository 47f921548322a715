import type Database from 'better-sqlite3';
import type { VassalId } from '../core/listing.ts';
import type { ExitStatus, Vassal } from '../core/state.ts';
import { flag, integer, oneOf, orNull, text } from './columns.ts';
import { basisIn, ending, failure } from './json-columns.ts';
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
    INSERT INTO vassals (id, name, source, stamp, want, paused, scale, pinned, rejected, failure, exited, restarts, newest, good)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      name = excluded.name, source = excluded.source, stamp = excluded.stamp, want = excluded.want, paused = excluded.paused,
      scale = excluded.scale, pinned = excluded.pinned, rejected = excluded.rejected, failure = excluded.failure, exited = excluded.exited,
      restarts = excluded.restarts, newest = coalesce(excluded.newest, newest), good = excluded.good, forgotten_at = NULL`);
  const forget = database.prepare('UPDATE vassals SET forgotten_at = ? WHERE id = ?');
  const remembered = database.prepare(`
    SELECT vassals.*, newest.hash AS newest_hash, good.text AS good_text, good.basis AS good_basis, pinned.text AS pinned_text, pinned.basis AS pinned_basis FROM vassals
    LEFT JOIN revisions AS newest ON newest.vassal = vassals.id AND newest.number = vassals.newest
    LEFT JOIN revisions AS good ON good.vassal = vassals.id AND good.number = vassals.good
    LEFT JOIN revisions AS pinned ON pinned.vassal = vassals.id AND pinned.number = vassals.pinned
    WHERE forgotten_at IS NULL ORDER BY id`);
  const forgotten = database.prepare(`
    SELECT vassals.id, vassals.newest, revisions.hash AS newest_hash FROM vassals
    JOIN revisions ON revisions.vassal = vassals.id AND revisions.number = vassals.newest
    WHERE forgotten_at IS NOT NULL ORDER BY id`);
  const prune = database.prepare('DELETE FROM vassals WHERE forgotten_at < ?');

  return {
    write(vassal) {
      const { id, name, source, stamp, want, scale, pinned, rejected, failure: told, restarts, newest, good } = vassal;
      const asked = [want === 'up' ? 'up' : 'down', want === 'paused' ? 1 : 0, scale, pinned?.number ?? null];
      write.run(id, name, source, stamp, ...asked, rejected ? 1 : 0, json(told), json(endingOf(vassal)), restarts, newest?.number ?? null, good?.number ?? null);
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
        want: flag(row, 'paused') ? 'paused' : oneOf(['up', 'down'])(row, 'want'),
        scale: orNull(integer)(row, 'scale'),
        pinned: revisionIn(row, 'pinned'),
        rejected: flag(row, 'rejected'),
        failure: failure(row, 'failure'),
        exited: ending(row, 'exited'),
        restarts: integer(row, 'restarts'),
        newest: newestOf(row),
        good: revisionIn(row, 'good'),
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

/** The number in a column, with the text of that revision in `…_text`, and its basis in `…_basis`. */
function revisionIn(row: unknown, column: 'good' | 'pinned'): StoredVassal['good'] {
  const number = orNull(integer)(row, column);
  const found = orNull(text)(row, `${column}_text`);
  return number === null || found === null ? null : { number, text: found, ...basisIn(row, `${column}_basis`) };
}

/** True if both are written alike. What is written often changes something else: a place, a deadline, a word of an instance. */
export function sameRow(a: Vassal, b: Vassal): boolean {
  return a.name === b.name && a.source === b.source && a.stamp === b.stamp && a.want === b.want && a.scale === b.scale
    && a.pinned?.number === b.pinned?.number && a.rejected === b.rejected && a.failure === b.failure && endingOf(a) === endingOf(b)
    && a.restarts === b.restarts && a.newest?.number === b.newest?.number && a.good?.number === b.good?.number;
}

function endingOf({ state }: Vassal): ExitStatus | null {
  return state.phase === 'exited' ? state.status : null;
}

function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
