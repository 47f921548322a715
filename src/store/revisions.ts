import type Database from 'better-sqlite3';
import type { VassalId } from '../core/listing.ts';
import type { Revision } from '../core/state.ts';
import { flag, integer, text } from './columns.ts';
import { basisIn } from './json-columns.ts';
import type { StoredRevision } from './store.ts';

/** Revisions kept for each vassal: enough to roll back over months of edits, at most 100 MiB of the largest files there can be. */
export const REVISIONS_KEPT = 100;

/** The table of revisions: one statement, one function. */
export interface RevisionTable {
  /** `at`: first seen, wall time, ms. The vassal and its instances must have been written before: what they use is kept. */
  write(vassal: VassalId, revision: Revision, at: number): void;
  of(vassal: VassalId): readonly StoredRevision[];
}

/** Prepares the statements. */
export function revisionTable(database: Database.Database): RevisionTable {
  // The same text may become runnable, when the host has what it lacked. A number that is given anew is another revision.
  const write = database.prepare(`
    INSERT INTO revisions (vassal, number, hash, text, basis, runnable, at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (vassal, number) DO UPDATE SET
      hash = excluded.hash, text = excluded.text, basis = excluded.basis, runnable = excluded.runnable, at = iif(hash = excluded.hash, at, excluded.at)
    WHERE hash <> excluded.hash OR runnable <> excluded.runnable OR basis IS NOT excluded.basis`);
  const prune = database.prepare(`
    DELETE FROM revisions WHERE vassal = @vassal AND number <= @upTo
      AND number NOT IN (SELECT good FROM vassals WHERE id = @vassal AND good IS NOT NULL)
      AND number NOT IN (SELECT pinned FROM vassals WHERE id = @vassal AND pinned IS NOT NULL)
      AND number NOT IN (SELECT revision FROM instances WHERE vassal = @vassal AND ended_at IS NULL AND revision IS NOT NULL)`);
  const all = database.prepare('SELECT number, hash, text, basis, runnable, at FROM revisions WHERE vassal = ? ORDER BY number');

  return {
    write(vassal, { number, hash, text, basis, outcome }, at) {
      const { changes } = write.run(vassal, number, hash, text, basis === undefined ? null : JSON.stringify(basis), outcome.ok ? 1 : 0, at);
      if (changes > 0 && number > REVISIONS_KEPT) prune.run({ vassal, upTo: number - REVISIONS_KEPT });
    },
    of(vassal) {
      return all.all(vassal).map((row) => ({
        number: integer(row, 'number'),
        hash: text(row, 'hash'),
        text: text(row, 'text'),
        ...basisIn(row, 'basis'),
        at: integer(row, 'at'),
        runnable: flag(row, 'runnable'),
      }));
    },
  };
}
