import { expect, it } from 'vitest';
import type { Change } from '../../src/core/history.ts';
import { rememberIn } from '../../src/emperor/remember.ts';
import { HandClock } from '../fakes/clock.ts';
import { FakeStore } from '../fakes/store.ts';

function note(why: string): Change {
  const entry = { at: 0, vassal: null, name: null, instance: null, pid: null, revision: null, event: 'order', from: null, to: null, why, actor: null, status: null } as const;
  return { history: [entry], vassals: new Map() };
}

function stage(): { readonly store: FakeStore; readonly clock: HandClock; readonly troubles: unknown[]; readonly remember: (change: Change) => void; readonly end: () => void } {
  const store = new FakeStore();
  const clock = new HandClock();
  const troubles: unknown[] = [];
  const recorder = rememberIn(store, clock, (trouble) => troubles.push(trouble));
  return { store, clock, troubles, remember: (change) => recorder.record(change), end: () => recorder[Symbol.dispose]() };
}

const stored = (store: FakeStore): string[] => store.history({ name: null, limit: 100_000, after: null }).map((each) => each.why);

it('tells once that the store fails, and that it works again; nothing is lost in between', () => {
  const { store, troubles, remember } = stage();
  remember(note('1'));
  store.broken = true;
  remember(note('2'));
  remember(note('3'));
  expect(troubles).toMatchObject([{ kind: 'failing' }]);
  store.broken = false;
  remember(note('4'));
  expect(stored(store)).toEqual(['1', '2', '3', '4']);
  expect(troubles).toMatchObject([{ kind: 'failing' }, { kind: 'healed', lostEntries: 0 }]);
});

it('tries again after a while, though nothing else happens', () => {
  const { store, clock, remember } = stage();
  store.broken = true;
  remember(note('1'));
  clock.advance(5_000);
  expect(stored(store)).toEqual([]);
  store.broken = false;
  clock.advance(5_000);
  expect(stored(store)).toEqual(['1']);
  expect(clock.waiting).toBe(0);
});

it('keeps so much and no more, and counts what it drops', () => {
  const { store, troubles, remember } = stage();
  store.broken = true;
  for (let each = 0; each < 10_003; each += 1) remember(note(String(each)));
  store.broken = false;
  remember(note('last'));
  expect(stored(store)).toHaveLength(10_001);
  expect(stored(store)[0]).toBe('3');
  expect(troubles.at(-1)).toEqual({ kind: 'healed', lostEntries: 3 });
});

it('tries what it owes once more at its end, and then nothing', () => {
  const { store, clock, remember, end } = stage();
  store.broken = true;
  remember(note('1'));
  remember(note('2'));
  store.broken = false;
  end();
  expect(stored(store)).toEqual(['1', '2']);
  expect(clock.waiting).toBe(0);
});

it('waits for nothing after its end, though the store still fails', () => {
  const { store, clock, remember, end } = stage();
  store.broken = true;
  remember(note('1'));
  end();
  expect(clock.waiting).toBe(0);
});
