import { lstatSync } from 'node:fs';
import Database from 'better-sqlite3';
import { tellsDamage } from './failure.ts';
import { LATEST_VERSION, migrate, schemaOf, versionOf } from './migrate.ts';
import { APPLICATION_ID } from './migrations/001-first.ts';

/** What was found where the database should be. */
export type Finding =
  | { readonly kind: 'absent' }
  | { readonly kind: 'sound' }
  | { readonly kind: 'damaged'; readonly reason: string }
  /** It may well be sound, but it is not for us. */
  | { readonly kind: 'strange'; readonly reason: string };

/** sqlite.org/fileformat.html, "The Database Header" */
const HEADER_BYTES = 100;

/** The files of a database: sqlite.org/tempfiles.html. */
const PARTS = ['', '-wal', '-shm', '-journal'] as const;

/** Of many faults in a damaged file, the first few say enough. */
const FAULTS_TOLD = 3;

/**
 * Looks at a database before it is used, and writes nothing into it. Throws what SQLite or the operating system throws if it
 * cannot be looked at.
 *
 * @param busyMs how long to wait for another program that holds the lock
 */
export function inspect(file: string, busyMs: number): Finding {
  // Of a missing or very short file SQLite would make a new database, and throw away what the log beside it holds.
  const link = PARTS.map((part) => `${file}${part}`).find((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink());
  if (link !== undefined) return { kind: 'strange', reason: `${link} is a symlink, which is not followed` };
  const entry = lstatSync(file, { throwIfNoEntry: false });
  if (entry === undefined) {
    const log = lstatSync(`${file}-wal`, { throwIfNoEntry: false });
    return log === undefined || log.size === 0 ? { kind: 'absent' } : { kind: 'damaged', reason: 'the file is gone, its write-ahead log is there' };
  }
  if (!entry.isFile()) return { kind: 'strange', reason: 'it is no regular file' };
  if (entry.size < HEADER_BYTES) return { kind: 'damaged', reason: `the file has only ${entry.size} bytes` };
  try {
    return lookInto(file, { readonly: true, timeout: busyMs });
  } catch (error) {
    // A transaction that was cut short has to be undone before the file can be read, and that is a write.
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_READONLY_ROLLBACK') return lookInto(file, { timeout: busyMs });
    throw error;
  }
}

function lookInto(file: string, options: Database.Options): Finding {
  const database = new Database(file, { ...options, fileMustExist: true });
  try {
    return strangeness(database) ?? damage(database) ?? { kind: 'sound' };
  } catch (error) {
    if (tellsDamage(error)) return { kind: 'damaged', reason: error.message };
    throw error;
  } finally {
    database.close();
  }
}

/** Only the header is read for this: what a newer SQLite or emperor wrote behind it may look like damage to this one. */
function strangeness(database: Database.Database): Finding | null {
  const version = versionOf(database);
  const isOurs = database.pragma('application_id', { simple: true }) === APPLICATION_ID;
  if (isOurs && version > LATEST_VERSION) {
    return { kind: 'strange', reason: `a newer emperor wrote it (its version is ${version}, this emperor knows ${LATEST_VERSION})` };
  }
  // One that has no tables yet was left by an emperor that was killed before its first transaction.
  return isOurs || schemaOf(database).length === 0 ? null : { kind: 'strange', reason: 'it belongs to another program' };
}

function damage(database: Database.Database): Finding | null {
  const faults = integrityFaults(database);
  if (faults.length > 0) return { kind: 'damaged', reason: faults.join('; ') };
  const found = schemaOf(database);
  const missing = schemaOfVersion(versionOf(database)).filter((each) => !found.includes(each));
  return missing.length === 0 ? null : { kind: 'damaged', reason: `missing or changed: ${missing.map(nameOf).join(', ')}` };
}

function integrityFaults(database: Database.Database): readonly string[] {
  const told = database.prepare<[], string>(`PRAGMA integrity_check(${FAULTS_TOLD})`).pluck().all();
  return told[0] === 'ok' ? [] : told;
}

/** The schema as our migrations make it. */
function schemaOfVersion(version: number): readonly string[] {
  const database = new Database(':memory:');
  try {
    migrate(database, version);
    return schemaOf(database);
  } finally {
    database.close();
  }
}

/** `table history: CREATE TABLE …` → `table history` */
function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'));
}
