import type Database from 'better-sqlite3';
import { first } from './migrations/001-first.ts';
import { generations } from './migrations/002-generations.ts';
import { basis } from './migrations/003-basis.ts';
import { draining } from './migrations/004-draining.ts';

/** What leads from each version of the schema to the next. A migration that was released is never edited: add one. */
const MIGRATIONS: readonly string[] = [first, generations, basis, draining];

/** The version of the schema that this program writes; kept in the database as `user_version`. */
export const LATEST_VERSION: number = MIGRATIONS.length;

/** Brings a database to a version of the schema, the latest by default. Each migration is one transaction, with its number. */
export function migrate(database: Database.Database, to: number = LATEST_VERSION): void {
  for (const [index, sql] of MIGRATIONS.entries()) {
    const version = index + 1;
    if (version <= versionOf(database) || version > to) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${version}`);
    }).immediate();
  }
}

/** The version of the schema of a database; 0: nothing was ever written. */
export function versionOf(database: Database.Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/** The tables and indexes of a database, as they were made: one line each, sorted. */
export function schemaOf(database: Database.Database): readonly string[] {
  return database
    .prepare<[], string>("SELECT type || ' ' || name || ': ' || sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
    .pluck()
    .all();
}
