import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type Code, EmperorError, unreachable } from '../errors.ts';
import { withDatabase } from './failure.ts';
import { inspect } from './inspect.ts';
import { migrate } from './migrate.ts';
import { setAside } from './set-aside.ts';
import { storeIn } from './sqlite-store.ts';
import type { Store } from './store.ts';

/** The database in the state folder. */
export const DATABASE_FILE = 'emperor.db';

/** How long a write waits for another program that holds the lock. The whole emperor waits with it. */
const BUSY_MS = 200;

export interface StoreOptions {
  /** Told of what the store could help itself with, but people have to know: E_STORE_DAMAGED. */
  readonly onTrouble: (code: Code, message: string) => void;
  /** Wall time, ms. */
  readonly now: () => number;
}

/**
 * Opens the database of a state folder; makes both if they are missing, the folder with mode 0700, if it is not there yet, and the
 * database with 0600 (vassal files may hold secrets). A damaged database is moved aside and a new one begun: what was remembered is lost, the
 * emperor is not.
 *
 * @param folder absolute path
 * @throws EmperorError E_STORE if it cannot be opened, or was written by a newer emperor or another program (it is not touched then)
 */
export function openStore(folder: string, options: StoreOptions): Store {
  const file = join(folder, DATABASE_FILE);
  const isNew = prepare(folder, file, options);
  return withDatabase(`open the database ${file}`, () => {
    const database = new Database(file, { timeout: BUSY_MS });
    try {
      if (isNew) chmodSync(file, 0o600);
      // WAL with NORMAL: a commit costs no fsync. A killed emperor loses nothing; a power cut may cost the last changes, and no more.
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = NORMAL');
      database.pragma('foreign_keys = ON');
      // Little is read again; 16 MB would be the default, and fill up over the weeks.
      database.pragma('cache_size = -2000');
      migrate(database);
      return storeIn(database, options.now);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Makes sure that there is a folder, and in it a database of ours or none. True: none. */
function prepare(folder: string, file: string, { onTrouble, now }: StoreOptions): boolean {
  withDatabase(`make the state folder ${folder}`, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const finding = withDatabase(`look at the database ${file}`, () => inspect(file, BUSY_MS));
  switch (finding.kind) {
    case 'absent':
      return true;
    case 'sound':
      return false;
    case 'strange':
      throw new EmperorError('E_STORE', `cannot use the database ${file}: ${finding.reason}; it was not touched, choose another state folder`);
    case 'damaged': {
      const moved = withDatabase(`move the damaged database ${file} aside`, () => setAside(file, now()));
      onTrouble('E_STORE_DAMAGED', `the database ${file} was damaged (${finding.reason}); it is now ${moved}, and a new one begins: what was remembered of vassals and instances is lost`);
      return true;
    }
    default:
      return unreachable(finding);
  }
}
