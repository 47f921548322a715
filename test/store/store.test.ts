import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { storeContract } from '../contracts/store.ts';
import { FakeStore } from '../fakes/store.ts';
import { DATABASE_FILE } from '../../src/store/sqlite.ts';
import { openQuietly } from './folder.ts';
import { SOME_TIME } from './samples.ts';

storeContract('the fake store', () => {
  const store = new FakeStore(() => SOME_TIME);
  return {
    store,
    reopen: () => store,
    breakDisk: () => {
      store.broken = true;
    },
    mendDisk: () => {
      store.broken = false;
    },
    end: () => store[Symbol.dispose](),
  };
});

storeContract('the SQLite store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-store-'));
  let store = openQuietly(folder);
  let other: Database.Database | null = null;
  return {
    get store() {
      return store;
    },
    reopen: () => {
      store[Symbol.dispose]();
      store = openQuietly(folder);
      return store;
    },
    // The simplest way to keep a database from writing: another program holds its lock.
    breakDisk: () => {
      other = new Database(join(folder, DATABASE_FILE));
      other.exec('BEGIN IMMEDIATE');
    },
    mendDisk: () => other?.close(),
    end: () => {
      other?.close();
      store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
