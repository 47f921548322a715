import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/core/history.ts';
import type { Instance, Vassal, VassalState, Want } from '../../src/core/state.ts';
import type { Store, StoredVassal } from '../../src/store/store.ts';
import { specOf } from '../fakes/declaration.ts';
import {
  changeOf, entryOf, failureOf, forgetting, generationOf, idOf, instanceOf, leaverOf, proofOf, readyWith, reloadingWith, revisionOf, SOME_TIME, vassalOf,
} from '../store/samples.ts';

/** A kind of store, and what the suite has to do to it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens what it left behind, as the next emperor does. */
  reopen(): Store;
  /** From now on nothing can be written. */
  breakDisk(): void;
  mendDisk(): void;
  end(): void;
}

/** What every store has to keep. `now`, wall ms, is {@link SOME_TIME} for all of it. */
export function storeContract(kind: string, make: () => StoreUnderTest): void {
  describe(`${kind} keeps the contract of a store`, () => {
    let tested: StoreUnderTest;
    beforeEach(() => {
      tested = make();
    });
    afterEach(() => tested.end());

    it('remembers nothing at first, and counts serials from 1', () => {
      expect(tested.store.load()).toEqual({ vassals: [], forgotten: [], nextSerial: 1 });
      expect(tested.store.history({ name: null, limit: 10, after: null })).toEqual([]);
      expect(tested.store.revisions(idOf('shop'))).toEqual([]);
    });

    it('remembers a ready vassal with its revisions and its instance', () => {
      const instance = instanceOf('shop', 7, { generation: 4, readyMs: 20, readyAt: SOME_TIME + 900 });
      tested.store.record(changeOf([vassalOf('shop')]));
      tested.store.record(changeOf([vassalOf('shop', {
        newest: revisionOf(2, 'broken', false), good: instance.runs, stamp: 'stamp 2', restarts: 3, state: readyWith(instance),
      })]));
      expect(tested.reopen().load()).toEqual({
        vassals: [{
          id: '/v/shop.toml', name: 'shop', source: 'dir:///v', stamp: 'stamp 2', want: 'up', restarts: 3,
          scale: null, pinned: null, rejected: false, failure: null, exited: null,
          newest: { number: 2, hash: 'hash of broken' },
          good: { number: 1, text: 'text 1' },
          instances: [{
            id: 'shop#7', serial: 7, generation: 4, revision: { number: 1, text: 'text 1' }, process: proofOf(7),
            bornAt: SOME_TIME, readyAt: SOME_TIME + 900, leaving: false, draining: false,
          }],
        }],
        forgotten: [],
        nextSerial: 8,
      });
    });

    it.each<Want>(['down', 'paused'])('remembers that an operator wants a vassal to be %s, until it is started', (want) => {
      tested.store.record(changeOf([vassalOf('shop', { want })]));
      expect(tested.reopen().load().vassals[0]?.want).toBe(want);
      tested.store.record(changeOf([vassalOf('shop', { want: 'up' })]));
      expect(tested.store.load().vassals[0]?.want).toBe('up');
    });

    it.each<[keyof StoredVassal, Partial<Vassal>, unknown]>([
      ['scale', { scale: 4 }, 4],
      ['rejected', { rejected: true }, true],
      ['failure', { failure: failureOf() }, failureOf()],
      ['failure', { failure: failureOf({ instance: null, output: [], message: 'a\nb' }) }, failureOf({ instance: null, output: [], message: 'a\nb' })],
      ['pinned', { pinned: { number: 1, spec: specOf() } }, { number: 1, text: 'text 1' }],
      ['exited', { state: { phase: 'exited', status: { kind: 'exited', code: 3 } } }, { kind: 'exited', code: 3 }],
      ['exited', { state: { phase: 'exited', status: { kind: 'killed', signal: 'SIGSEGV' } } }, { kind: 'killed', signal: 'SIGSEGV' }],
      ['exited', { state: { phase: 'exited', status: { kind: 'unknown' } } }, { kind: 'unknown' }],
    ])('remembers %s of a vassal, for as long as it has it: %j', (key, changes, remembered) => {
      const without = vassalOf('shop');
      tested.store.record(changeOf([without]));
      const before = tested.store.load().vassals[0]?.[key];
      tested.store.record(changeOf([vassalOf('shop', changes)]));
      expect(tested.reopen().load().vassals[0]?.[key]).toEqual(remembered);
      tested.store.record(changeOf([without]));
      expect(tested.store.load().vassals[0]?.[key]).toEqual(before);
      expect(before).not.toEqual(remembered);
    });

    it('knows no revision to go back to whose text it never had', () => {
      tested.store.record(changeOf([vassalOf('shop', { pinned: { number: 9, spec: specOf() } })]));
      expect(tested.store.load().vassals[0]?.pinned).toBeNull();
    });

    const older = instanceOf('shop', 1);
    const newer = instanceOf('shop', 2);
    it.each<[string, VassalState, readonly Instance[], readonly [string, boolean][]]>([
      ['idle', { phase: 'idle', retryMs: null }, [], []],
      ['waiting', { phase: 'waiting', cycle: null }, [], []],
      ['starting', { phase: 'starting', current: generationOf([newer], 'starting') }, [], [['shop#2', false]]],
      ['ready with two instances', readyWith(older, newer), [], [['shop#2', false], ['shop#1', false]]],
      ['ready while an old one leaves', readyWith(newer), [older], [['shop#2', false], ['shop#1', true]]],
      ['refreshing', { phase: 'refreshing', current: generationOf([newer]), again: false }, [], [['shop#2', false]]],
      ['reloading', reloadingWith(older, newer), [], [['shop#2', false], ['shop#1', false]]],
      ['stopping', { phase: 'stopping', why: 'stop', resumeMs: 0 }, [newer], [['shop#2', true]]],
      ['backoff', { phase: 'backoff', current: { ...generationOf([newer]), places: [{ phase: 'backoff', untilMs: 1 }, { phase: 'queued', why: '' }] } }, [], []],
      ['paused', { phase: 'paused' }, [], []],
      ['stopped', { phase: 'stopped' }, [], []],
      ['exited', { phase: 'exited', status: { kind: 'exited', code: 0 } }, [], []],
      ['invalid', { phase: 'invalid' }, [], []],
    ])('remembers the instances of a vassal that is %s, newest first, and which were told to die', (_phase, state, leaving, instances) => {
      tested.store.record(changeOf([vassalOf('shop', { state, leaving: leaving.map(leaverOf) })]));
      const [vassal] = tested.reopen().load().vassals;
      expect(vassal?.instances.map(({ id, leaving: told }) => [id, told])).toEqual(instances);
    });

    it('follows an instance that is told to die', () => {
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(newer) })]));
      tested.store.record(changeOf([vassalOf('shop', { state: { phase: 'stopping', why: 'stop', resumeMs: 0 }, leaving: [leaverOf(newer)] })]));
      expect(tested.store.load().vassals[0]?.instances).toMatchObject([{ id: 'shop#2', leaving: true, draining: false }]);
    });

    it('tells one that serves first who waits for it from one that was told to die', () => {
      const stopping = { phase: 'stopping', why: 'stop', resumeMs: 0 } as const;
      tested.store.record(changeOf([vassalOf('shop', { state: stopping, leaving: [{ ...leaverOf(newer), stage: 'draining' }] })]));
      expect(tested.store.load().vassals[0]?.instances).toMatchObject([{ id: 'shop#2', leaving: true, draining: true }]);
      tested.store.record(changeOf([vassalOf('shop', { state: stopping, leaving: [leaverOf(newer)] })]));
      expect(tested.reopen().load().vassals[0]?.instances).toMatchObject([{ id: 'shop#2', leaving: true, draining: false }]);
    });

    it('remembers an instance whose process it was never told of', () => {
      const instance = instanceOf('shop', 1, { process: null });
      tested.store.record(changeOf([vassalOf('shop', { state: { phase: 'starting', current: generationOf([instance], 'starting') } })]));
      expect(tested.reopen().load().vassals[0]?.instances).toMatchObject([{ id: 'shop#1', process: null }]);
      const spawned = instanceOf('shop', 1);
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(spawned) })]));
      expect(tested.store.load().vassals[0]?.instances).toMatchObject([{ id: 'shop#1', process: proofOf(1) }]);
    });

    it('takes an instance for ended when its vassal does not hold it any more', () => {
      tested.store.record(changeOf([vassalOf('shop', { state: reloadingWith(older, newer) })]));
      const exited = entryOf('shop', { event: 'exited', instance: older.id, status: { kind: 'exited', code: 0 } });
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(newer) })], [exited]));
      expect(tested.reopen().load().vassals[0]?.instances.map(({ id }) => id)).toEqual(['shop#2']);
      tested.store.record(changeOf([vassalOf('shop', { state: { phase: 'stopped' } })]));
      expect(tested.store.load().vassals[0]?.instances).toEqual([]);
    });

    it('keeps the text that an instance runs, when newer ones have come', () => {
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(older) })]));
      for (let number = 2; number <= 5; number += 1) {
        tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(number), state: readyWith(older) })]));
      }
      expect(tested.reopen().load().vassals[0]).toMatchObject({ newest: { number: 5 }, instances: [{ revision: { number: 1, text: 'text 1' } }] });
    });

    it('follows an instance that reloaded itself to its new revision', () => {
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(older) })]));
      const reloaded = { ...older, runs: { ...older.runs, number: 2 } };
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(2), state: readyWith(reloaded) })]));
      expect(tested.store.load().vassals[0]?.instances[0]?.revision).toEqual({ number: 2, text: 'text 2' });
    });

    it('never gives a serial twice, not even that of an instance which came and went within one change', () => {
      const launch = entryOf('shop', { event: 'launch', instance: instanceOf('shop', 41).id });
      const exited = entryOf('shop', { event: 'exited', instance: instanceOf('shop', 41).id, status: { kind: 'killed', signal: 'SIGSEGV' } });
      tested.store.record(changeOf([vassalOf('shop')], [launch, exited]));
      expect(tested.store.load().nextSerial).toBe(42);
      tested.store.record(forgetting('shop'));
      expect(tested.reopen().load().nextSerial).toBe(42);
    });

    it('numbers on from the last revision when a file comes back', () => {
      tested.store.record(changeOf([vassalOf('shop')]));
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(2) })]));
      tested.store.record(changeOf([vassalOf('shop', { newest: null })]));
      expect(tested.store.load().vassals[0]?.newest).toEqual({ number: 2, hash: 'hash of text 2' });
      tested.store.record(forgetting('shop', [entryOf('shop', { event: 'forgotten' })]));
      const memory = tested.reopen().load();
      expect(memory).toMatchObject({ vassals: [], forgotten: [{ id: '/v/shop.toml', newest: { number: 2, hash: 'hash of text 2' } }] });
      expect(tested.store.revisions(idOf('shop')).map(({ number }) => number)).toEqual([1, 2]);
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(3) })]));
      expect(tested.store.load()).toMatchObject({ vassals: [{ newest: { number: 3 } }], forgotten: [] });
      expect(tested.store.revisions(idOf('shop')).map(({ number }) => number)).toEqual([1, 2, 3]);
    });

    it('ends what ran of a vassal that is forgotten', () => {
      tested.store.record(changeOf([vassalOf('shop', { state: readyWith(older) })]));
      tested.store.record(forgetting('shop'));
      tested.store.record(changeOf([vassalOf('shop')]));
      expect(tested.store.load().vassals[0]?.instances).toEqual([]);
    });

    it('lets a vassal that was never written be forgotten', () => {
      tested.store.record(forgetting('ghost', [entryOf('ghost', { event: 'launch', instance: instanceOf('ghost', 3).id })]));
      expect(tested.store.load()).toEqual({ vassals: [], forgotten: [], nextSerial: 4 });
    });

    it('tells the revisions with their texts, oldest first, and whether they could run', () => {
      const text = 'naïve ☃ \u{1F451}\n\ttabs "quotes" \'and\' %n';
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(1, text, false) })]));
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(2, '') })]));
      expect(tested.reopen().revisions(idOf('shop'))).toEqual([
        { number: 1, hash: `hash of ${text}`, text, at: SOME_TIME, runnable: false },
        { number: 2, hash: 'hash of ', text: '', at: SOME_TIME, runnable: true },
      ]);
    });

    it('takes a text for runnable once its host has what it lacked', () => {
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(1, 'same', false) })]));
      tested.store.record(changeOf([vassalOf('shop', { newest: revisionOf(1, 'same', true) })]));
      expect(tested.store.revisions(idOf('shop'))).toMatchObject([{ number: 1, runnable: true }]);
    });

    const entries: readonly HistoryEntry[] = [
      entryOf('shop', { event: 'launch', instance: instanceOf('shop', 1).id, to: 'starting', actor: 'root' }),
      entryOf('blog', { event: 'exited', instance: instanceOf('blog', 2).id, pid: 99, status: { kind: 'exited', code: 3 } }),
      entryOf('shop', { event: 'exited', instance: instanceOf('shop', 1).id, pid: 98, status: { kind: 'killed', signal: 'SIGKILL' } }),
      { ...entryOf('shop', { event: 'blind', why: 'gone' }), vassal: null, name: null, revision: null, from: null },
      entryOf('shop', { event: 'exited', instance: instanceOf('shop', 3).id, status: { kind: 'unknown' }, to: 'backoff' }),
    ];

    it('gives history entries back as they were written, numbered upwards', () => {
      tested.store.record(changeOf([vassalOf('shop'), vassalOf('blog')], entries));
      const found = tested.reopen().history({ name: null, limit: 100, after: null });
      expect(found).toEqual(entries.map((entry, index) => ({ ...entry, sequence: index + 1 })));
    });

    it.each([
      ['the last of all', { name: null, limit: 2, after: null }, [4, 5]],
      ['all that there are', { name: null, limit: 1_000, after: null }, [1, 2, 3, 4, 5]],
      ['the last of one vassal', { name: 'shop', limit: 2, after: null }, [3, 5]],
      ['those after an entry', { name: null, limit: 2, after: 2 }, [3, 4]],
      ['those of one vassal after an entry', { name: 'shop', limit: 10, after: 1 }, [3, 5]],
      ['none', { name: null, limit: 0, after: null }, []],
      ['none of a stranger', { name: 'nobody', limit: 10, after: null }, []],
      ['none after the last', { name: null, limit: 10, after: 5 }, []],
    ])('finds in the history %s', (_what, query, sequences) => {
      tested.store.record(changeOf([vassalOf('shop')], entries.slice(0, 3)));
      tested.store.record(changeOf([], entries.slice(3)));
      expect(tested.store.history(query).map(({ sequence }) => sequence)).toEqual(sequences);
    });

    it('says E_STORE while it cannot write, writes nothing by halves, and works again afterwards', () => {
      tested.store.record(changeOf([vassalOf('shop')], entries.slice(0, 1)));
      const change = changeOf([vassalOf('shop', { newest: revisionOf(2) }), vassalOf('blog')], entries.slice(1));
      tested.breakDisk();
      for (let attempt = 0; attempt < 2; attempt += 1) {
        expect(() => tested.store.record(change)).toThrow(expect.objectContaining({ name: 'EmperorError', code: 'E_STORE' }));
      }
      tested.mendDisk();
      expect(tested.store.load().vassals.map(({ name }) => name)).toEqual(['shop']);
      expect(tested.store.history({ name: null, limit: 100, after: null })).toHaveLength(1);
      tested.store.record(change);
      const store = tested.reopen();
      expect(store.load().vassals.map(({ name }) => name)).toEqual(['blog', 'shop']);
      expect(store.history({ name: null, limit: 100, after: null }).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(store.revisions(idOf('shop')).map(({ number }) => number)).toEqual([1, 2]);
    });
  });
}
