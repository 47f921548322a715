import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { migrate, schemaOf, versionOf } from '../../src/store/migrate.ts';
import { DATABASE_FILE } from '../../src/store/sqlite.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { changeOf, vassalOf } from './samples.ts';

const refusal = (message: RegExp): unknown => expect.objectContaining({ name: 'EmperorError', code: 'E_STORE', message: expect.stringMatching(message) });

describe('opening a store', () => {
  it('makes the folder and the database for their owner alone', () => {
    const folder = join(temporaryFolder(), 'var', 'emperor');
    using store = openQuietly(folder);
    store.record(changeOf([vassalOf('shop')]));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const modes = readdirSync(folder).map((file) => [file, statSync(join(folder, file)).mode & 0o777]);
    expect(modes).toEqual([['emperor.db', 0o600], ['emperor.db-shm', 0o600], ['emperor.db-wal', 0o600]]);
  });

  it('leaves one file behind when it is closed', () => {
    const folder = temporaryFolder();
    openQuietly(folder)[Symbol.dispose]();
    expect(readdirSync(folder)).toEqual([DATABASE_FILE]);
  });

  it('refuses a folder that cannot be made', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => openQuietly(join(file, 'state'))).toThrow(refusal(/^cannot make the state folder .*file\/state: ENOTDIR/));
  });

  it('refuses a database that is a folder, and leaves it alone', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, DATABASE_FILE));
    expect(() => openQuietly(folder)).toThrow(refusal(/^cannot use the database .*emperor\.db: it is no regular file/));
    expect(readdirSync(folder)).toEqual([DATABASE_FILE]);
  });

  it.each(['', '-wal', '-shm', '-journal'])('refuses a symlink in place of emperor.db%s, wherever it leads', (part) => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    openQuietly(elsewhere)[Symbol.dispose]();
    const before = readFileSync(join(elsewhere, DATABASE_FILE));
    for (const target of [join(elsewhere, DATABASE_FILE), `${DATABASE_FILE}${part}`, '/nonexistent']) {
      symlinkSync(target, join(folder, `${DATABASE_FILE}${part}`));
      expect(() => openQuietly(folder)).toThrow(refusal(/^cannot use the database .*emperor\.db: .* is a symlink, which is not followed/));
      unlinkSync(join(folder, `${DATABASE_FILE}${part}`));
    }
    expect(readFileSync(join(elsewhere, DATABASE_FILE)).equals(before)).toBe(true);
  });

  it('refuses a database that another program holds for itself', () => {
    const folder = temporaryFolder();
    openQuietly(folder)[Symbol.dispose]();
    const other = new Database(join(folder, DATABASE_FILE));
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN IMMEDIATE');
    expect(() => openQuietly(folder)).toThrow(refusal(/database is locked \(SQLITE_BUSY\)/));
    other.close();
    using store = openQuietly(folder);
    expect(store.load().vassals).toEqual([]);
  });

  it('refuses a database of a newer emperor, and touches nothing', () => {
    const folder = temporaryFolder();
    openQuietly(folder)[Symbol.dispose]();
    const file = join(folder, DATABASE_FILE);
    const newer = new Database(file);
    newer.exec('CREATE TABLE wonders (name TEXT)');
    newer.pragma('user_version = 999');
    newer.close();
    const before = readFileSync(file);
    expect(() => openQuietly(folder)).toThrow(refusal(/a newer emperor wrote it \(its version is 999, this emperor knows \d+\)/));
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('refuses the database of another program, and touches nothing', () => {
    const folder = temporaryFolder();
    const file = join(folder, DATABASE_FILE);
    const foreign = new Database(file);
    foreign.exec('CREATE TABLE songs (title TEXT)');
    foreign.close();
    const before = readFileSync(file);
    expect(() => openQuietly(folder)).toThrow(refusal(/belongs to another program/));
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual([DATABASE_FILE]);
  });

  it('takes a database in which somebody made an index of their own', () => {
    const folder = temporaryFolder();
    openQuietly(folder)[Symbol.dispose]();
    const database = new Database(join(folder, DATABASE_FILE));
    database.exec('CREATE INDEX mine ON history (event); ANALYZE');
    database.close();
    using store = openQuietly(folder);
    expect(store.load().vassals).toEqual([]);
  });
});

describe('migrating', () => {
  it('leads from nothing to the latest version, once', () => {
    const database = new Database(':memory:');
    migrate(database);
    const schema = schemaOf(database);
    expect([versionOf(database), schema.length]).toEqual([4, 6]);
    migrate(database);
    expect(schemaOf(database)).toEqual(schema);
    database.close();
  });

  // A migration that was released is never edited: databases in the field would have another schema than new ones.
  it.each([
    [1, 'aecc31bbf34ea16e1e5f71efe58d48681b323e9424c55db0dc49034f8d7da743'],
    [2, '8ba3dc4caf221f239f80291cf7e2971d3296025bc0617475a1c4137668a66145'],
  ])('makes the same schema for version %i as ever', (version, checksum) => {
    const database = new Database(':memory:');
    migrate(database, version);
    expect(createHash('sha256').update(schemaOf(database).join('\n')).digest('hex')).toBe(checksum);
    database.close();
  });

  it('leaves nothing of a migration that fails', () => {
    const database = new Database(':memory:');
    database.exec('CREATE TABLE history (mine TEXT)');
    expect(() => migrate(database)).toThrow('table history already exists');
    expect([versionOf(database), schemaOf(database)]).toEqual([0, ['table history: CREATE TABLE history (mine TEXT)']]);
    database.close();
  });
});
