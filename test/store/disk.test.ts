import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { storeIn } from '../../src/store/sqlite-store.ts';
import { DATABASE_FILE } from '../../src/store/sqlite.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { changeOf, entryOf, SOME_TIME, vassalOf } from './samples.ts';

const all = { name: null, limit: 1_000_000, after: null };

function program(name: string): string {
  return new URL(`programs/${name}.ts`, import.meta.url).pathname;
}

/** In a mount namespace of its own a test may fill disks; what it mounts is gone with it. */
const OWN_MOUNTS = process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount'];
const mayMount = spawnSync('unshare', [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

describe('a store on a full disk', () => {
  it('refuses what does not fit, whole, and goes on with what does', () => {
    const database = new Database(join(temporaryFolder(), DATABASE_FILE));
    database.pragma('journal_mode = WAL');
    migrate(database);
    using store = storeIn(database, () => SOME_TIME);
    store.record(changeOf([vassalOf('shop')], [entryOf('shop')]));
    database.pragma(`max_page_count = ${Number(database.pragma('page_count', { simple: true })) + 2}`);
    const large = changeOf([vassalOf('blog')], Array.from({ length: 1_000 }, () => entryOf('blog')));
    expect(() => store.record(large)).toThrow(expect.objectContaining({
      code: 'E_STORE',
      message: 'cannot write to the database: database or disk is full (SQLITE_FULL)',
      cause: expect.objectContaining({ code: 'SQLITE_FULL' }),
    }));
    store.record(changeOf([vassalOf('shop', { stamp: 'small' })], [entryOf('shop')]));
    expect(store.load().vassals).toMatchObject([{ name: 'shop', stamp: 'small' }]);
    database.pragma('max_page_count = 1000000');
    store.record(large);
    expect(store.history(all)).toHaveLength(1_002);
  });

  it.runIf(mayMount)('recovers from a file system that was really full, and says so of one that is read-only', () => {
    const output = execFileSync('unshare', [...OWN_MOUNTS, process.execPath, program('fills-the-disk'), temporaryFolder()], { encoding: 'utf8' });
    const steps: unknown[] = output.trim().split('\n').map((line) => JSON.parse(line) as unknown);
    const full = 'E_STORE: cannot write to the database: database or disk is full (SQLITE_FULL)';
    expect(steps).toEqual([
      { step: 'full', outcome: full, whole: true },
      { step: 'full, again', outcome: full, whole: true },
      { step: 'room again', outcome: 'done', whole: true },
      { step: 'read-only', outcome: expect.stringMatching(/^E_STORE: cannot (look at|open) the database/), whole: true },
    ]);
  });
});

describe('a store whose emperor is killed', () => {
  it('holds every change that was recorded, each of them whole', async () => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [program('records-forever'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    onTestFinished(() => void child.kill('SIGKILL'));
    let confirmed = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      confirmed = Number(line);
      if (confirmed === 300) child.kill('SIGKILL');
    }
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(readdirSync(folder)).toContain('emperor.db-wal');

    using store = openQuietly(folder);
    const told = store.history(all).map(({ why }) => why);
    const batches = told.length / 3;
    expect(batches).toBeGreaterThanOrEqual(confirmed);
    expect(told).toEqual(Array.from({ length: batches }, (_, index) => Array<string>(3).fill(`batch ${index + 1}`)).flat());
    expect(store.load().vassals).toMatchObject([{ name: 'shop', stamp: String(batches) }]);
  });
});
