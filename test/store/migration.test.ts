import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { migrate, versionOf } from '../../src/store/migrate.ts';
import { DATABASE_FILE } from '../../src/store/sqlite.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { changeOf, failureOf, idOf, proofOf, SOME_TIME, vassalOf } from './samples.ts';

/** A state folder as an emperor of version 1 left it: one vassal that serves, one that was stopped, one that was forgotten. */
function folderOfVersion1(): string {
  const folder = temporaryFolder();
  const database = new Database(join(folder, DATABASE_FILE));
  database.pragma('journal_mode = WAL');
  migrate(database, 1);
  const { pid, startTicks, bootId } = proofOf(7);
  database.exec(`
    INSERT INTO vassals VALUES
      ('/v/shop.toml', 'shop', 'dir:///v', 'stamp 2', 'up', 3, 2, 1, NULL),
      ('/v/wiki.toml', 'wiki', 'dir:///v', 'stamp 1', 'down', 0, 1, NULL, NULL),
      ('/v/gone.toml', 'gone', 'dir:///v', 'stamp 1', 'up', 0, 1, NULL, ${SOME_TIME});
    INSERT INTO revisions VALUES
      ('/v/shop.toml', 1, 'hash 1', 'text 1', 1, ${SOME_TIME}), ('/v/shop.toml', 2, 'hash 2', 'text 2', 0, ${SOME_TIME}),
      ('/v/wiki.toml', 1, 'hash 3', 'text 3', 1, ${SOME_TIME}), ('/v/gone.toml', 1, 'hash 4', 'text 4', 1, ${SOME_TIME});
    INSERT INTO instances (serial, id, vassal, revision, pid, start_ticks, boot_id, born_at, ready_at, leaving) VALUES
      (7, 'shop#7', '/v/shop.toml', 1, ${pid}, ${startTicks}, '${bootId}', ${SOME_TIME}, ${SOME_TIME + 900}, 0);
    INSERT INTO history (at, vassal, name, instance, revision, event, from_phase, to_phase, why) VALUES
      (${SOME_TIME}, '/v/shop.toml', 'shop', 'shop#7', 1, 'ready', 'starting', 'ready', 'it is alive');`);
  database.close();
  return folder;
}

describe('a database of version 1', () => {
  it('is brought to version 3, and nothing of it is lost', () => {
    const folder = folderOfVersion1();
    const none = { scale: null, pinned: null, rejected: false, failure: null, exited: null };
    using store = openQuietly(folder);
    expect(store.load()).toEqual({
      vassals: [
        {
          id: '/v/shop.toml', name: 'shop', source: 'dir:///v', stamp: 'stamp 2', want: 'up', restarts: 3, ...none,
          newest: { number: 2, hash: 'hash 2' }, good: { number: 1, text: 'text 1' },
          instances: [{
            id: 'shop#7', serial: 7, generation: 1, revision: { number: 1, text: 'text 1' }, process: proofOf(7),
            bornAt: SOME_TIME, readyAt: SOME_TIME + 900, leaving: false, draining: false,
          }],
        },
        {
          id: '/v/wiki.toml', name: 'wiki', source: 'dir:///v', stamp: 'stamp 1', want: 'down', restarts: 0, ...none,
          newest: { number: 1, hash: 'hash 3' }, good: null, instances: [],
        },
      ],
      forgotten: [{ id: '/v/gone.toml', newest: { number: 1, hash: 'hash 4' } }],
      nextSerial: 8,
    });
    expect(store.revisions(idOf('shop')).map(({ number, runnable }) => [number, runnable])).toEqual([[1, true], [2, false]]);
    expect(store.history({ name: 'shop', limit: 10, after: null })).toMatchObject([{ sequence: 1, event: 'ready', instance: 'shop#7' }]);
  });

  it('can be written to as a new one can', () => {
    const folder = folderOfVersion1();
    const store = openQuietly(folder);
    store.record(changeOf([vassalOf('wiki', { want: 'paused', scale: 3, failure: failureOf(), rejected: true })]));
    store[Symbol.dispose]();
    using again = openQuietly(folder);
    expect(again.load().vassals.find(({ name }) => name === 'wiki')).toMatchObject({ want: 'paused', scale: 3, failure: failureOf(), rejected: true });
    const database = new Database(join(folder, DATABASE_FILE), { readonly: true });
    expect(versionOf(database)).toBe(4);
    database.close();
  });
});

describe('what a database holds in a form that this emperor does not know', () => {
  const whole = { revision: 1, code: 'E_EXITED', message: 'it exited', at: 1, instance: null, output: [] };

  it.each([
    ['failure', 'no JSON'], ['failure', '[]'], ['failure', 'null'], ['failure', '{}'], ['failure', '7'],
    ['failure', JSON.stringify({ ...whole, code: 'E_OF_TOMORROW' })], ['failure', JSON.stringify({ ...whole, at: 'noon' })], ['failure', JSON.stringify({ ...whole, revision: 1.5 })],
    ['exited', 'no JSON'], ['exited', '{"kind":"vanished"}'], ['exited', '{"kind":"exited"}'], ['exited', '{"kind":"killed","signal":9}'],
  ] as const)('is nothing in %s: %s', (column, json) => {
    const folder = temporaryFolder();
    const store = openQuietly(folder);
    store.record(changeOf([vassalOf('shop', { failure: failureOf() })]));
    store[Symbol.dispose]();
    const database = new Database(join(folder, DATABASE_FILE));
    database.prepare(`UPDATE vassals SET ${column} = ?`).run(json);
    database.close();
    using again = openQuietly(folder);
    expect(again.load().vassals).toMatchObject([{ name: 'shop', [column]: null }]);
  });

  it('is left out of a failure that can be told without it', () => {
    const folder = temporaryFolder();
    const store = openQuietly(folder);
    store.record(changeOf([vassalOf('shop')]));
    store[Symbol.dispose]();
    const database = new Database(join(folder, DATABASE_FILE));
    database.prepare('UPDATE vassals SET failure = ?').run(JSON.stringify({ ...whole, instance: 7, output: ['told', 8, null], cause: 'new' }));
    database.close();
    using again = openQuietly(folder);
    expect(again.load().vassals[0]?.failure).toEqual({ ...whole, output: ['told'] });
  });
});
