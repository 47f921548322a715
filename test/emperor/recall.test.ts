import { expect, it } from 'vitest';
import type { VassalId } from '../../src/core/listing.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { recall, type Recollection } from '../../src/emperor/recall.ts';
import type { StoredInstance, StoredVassal } from '../../src/store/store.ts';
import { specOf } from '../fakes/declaration.ts';

const now = { ms: 500_000, at: 2_000_000 };

function instance(serial: number, changes: Partial<StoredInstance> = {}): StoredInstance {
  return {
    id: `shop#${serial}` as InstanceId, serial, generation: serial, revision: { number: 1, text: 'good' }, process: { pid: serial, startTicks: 1, bootId: 'b' },
    bornAt: 1_990_000, readyAt: 1_991_000, leaving: false, draining: false, ...changes,
  };
}

function vassal(instances: readonly StoredInstance[], good = 'good'): StoredVassal {
  return { id: '/v/shop.toml' as VassalId, name: 'shop', source: 'dir:///v', stamp: '1', want: 'up', scale: null, pinned: null, rejected: false, failure: null, exited: null, restarts: 0, newest: { number: 1, hash: 'a' }, good: { number: 1, text: good }, instances };
}

const unknown = specOf({ stopTimeoutMs: 1 });
const canary = { share: 0.2, forMs: 2_000 };

/** What texts say. */
const SPECS: Readonly<Record<string, VassalSpec>> = { good: specOf(), canary: specOf({ canary }), rolls: specOf({ canary, roll: true }), pair: specOf({ instances: 2 }) };

function recollection(alive: readonly number[], found: readonly number[] = [], ended: string[] = []): Recollection {
  return {
    now,
    parse: ({ text }) => (text in SPECS ? { ok: true, spec: SPECS[text]! } : { ok: false, faults: [] }),
    adopt: (_, { serial }) => alive.includes(serial),
    ended: (name, { id }) => ended.push(`${id} of ${name}`),
    found: new Map(found.map((serial) => [`shop#${serial}` as InstanceId, { process: { pid: serial, startTicks: 1, bootId: 'b' }, vassalName: 'shop', ageMs: 7_000 }])),
    unknown,
  };
}

function recalled(instances: readonly StoredInstance[], alive: readonly number[] = instances.map((each) => each.serial), good = 'good') {
  const { remembered: [shop], adopted } = recall({ vassals: [vassal(instances, good)], forgotten: [], nextSerial: 9 }, recollection(alive));
  return { living: shop?.living[0]?.id ?? null, leaving: shop?.leaving.map((each) => each.id), dismissed: shop?.dismissed.map((each) => each.id), good: shop?.good?.number ?? null, adopted, instance: shop?.living[0] };
}

it.each([
  { name: 'nothing lives', instances: [instance(1)], alive: [], living: null, leaving: [], dismissed: [] },
  { name: 'one lives', instances: [instance(1)], alive: [1], living: 'shop#1', leaving: [], dismissed: [] },
  { name: 'one was told to die', instances: [instance(1, { leaving: true })], alive: [1], living: null, leaving: ['shop#1'], dismissed: [] },
  { name: 'a reload was finished, and the old one still ends', instances: [instance(2), instance(1, { leaving: true })], alive: [1, 2], living: 'shop#2', leaving: ['shop#1'], dismissed: [] },
  { name: 'a reload was finished, and the old one serves those who wait for it', instances: [instance(2), instance(1, { leaving: true, draining: true })], alive: [1, 2], living: 'shop#2', leaving: [], dismissed: ['shop#1'] },
  { name: 'a reload was cut short: the one that had proved itself serves on', instances: [instance(2, { readyAt: null }), instance(1)], alive: [1, 2], living: 'shop#1', leaving: [], dismissed: ['shop#2'] },
  { name: 'a reload was cut short, and the current one died since', instances: [instance(2, { readyAt: null }), instance(1)], alive: [2], living: 'shop#2', leaving: [], dismissed: [] },
  { name: 'an instance without a process, of which none is found, cannot be taken over', instances: [instance(1, { process: null })], alive: [1], living: null, leaving: [], dismissed: [] },
])('$name', ({ instances, alive, living, leaving, dismissed }) => {
  expect(recalled(instances, alive)).toMatchObject({ living, leaving, dismissed });
});

it.each([
  { name: 'a reload that was cut short', instances: [instance(2, { readyAt: null }), instance(1)], alive: [1, 2], cutShort: true },
  { name: 'a reload that was cut short before the next instance was recorded', instances: [instance(2, { readyAt: null, process: null }), instance(1)], alive: [1], cutShort: true },
  { name: 'a reload that was cut short, and only the next instance lives', instances: [instance(2, { readyAt: null }), instance(1)], alive: [2], cutShort: false },
  { name: 'a reload that was finished', instances: [instance(2), instance(1, { leaving: true })], alive: [1, 2], cutShort: false },
])('knows whether a reload has to be done again: $name', ({ instances, alive, cutShort }) => {
  const { remembered: [shop] } = recall({ vassals: [vassal(instances)], forgotten: [], nextSerial: 9 }, recollection(alive));
  expect(shop).toMatchObject({ cutShort, stamp: '1' });
});

it.each<{ name: string; text: string; instances: readonly Partial<StoredInstance>[]; living: readonly number[]; cutShort: boolean }>([
  { name: 'a canary had not proved itself', text: 'canary', instances: [{ serial: 2 }, { serial: 1 }], living: [1], cutShort: true },
  { name: 'a canary whose time was over serves', text: 'canary', instances: [{ serial: 2 }, { serial: 1, leaving: true }], living: [2], cutShort: false },
  { name: 'with roll there is no canary', text: 'rolls', instances: [{ serial: 2 }, { serial: 1 }], living: [2], cutShort: false },
  { name: 'not all of the next were ready', text: 'pair', instances: [{ serial: 4, generation: 2, readyAt: null }, { serial: 3, generation: 2 }, { serial: 2, generation: 1 }, { serial: 1, generation: 1 }], living: [2, 1], cutShort: true },
  { name: 'all of the next were ready', text: 'pair', instances: [{ serial: 4, generation: 2 }, { serial: 3, generation: 2 }, { serial: 2, generation: 1 }, { serial: 1, generation: 1 }], living: [4, 3], cutShort: false },
  { name: 'one of the old generation had been started again meanwhile', text: 'pair', instances: [{ serial: 5, generation: 1 }, { serial: 4, generation: 2, readyAt: null }, { serial: 3, generation: 2 }, { serial: 2, generation: 1 }], living: [5, 2], cutShort: true },
])('of a reload that was cut short the proven generation serves on: $name', ({ text, instances, living, cutShort }) => {
  const stored = instances.map(({ serial = 0, ...more }) => instance(serial, { revision: { number: 1, text }, ...more }));
  const { remembered: [shop] } = recall({ vassals: [vassal(stored)], forgotten: [], nextSerial: 9 }, recollection(stored.map((each) => each.serial)));
  expect(shop).toMatchObject({ cutShort, living: living.map((serial) => ({ serial })) });
});

it('puts wall times on the clock of this process', () => {
  expect(recalled([instance(1)]).instance).toMatchObject({ bornMs: 490_000, readyMs: 491_000, adopted: true });
});

it('knows how to stop an instance whose own text cannot be parsed any more', () => {
  expect(recalled([instance(1, { revision: { number: 2, text: 'bad' } })])).toMatchObject({ living: 'shop#1' });
});

it('knows how to stop an instance of which no text can be parsed any more', () => {
  expect(recalled([instance(1, { revision: { number: 2, text: 'bad' } })], [1], 'bad').instance).toMatchObject({ id: 'shop#1', runs: { number: 2, spec: unknown } });
});

it('finds an instance that was started and not recorded any more', () => {
  const memory = { vassals: [vassal([instance(8, { process: null, readyAt: null })])], forgotten: [], nextSerial: 9 };
  const { remembered, nextSerial } = recall(memory, recollection([8], [8]));
  expect(remembered.map(({ living }) => living)).toMatchObject([[{ id: 'shop#8', process: { pid: 8 }, runs: { number: 1, spec: specOf() } }]]);
  expect(nextSerial).toBe(9);
});

it('takes over a stray as a vassal without a file, and gives its serial to nobody else', () => {
  const { remembered, nextSerial, adopted } = recall({ vassals: [], forgotten: [], nextSerial: 1 }, recollection([12], [12, 13]));
  expect(remembered).toMatchObject([{ name: 'shop#12', newest: null, living: [{ id: 'shop#12', runs: { spec: unknown }, bornMs: 493_000, bornAt: 1_993_000 }] }]);
  expect({ nextSerial, adopted }).toEqual({ nextSerial: 14, adopted: 1 });
});

it('leaves alone what outlived an instance that has ended', () => {
  expect(recall({ vassals: [], forgotten: [], nextSerial: 9 }, recollection([3], [3])).remembered).toEqual([]);
});

it('has no good revision if its text cannot be parsed any more', () => {
  expect(recalled([], [], 'bad')).toMatchObject({ good: null });
});

it('tells which instances have ended meanwhile, as what they printed last may be there yet', () => {
  const ended: string[] = [];
  recall({ vassals: [vassal([instance(1), instance(2), instance(3, { process: null })])], forgotten: [], nextSerial: 9 }, recollection([2], [], ended));
  expect(ended).toEqual(['shop#1 of shop']);
});
