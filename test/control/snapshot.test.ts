import { describe, expect, it } from 'vitest';
import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import { eventDocument, statusDocument } from '../../src/control/snapshot.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';

const IDENTITY = { version: '0.1.0', pid: 1, startedAt: 1_600_000_000_000 };

function documentOf(emperor: FakeEmperor): StatusDocument {
  const state = emperor.snapshot();
  return statusDocument(state, state.vassals.values(), IDENTITY, emperor.now());
}

function shopOf(emperor: FakeEmperor): VassalDocument {
  return documentOf(emperor).vassals.find(({ name }) => name === 'shop')!;
}

/** The vassal's state, then that of each instance. */
function words(emperor: FakeEmperor): string[] {
  const { state, instances } = shopOf(emperor);
  return [state, ...instances.map((each) => `${each.id} ${each.state}`)];
}

describe('the status document', () => {
  it('is the one of the contract', () => {
    const emperor = new FakeEmperor('dir:///v');
    emperor.list(declare('shop', { server: 'gunicorn' }));
    emperor.spawn('shop', 4242);
    emperor.wait(1_000);
    expect(documentOf(emperor)).toEqual({
      emperor: { version: '0.1.0', pid: 1, startedAt: '2020-09-13T12:26:40.000Z', life: 'running', sources: ['dir:///v'], blind: [] },
      vassals: [{
        name: 'shop', file: '/v/shop.toml', state: 'ready', want: 'up', revision: 1, server: 'gunicorn', listen: [],
        instances: [{ id: 'shop#1', pid: 4242, state: 'ready', revision: 1, startedAt: '2023-11-14T22:13:20.000Z', readyAt: '2023-11-14T22:13:21.000Z', adopted: false }],
        restarts: 0, nextStartAt: null, failure: null,
      }],
    });
  });

  it('is sorted by name, then by file', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('wiki'), declare('shop', {}, 'a', 1, '/w'), declare('Zoo'), declare('shop'));
    expect(documentOf(emperor).vassals.map(({ file }) => file)).toEqual(['/v/Zoo.toml', '/v/shop.toml', '/w/shop.toml', '/v/wiki.toml']);
  });

  it('names sources that cannot be looked at', () => {
    const emperor = new FakeEmperor('dir:///v');
    emperor.play({ type: 'blind', source: 'dir:///v', reason: 'EACCES' });
    expect(documentOf(emperor).emperor.blind).toEqual([{ source: 'dir:///v', reason: 'EACCES', since: '2023-11-14T22:13:20.000Z' }]);
  });

  it('tells the states of a plain life', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    expect(words(emperor)).toEqual(['starting', 'shop#1 starting']);
    expect(shopOf(emperor).instances[0]).toMatchObject({ pid: null, readyAt: null });
    emperor.rise('shop');
    expect(words(emperor)).toEqual(['ready', 'shop#1 ready']);
    emperor.play({ type: 'order', verb: 'stop', vassal: fileOf('shop'), actor: 'me' });
    expect(words(emperor)).toEqual(['stopping', 'shop#1 stopping']);
    expect(shopOf(emperor).want).toBe('down');
    emperor.exit('shop');
    expect(words(emperor)).toEqual(['stopped']);
  });

  it('tells an overlap with all its instances, and the revision that serves', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { reload: { kind: 'overlap' } }, 'one'));
    emperor.rise('shop');
    emperor.list(declare('shop', { reload: { kind: 'overlap' } }, 'two', 2));
    expect(words(emperor)).toEqual(['reloading', 'shop#1 ready', 'shop#2 starting']);
    expect(shopOf(emperor).revision).toBe(1);
    emperor.rise('shop');
    expect(words(emperor)).toEqual(['ready', 'shop#2 ready', 'shop#1 stopping']);
    expect(shopOf(emperor).revision).toBe(2);
  });

  it('calls a stop that is half of a restart a reload', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { reload: { kind: 'restart' } }, 'one'));
    emperor.rise('shop');
    emperor.list(declare('shop', { reload: { kind: 'restart' } }, 'two', 2));
    expect(words(emperor)).toEqual(['reloading', 'shop#1 stopping']);
  });

  it('calls a reload by signal a reload, of an instance that serves', () => {
    const reload = { kind: 'signal', signal: 'SIGHUP' } as const;
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { reload }, 'one'));
    emperor.rise('shop');
    emperor.list(declare('shop', { reload }, 'two', 2));
    expect(words(emperor)).toEqual(['reloading', 'shop#1 ready']);
  });

  it('tells when the next start is due, by the wall clock, and why', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { backoff: { firstMs: 500, factor: 2, maxMs: 60_000, jitter: 0, resetAfterMs: 60_000 } }));
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    expect(shopOf(emperor)).toMatchObject({
      state: 'backoff', instances: [], nextStartAt: '2023-11-14T22:13:20.500Z',
      failure: { revision: 1, code: 'E_EXITED', message: expect.stringContaining('exited with code 3'), at: '2023-11-14T22:13:20.000Z' },
    });
  });

  it('shows the faults of a file of which nothing runs', () => {
    const emperor = new FakeEmperor();
    emperor.list(declareFaulty('shop'));
    expect(shopOf(emperor)).toMatchObject({ state: 'invalid', revision: 1, server: null, instances: [], failure: { revision: 1, code: 'E_KEY_UNKNOWN' } });
  });

  it('tells that the file of what still runs is gone', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    emperor.list();
    expect(shopOf(emperor)).toMatchObject({ state: 'stopping', revision: null });
  });
});

it('an event document has the time for people, and the file', () => {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  const [entry] = emperor.store.history({ name: 'shop', limit: 1, after: 0 });
  expect(eventDocument(entry!)).toEqual({
    sequence: 1, at: '2023-11-14T22:13:20.000Z', event: 'appeared', name: 'shop', file: '/v/shop.toml', instance: null, pid: null, revision: 1,
    from: 'stopped', to: null, why: 'its file was found', actor: null, status: null,
  });
});
