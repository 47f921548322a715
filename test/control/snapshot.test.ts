import { describe, expect, it } from 'vitest';
import type { Listen } from '../../src/core/address.ts';
import type { Event } from '../../src/core/event.ts';
import type { Identity } from '../../src/control/command.ts';
import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import { eventDocument, stateWord, statusDocument } from '../../src/control/snapshot.ts';
import type { Place } from '../../src/core/state.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';

const LISTEN: Listen = { address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 511, mode: null, user: null, group: null };

const IDENTITY: Identity = { version: '0.1.0', pid: 1, startedAt: 1_600_000_000_000, kills: 'cgroup', keeps: new Set(['memory', 'files']) };

function documentOf(emperor: FakeEmperor): StatusDocument {
  const state = emperor.snapshot();
  return statusDocument(state, state.vassals.values(), IDENTITY, emperor.now(), () => ({ memoryBytes: 4096, cpuMs: 12 }));
}

function shopOf(emperor: FakeEmperor): VassalDocument {
  return documentOf(emperor).vassals.find(({ name }) => name === 'shop')!;
}

function order(verb: 'start' | 'stop' | 'pause', name = 'shop'): Event {
  return { type: 'order', verb, vassal: fileOf(name), actor: 'me' };
}

/** The vassal's state, then that of each instance. */
function words(emperor: FakeEmperor): string[] {
  const { state, instances } = shopOf(emperor);
  return [state, ...instances.map((each) => `${each.id} ${each.state}`)];
}

describe('the status document', () => {
  it('is the one of the contract', () => {
    const emperor = new FakeEmperor('dir:///v');
    emperor.list(declare('shop', { server: 'gunicorn', listen: [LISTEN] }));
    emperor.spawn('shop', 4242);
    emperor.wait(1_000);
    expect(documentOf(emperor)).toEqual({
      emperor: { version: '0.1.0', pid: 1, startedAt: '2020-09-13T12:26:40.000Z', life: 'running', sources: ['dir:///v'], kills: 'cgroup', limits: ['memory', 'files'], blind: [] },
      vassals: [{
        name: 'shop', file: '/v/shop.toml', state: 'ready', want: 'up', revision: 1, pinned: null, scale: null, scaling: null, server: 'gunicorn', listen: ['127.0.0.1:8000'],
        waitsFor: [], stage: null, unlimited: [],
        instances: [{ id: 'shop#1', pid: 4242, state: 'ready', revision: 1, generation: 1, startedAt: '2023-11-14T22:13:20.000Z', readyAt: '2023-11-14T22:13:21.000Z', adopted: false, status: null, memoryBytes: 4096, cpuMs: 12 }],
        restarts: 0, nextStartAt: null, failure: null, uwsgi: null,
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

  it('tells what someone has to connect to first', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { onDemand: true, listen: [LISTEN, { ...LISTEN, address: { kind: 'unix', path: '/run/shop.sock' } }] }));
    expect(words(emperor)).toEqual(['idle']);
    expect(shopOf(emperor)).toMatchObject({ revision: 1, listen: ['127.0.0.1:8000', 'unix:/run/shop.sock'] });
    emperor.play({ type: 'knocked', vassal: fileOf('shop') });
    emperor.rise('shop');
    emperor.play({ type: 'unused', vassal: fileOf('shop') });
    expect(words(emperor)).toEqual(['stopping', 'shop#1 stopping']);
  });

  it('tells what a vassal waits for, and calls a circle invalid', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('db'), declare('shop', { after: ['db'] }));
    expect(shopOf(emperor)).toMatchObject({ state: 'waiting', waitsFor: ['db'] });
    emperor.rise('db');
    expect(shopOf(emperor)).toMatchObject({ state: 'starting', waitsFor: [] });
    const circle = new FakeEmperor();
    circle.list(declare('db', { after: ['shop'] }), declare('shop', { after: ['db'] }));
    expect(shopOf(circle)).toMatchObject({ state: 'invalid', waitsFor: ['db'], failure: { code: 'E_CYCLE' } });
  });

  it('tells that a vassal waits for its turn', () => {
    const emperor = new FakeEmperor();
    const ready = { kind: 'notify' } as const;
    emperor.list(declare('shop', { ready }));
    const { state } = emperor.vassal('shop')!;
    if (state.phase !== 'starting') throw new Error('it does not start');
    const [place] = state.current.places;
    const queued = { phase: 'queued', why: 'test' } as const;
    const wordWith = (...places: readonly Place[]): string => stateWord({ ...emperor.vassal('shop')!, state: { ...state, current: { ...state.current, places } } });
    expect([wordWith(queued, queued), wordWith(place!, queued)]).toEqual(['waiting', 'starting']);
  });

  it('tells a pause, which is a state of its own', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    emperor.play(order('pause'));
    expect(words(emperor)).toEqual(['stopping', 'shop#1 stopping']);
    emperor.exit('shop');
    expect(shopOf(emperor)).toMatchObject({ state: 'paused', want: 'paused', instances: [] });
  });

  it('tells how far an overlap has come', () => {
    const emperor = new FakeEmperor();
    const spec = { reload: { kind: 'overlap' }, listen: [LISTEN], canary: { share: 0.05, forMs: 10_000 } } as const;
    emperor.list(declare('shop', spec, 'one'));
    emperor.rise('shop');
    expect(shopOf(emperor).stage).toBeNull();
    emperor.list(declare('shop', spec, 'two', 2));
    expect(shopOf(emperor)).toMatchObject({ state: 'reloading', stage: 'judging', revision: 1 });
    emperor.rise('shop');
    expect(shopOf(emperor)).toMatchObject({ stage: 'canary', revision: 1 });
    emperor.wait(10_000);
    expect(shopOf(emperor)).toMatchObject({ stage: 'swapped', instances: [{ generation: 1, revision: 1, state: 'ready' }, { generation: 2, revision: 2, state: 'ready' }] });
    emperor.play({ type: 'drained', vassal: fileOf('shop'), generation: 1 });
    emperor.wait(10_000);
    expect(shopOf(emperor)).toMatchObject({ state: 'ready', stage: null, revision: 2 });
  });

  it('tells what operators asked for: another number, an older revision', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', {}, 'one'));
    emperor.rise('shop');
    emperor.list(declare('shop', {}, 'two', 2));
    const older = emperor.vassal('shop')!.good!;
    emperor.play({ type: 'order', verb: 'rollback', to: older, vassal: fileOf('shop'), actor: 'me' });
    emperor.play({ type: 'order', verb: 'scale', instances: 3, vassal: fileOf('shop'), actor: 'me' });
    expect(shopOf(emperor)).toMatchObject({ pinned: 1, scale: 3 });
    emperor.play(order('stop'));
    emperor.exit('shop');
    expect(shopOf(emperor)).toMatchObject({ state: 'stopped', pinned: 1, scale: 3, revision: 1 });
  });

  it('tells what an instance says of itself, and what it printed last when it failed', () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    const { id } = emperor.instances('shop')[0]!;
    const said = { ready: false, reloading: false, stopping: false, status: 'serving 7', watchdog: null, extendMs: null, mainPid: null } as const;
    emperor.play({ type: 'said', instance: id, said });
    expect(shopOf(emperor).instances).toMatchObject([{ id: 'shop#1', status: 'serving 7' }]);
    emperor.exit('shop');
    emperor.play({ type: 'quoted', vassal: fileOf('shop'), instance: id, lines: ['Traceback', 'boom'] });
    expect(shopOf(emperor).failure).toMatchObject({ code: 'E_EXITED', output: ['Traceback', 'boom'] });
  });

  it('tells when the earliest of several starts is due, also of one that still ends', () => {
    const emperor = new FakeEmperor();
    const backoff = { firstMs: 500, factor: 2, maxMs: 60_000, jitter: 0, resetAfterMs: 60_000 };
    emperor.list(declare('shop', { instances: 2, backoff }));
    emperor.spawn('shop');
    emperor.spawn('shop');
    emperor.exit('shop');
    emperor.ms += 100;
    emperor.exit('shop');
    expect(shopOf(emperor)).toMatchObject({ state: 'backoff', nextStartAt: '2023-11-14T22:13:20.500Z' });
    const slow = new FakeEmperor();
    slow.list(declare('shop', { backoff, ready: { kind: 'notify' }, startTimeoutMs: 1_000 }));
    slow.spawn('shop');
    slow.wait(1_000);
    expect(shopOf(slow)).toMatchObject({ state: 'reloading', nextStartAt: '2023-11-14T22:13:21.500Z', failure: { code: 'E_NOT_READY' } });
    expect(words(slow)).toEqual(['reloading', 'shop#1 stopping']);
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
