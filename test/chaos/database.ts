import Database from 'better-sqlite3';

/** What SQLite says of a database: `ok`, or what is wrong with it. Pragma integrity_check. */
export function integrityOf(path: string): string {
  const database = new Database(path, { readonly: true });
  try {
    return String(database.pragma('integrity_check', { simple: true }));
  } finally {
    database.close();
  }
}
