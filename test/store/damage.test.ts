import { closeSync, copyFileSync, openSync, readFileSync, readdirSync, renameSync, statSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { DATABASE_FILE, openStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { changeOf, entryOf, SOME_TIME, vassalOf } from './samples.ts';

const ASIDE = 'emperor.db.damaged-2026-11-21T08-50-00Z';

/** A folder with a database of many pages, closed. */
function filledFolder(): string {
  const folder = temporaryFolder();
  using store = openQuietly(folder);
  store.record(changeOf([vassalOf('shop')], Array.from({ length: 2_000 }, () => entryOf('shop'))));
  return folder;
}

function openTold(folder: string): { readonly store: Store; readonly told: readonly string[] } {
  const told: string[] = [];
  const store = openStore(folder, { now: () => SOME_TIME, onTrouble: (code, message) => told.push(`${code}: ${message}`) });
  return { store, told };
}

function overwrite(file: string, bytes: Buffer, position: number): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

const garbage = (length: number): Buffer => Buffer.alloc(length, 'garbage!');

function run(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

describe('a damaged database', () => {
  it.each<[string, (file: string) => void, RegExp]>([
    ['bytes overwritten in the middle', (file) => overwrite(file, garbage(8_192), Math.floor(statSync(file).size / 2)), /./],
    ['its first page overwritten', (file) => overwrite(file, garbage(4_096), 0), /not a database/],
    ['its first page overwritten but for the magic', (file) => overwrite(file, garbage(4_080), 16), /not a database/],
    ['been cut in half', (file) => truncateSync(file, Math.floor(statSync(file).size / 8_192) * 4_096), /./],
    ['been cut within its first page', (file) => truncateSync(file, 700), /./],
    ['been cut to some bytes', (file) => truncateSync(file, 50), /only 50 bytes/],
    ['been emptied', (file) => truncateSync(file, 0), /only 0 bytes/],
    ['become a text', (file) => writeFileSync(file, 'this is no database\n'.repeat(1_000)), /not a database/],
    ['become a short text', (file) => writeFileSync(file, 'x'), /only 1 bytes/],
    ['lost a table', (file) => run(file, 'DROP TABLE history'), /table history/],
    ['lost an index', (file) => run(file, 'DROP INDEX history_by_name'), /index history_by_name/],
    ['got another table for one of ours', (file) => run(file, 'DROP TABLE history; CREATE TABLE history (x TEXT)'), /table history/],
  ])('that has %s is moved aside and told, and a new one begins', (_what, harm, reason) => {
    const folder = filledFolder();
    const file = join(folder, DATABASE_FILE);
    harm(file);
    const damaged = readFileSync(file);
    const { store, told } = openTold(folder);
    expect(told).toEqual([expect.stringMatching(/^E_STORE_DAMAGED: /)]);
    expect(told[0]).toMatch(reason);
    expect(told[0]).toContain(file);
    expect(told[0]).toContain(join(folder, ASIDE));
    expect(readFileSync(join(folder, ASIDE)).equals(damaged)).toBe(true);
    expect(store.load()).toEqual({ vassals: [], forgotten: [], nextSerial: 1 });
    store.record(changeOf([vassalOf('shop')]));
    store[Symbol.dispose]();
    using again = openQuietly(folder);
    expect(again.load().vassals).toHaveLength(1);
  });

  it('never takes the place of one that was moved aside before', () => {
    const folder = temporaryFolder();
    const file = join(folder, DATABASE_FILE);
    for (const content of ['first', 'second', 'third']) {
      writeFileSync(file, content);
      openTold(folder).store[Symbol.dispose]();
    }
    const kept = readdirSync(folder).filter((name) => name.includes('damaged')).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
    expect(kept).toEqual([[ASIDE, 'first'], [`${ASIDE}-2`, 'second'], [`${ASIDE}-3`, 'third']]);
  });

  it('takes its log with it', () => {
    const folder = temporaryFolder();
    const file = join(folder, DATABASE_FILE);
    writeFileSync(file, 'no database');
    writeFileSync(`${file}-wal`, 'its log');
    openTold(folder).store[Symbol.dispose]();
    expect(readFileSync(join(folder, `${ASIDE}-wal`), 'utf8')).toBe('its log');
  });

  it('is one of which only the log is left', () => {
    const folder = filledFolder();
    const file = join(folder, DATABASE_FILE);
    const store = openQuietly(folder);
    store.record(changeOf([vassalOf('blog')]));
    copyFileSync(`${file}-wal`, join(folder, 'kept'));
    store[Symbol.dispose]();
    unlinkSync(file);
    renameSync(join(folder, 'kept'), `${file}-wal`);
    const { store: begun, told } = openTold(folder);
    expect(told).toEqual([expect.stringMatching(/write-ahead log/)]);
    expect(statSync(join(folder, `${ASIDE}-wal`)).size).toBeGreaterThan(0);
    begun[Symbol.dispose]();
  });

  it('is not one whose last writer was killed: what was written is there', () => {
    const folder = filledFolder();
    const store = openQuietly(folder);
    store.record(changeOf([vassalOf('blog')]));
    const left = temporaryFolder();
    for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(left, name));
    store[Symbol.dispose]();
    expect(readdirSync(left)).toContain('emperor.db-wal');
    using again = openQuietly(left);
    expect(again.load().vassals.map(({ name }) => name)).toEqual(['blog', 'shop']);
  });

  it('is not one whose last transaction was cut short and has to be undone', () => {
    const folder = filledFolder();
    const database = new Database(join(folder, DATABASE_FILE));
    database.pragma('journal_mode = DELETE');
    database.pragma('cache_size = 1');
    database.exec("BEGIN; UPDATE history SET why = 'half done'");
    const left = temporaryFolder();
    for (const name of [DATABASE_FILE, `${DATABASE_FILE}-journal`]) copyFileSync(join(folder, name), join(left, name));
    database.close();
    using again = openQuietly(left);
    const told = new Set(again.history({ name: null, limit: 10_000, after: null }).map(({ why }) => why));
    expect([...told]).toEqual(['its file was touched']);
  });
});
