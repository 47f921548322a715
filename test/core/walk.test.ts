import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deadlineOf, nextDeadline } from '../../src/core/deadline.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Event } from '../../src/core/event.ts';
import { isDown, living } from '../../src/core/lifecycle.ts';
import type { Declaration, VassalId } from '../../src/core/listing.ts';
import type { Reload } from '../../src/core/spec.ts';
import type { Instance, InstanceId, Remembered, Vassal } from '../../src/core/state.ts';
import { declare, declareFaulty, specOf } from '../fakes/declaration.ts';
import { Stage } from './stage.ts';

/** A world that answers at random, and late: what the core ordered, and what became of it. */
class World {
  readonly stage: Stage;
  /** Ordered, the operating system has not answered yet. */
  readonly launching = new Set<InstanceId>();
  readonly alive = new Set<InstanceId>();
  readonly listings = new Map<string, Map<string, Declaration>>([['dir:///v', new Map()], ['dir:///w', new Map()]]);
  touches = 1;

  constructor(remembered: readonly Remembered[] = []) {
    this.stage = new Stage(['dir:///v', 'dir:///w'], remembered);
    for (const { living: left, leaving } of remembered) for (const each of left === null ? leaving : [left, ...leaving]) this.alive.add(each.id);
  }

  play(event: Event): void {
    const before = new Set([...this.stage.state.vassals.values()].flatMap((vassal) => living(vassal).map((each) => each.id)));
    const effects = this.stage.play(event);
    const after = new Set([...this.stage.state.vassals.values()].flatMap((vassal) => living(vassal).map((each) => each.id)));
    for (const effect of effects) this.obey(effect, before, after);
    this.check();
  }

  /** No effect names an instance that the state does not know. */
  obey(effect: Effect, before: ReadonlySet<InstanceId>, after: ReadonlySet<InstanceId>): void {
    switch (effect.type) {
      case 'launch':
        expect(after.has(effect.instance.id)).toBe(true);
        expect(this.launching.has(effect.instance.id) || this.alive.has(effect.instance.id)).toBe(false);
        this.launching.add(effect.instance.id);
        break;
      case 'signal':
        expect(before.has(effect.instance) || after.has(effect.instance)).toBe(true);
        break;
      case 'recheck':
        break;
      default:
    }
  }

  check(): void {
    const known = new Set<InstanceId>();
    for (const vassal of this.stage.state.vassals.values()) {
      this.checkVassal(vassal);
      for (const instance of living(vassal)) known.add(instance.id);
    }
    // What an earlier emperor has left is known, too, before its file is seen.
    for (const { living: left, leaving } of this.stage.state.remembered.values()) for (const each of left === null ? leaving : [left, ...leaving]) known.add(each.id);
    // Nothing that lives is ever lost from sight, and nothing is believed to live that does not.
    expect([...known].sort()).toEqual([...this.alive, ...this.launching].sort());
    this.checkIndexes();
  }

  /** The indexes say what a look through everything says. */
  checkIndexes(): void {
    const { vassals, instances, timed, names, sources } = this.stage.state;
    const all = [...vassals.values()];
    expect(new Map(instances)).toEqual(new Map(all.flatMap((vassal) => living(vassal).map((each) => [each.id, vassal.id] as const))));
    expect(new Map(timed)).toEqual(new Map(all.map((vassal) => [vassal.id, deadlineOf(vassal)] as const).filter(([, deadline]) => deadline < Infinity)));
    expect(nextDeadline(this.stage.state)).toBe(Math.min(Infinity, ...all.map(deadlineOf)));
    const shown = new Map<string, Set<VassalId>>();
    for (const source of sources) {
      for (const { id, name: called } of [...(source.listing?.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1))) shown.set(called, (shown.get(called) ?? new Set()).add(id));
    }
    expect(new Map(names)).toEqual(new Map([...shown].map(([called, ids]) => [called, [...ids]] as const)));
  }

  checkVassal(vassal: Vassal): void {
    const { state } = vassal;
    const cursed = new Set<InstanceId>(vassal.leaving.map((each) => each.instance.id));
    if (state.phase === 'stopping') cursed.add(state.cursed.id);
    const wanted = living(vassal).filter((each) => !cursed.has(each.id));
    // Never two instances outside a reload.
    expect(wanted.length).toBeLessThanOrEqual(state.phase === 'reloading' ? 2 : 1);
    expect(new Set(living(vassal).map((each) => each.id)).size).toBe(living(vassal).length);
    // A cursed instance has a deadline until it has exited.
    if (cursed.size > 0) expect(deadlineOf(vassal)).toBeLessThan(Infinity);
    // A vassal without a file is only there while something of it has to end.
    if (vassal.newest === null) expect(isDown(state)).toBe(false);
    // Nothing starts or serves against the operator's word, or after the emperor was told to end.
    if (vassal.want === 'down' || this.stage.state.life === 'stopping') expect(wanted).toEqual([]);
  }

  list(source: string): void {
    this.play({ type: 'listed', source, declarations: [...this.listings.get(source)!.values()] });
  }
}

const name = fc.constantFrom('a', 'b', 'c');
const source = fc.constantFrom('dir:///v', 'dir:///w');
const reload = fc.constantFrom<Reload>({ kind: 'overlap' }, { kind: 'restart' }, { kind: 'signal', signal: 'SIGHUP' });
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), name, source, reload, good: fc.boolean(), text: fc.constantFrom('1', '2', '3') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('touch' as const), name, source }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), name, source }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look again' as const), source }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('blind' as const), source }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('spawned' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unlaunchable' as const), pick: fc.nat(), lasting: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('exits' as const), pick: fc.nat(), code: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stranger' as const), serial: fc.integer({ min: 2_000_000 }) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 249, 1_000, 30_000, 61_000) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('order' as const), verb: fc.constantFrom('start', 'stop', 'restart', 'reload'), pick: fc.nat() }) },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

function perform(world: World, step: Move): void {
  switch (step.kind) {
    case 'write': {
      world.touches += 1;
      const folder = step.source.slice('dir://'.length);
      const declaration = step.good
        ? declare(step.name, { reload: step.reload }, `${step.text}${JSON.stringify(step.reload)}`, world.touches, folder)
        : declareFaulty(step.name, `bad${step.text}`, world.touches, folder);
      world.listings.get(step.source)!.set(step.name, declaration);
      return world.list(step.source);
    }
    case 'touch': {
      const old = world.listings.get(step.source)!.get(step.name);
      if (old === undefined) return undefined;
      world.touches += 1;
      world.listings.get(step.source)!.set(step.name, { ...old, stamp: String(world.touches) });
      return world.list(step.source);
    }
    case 'remove':
      world.listings.get(step.source)!.delete(step.name);
      return world.list(step.source);
    case 'look again': {
      world.list(step.source);
      // The same listing twice is silent.
      const { vassals } = world.stage.state;
      const past = world.stage.history.length;
      const declarations = [...world.listings.get(step.source)!.values()].map((each) => structuredClone(each));
      expect(world.stage.play({ type: 'listed', source: step.source, declarations })).toEqual([]);
      expect(world.stage.history.length).toBe(past);
      for (const [id, vassal] of world.stage.state.vassals) expect(vassal).toBe(vassals.get(id));
      return undefined;
    }
    case 'blind':
      return world.play({ type: 'blind', source: step.source, reason: 'gone' });
    case 'spawned': {
      const instance = pick(world.launching, step.pick);
      if (instance === undefined) return undefined;
      world.launching.delete(instance);
      world.alive.add(instance);
      return world.play({ type: 'spawned', instance, process: { pid: 1, startTicks: 1, bootId: 'b' } });
    }
    case 'unlaunchable': {
      const instance = pick(world.launching, step.pick);
      if (instance === undefined) return undefined;
      world.launching.delete(instance);
      return world.play({ type: 'unlaunchable', instance, code: 'E_SPAWN', reason: 'no', lasting: step.lasting });
    }
    case 'exits': {
      const instance = pick(world.alive, step.pick);
      if (instance === undefined) return undefined;
      world.alive.delete(instance);
      return world.play({ type: 'exited', instance, status: { kind: 'exited', code: step.code } });
    }
    case 'stranger':
      return world.play({ type: 'exited', instance: `a#${step.serial}` as InstanceId, status: { kind: 'unknown' } });
    case 'wait':
      world.stage.ms += step.ms;
      return world.play({ type: 'alarm' });
    case 'order': {
      const id = pick(new Set(world.stage.state.vassals.keys()), step.pick);
      if (id === undefined) return undefined;
      return world.play({ type: 'order', verb: step.verb, vassal: id, actor: 'walk' });
    }
    default:
      throw new Error('no such move');
  }
}

function pick<T>(from: ReadonlySet<T>, nth: number): T | undefined {
  return [...from][nth % Math.max(1, from.size)];
}

/** Whatever happened, and whatever is still in the mailbox: told to end, with a world that obeys, the emperor ends, and nothing of it is left. */
function end(world: World, late: readonly Move[]): void {
  world.play({ type: 'shutdown', keep: false, actor: 'walk' });
  for (const each of late) perform(world, each);
  for (let round = 0; round < 100 && world.alive.size + world.launching.size > 0; round += 1) {
    for (const instance of world.launching) perform(world, { kind: 'spawned', pick: [...world.launching].indexOf(instance) });
    for (const instance of world.alive) perform(world, { kind: 'exits', pick: [...world.alive].indexOf(instance), code: 0 });
  }
  for (const vassal of world.stage.state.vassals.values()) expect(isDown(vassal.state)).toBe(true);
}

/** Vassals of an earlier emperor: what one, another and a third file may have left running. */
const remembered = fc.array(fc.record({ name, source, want: fc.constantFrom('up', 'down'), ready: fc.boolean(), living: fc.boolean(), leaving: fc.boolean() }), { maxLength: 4 }).map((all) =>
  [...new Map(all.map((each, index): [string, Remembered] => {
    const id = `${each.source.slice('dir://'.length)}/${each.name}.toml` as VassalId;
    const left = (serial: number): Instance => ({
      id: `${each.name}#${serial}` as InstanceId, serial, runs: { number: 1, spec: specOf() }, process: { pid: 1, startTicks: 1, bootId: 'b' },
      bornMs: 0, bornAt: 0, readyMs: each.ready ? 1 : null, readyAt: each.ready ? 1 : null, adopted: true,
    });
    return [id, {
      id, name: each.name, source: each.source, stamp: '1', want: each.want, newest: { number: 1, hash: '1' }, good: null, restarts: 0,
      living: each.living ? left(1_000_000 + 2 * index) : null, leaving: each.leaving ? [left(1_000_001 + 2 * index)] : [],
    }];
  })).values()]);
const walk = (length: { minLength: number; maxLength: number }): fc.Arbitrary<[Remembered[], Move[], Move[]]> =>
  fc.tuple(remembered, fc.array(move, { ...length, size: 'max' }), fc.array(move, { maxLength: 10 }));

function go([left, moves, late]: [Remembered[], Move[], Move[]]): void {
  const world = new World(left);
  for (const each of moves) perform(world, each);
  end(world, late);
}

it('stays safe over a random walk of more than 20,000 events', () => {
  let events = 0;
  fc.assert(
    fc.property(walk({ minLength: 250, maxLength: 350 }), (each) => {
      events += each[1].length;
      go(each);
    }),
    { numRuns: 100, seed: 20_261_121, endOnFailure: false },
  );
  expect(events).toBeGreaterThan(20_000);
}, 120_000);

it('stays safe over another walk, from a seed that changes', () => {
  fc.assert(
    fc.property(walk({ minLength: 0, maxLength: 200 }), go),
    { numRuns: 50 },
  );
}, 120_000);
