import Database from 'better-sqlite3';
import { EmperorError } from '../errors.ts';

/**
 * Runs work on the database; what SQLite or the operating system refuses (full disk, lock, damage …) becomes an operational
 * error. Anything else is a bug and passes.
 *
 * @param action what is being done, to be read after "cannot"
 * @throws EmperorError E_STORE
 */
export function withDatabase<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = refusal(error);
    if (reason === null) throw error;
    throw new EmperorError('E_STORE', `cannot ${action}: ${reason}`, { cause: error });
  }
}

function refusal(error: unknown): string | null {
  if (error instanceof Database.SqliteError) return `${error.message} (${error.code})`;
  return error instanceof Error && 'syscall' in error ? error.message : null;
}

/** True if the file itself is at fault: its bytes make no sense. Codes: sqlite.org/rescode.html */
export function tellsDamage(error: unknown): error is Error {
  return error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB');
}
