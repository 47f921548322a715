import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isQueued, turnsTaken } from '../../src/core/admission.ts';
import { deadlineOf, nextDeadline } from '../../src/core/deadline.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Event } from '../../src/core/event.ts';
import { hasHook } from '../../src/core/hook.ts';
import { inService, living, wanted } from '../../src/core/lifecycle.ts';
import type { Declaration, VassalId } from '../../src/core/listing.ts';
import { generationsOf, readyCount } from '../../src/core/generation.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { Instance, InstanceId, Remembered, Vassal } from '../../src/core/state.ts';
import { declare, declareFaulty, specOf } from '../fakes/declaration.ts';
import { Stage } from './stage.ts';

/** A world that answers at random, and late: what the core ordered, and what became of it. */
class World {
  readonly stage: Stage;
  /** Ordered, the operating system has not answered yet. */
  readonly launching = new Set<InstanceId>();
  readonly alive = new Set<InstanceId>();
  /** Its hook `before-start` runs. */
  readonly preparing = new Set<InstanceId>();
  /** Its hook `before-stop` runs. */
  readonly parting = new Set<InstanceId>();
  readonly listings = new Map<string, Map<string, Declaration>>([['dir:///v', new Map()], ['dir:///w', new Map()]]);
  touches = 1;

  constructor(remembered: readonly Remembered[] = []) {
    this.stage = new Stage(['dir:///v', 'dir:///w'], remembered);
    for (const { living: left, leaving, dismissed } of remembered) for (const each of [...left, ...leaving, ...dismissed]) this.alive.add(each.id);
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
    if (effect.type === 'launch') {
      expect(after.has(effect.instance.id)).toBe(true);
      // Not before its hook has ended, where it has one.
      expect(this.preparing.has(effect.instance.id)).toBe(false);
      expect(this.launching.has(effect.instance.id) || this.alive.has(effect.instance.id)).toBe(false);
      this.launching.add(effect.instance.id);
    }
    if (effect.type === 'hook' && effect.instance !== null) {
      expect(before.has(effect.instance) || after.has(effect.instance)).toBe(true);
      if (effect.at === 'before-start') this.preparing.add(effect.instance);
      // Once in a life: also if it is told to die by more than one rule.
      if (effect.at === 'before-stop') expect(this.parting.has(effect.instance)).toBe(false);
      if (effect.at === 'before-stop') this.parting.add(effect.instance);
    }
    if (effect.type === 'signal' || effect.type === 'ask') expect(before.has(effect.instance) || after.has(effect.instance)).toBe(true);
    // No instance that wants to be asked before its end is told without that.
    if (effect.type === 'signal' && effect.signal === 'SIGTERM' && this.alive.has(effect.instance) && this.asksFirst(effect.instance)) expect(this.parting.has(effect.instance)).toBe(true);
    if (effect.type === 'judge' || effect.type === 'tend') expect(this.alive.has(effect.instance)).toBe(true);
  }

  asksFirst(id: InstanceId): boolean {
    const instance = [...this.stage.state.vassals.values()].flatMap(living).find((each) => each.id === id);
    return instance !== undefined && instance.process !== null && hasHook(instance.runs.spec.hooks, 'before-stop');
  }

  check(): void {
    const known = new Set<InstanceId>();
    for (const vassal of this.stage.state.vassals.values()) {
      this.checkVassal(vassal);
      for (const instance of living(vassal)) known.add(instance.id);
    }
    // What an earlier emperor has left is known, too, before its file is seen.
    for (const { living: left, leaving, dismissed } of this.stage.state.remembered.values()) for (const each of [...left, ...leaving, ...dismissed]) known.add(each.id);
    // Nothing that lives is ever lost from sight, and nothing is believed to live that does not.
    expect([...known].sort()).toEqual([...this.alive, ...this.launching, ...this.preparing].sort());
    this.checkIndexes();
  }

  /** The indexes say what a look through everything says. */
  checkIndexes(): void {
    const { vassals, instances, timed, names, sources, starting, queue } = this.stage.state;
    expect(new Map(starting)).toEqual(new Map([...vassals.values()].flatMap(turnsTaken)));
    expect([...queue].sort()).toEqual([...vassals.values()].filter(isQueued).map(({ id }) => id).sort());
    // What can start does: nothing waits for a turn that is free.
    const free = this.stage.state.maxStarting - [...starting.values()].filter((untilMs) => untilMs > this.stage.ms).length;
    if (free > 0 && this.stage.state.life === 'running') for (const id of queue) expect(vassals.get(id)?.state.phase).toBe('waiting');
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
    // Never two generations outside a reload, and never more instances than were asked for.
    expect(generationsOf(vassal).length).toBeLessThanOrEqual(state.phase === 'reloading' ? 2 : 1);
    for (const generation of generationsOf(vassal)) {
      expect(generation.places.length).toBeGreaterThan(0);
      const { instances, scaling } = generation.runs.spec;
      expect(generation.places.length).toBeLessThanOrEqual(Math.max(wanted(vassal, generation.runs), instances, scaling?.max ?? 0));
    }
    // Nothing is called ready of which nothing is ready.
    if (state.phase === 'ready') expect(readyCount(state.current)).toBeGreaterThan(0);
    // No request reaches an instance that has not proved itself.
    if (state.phase === 'reloading' && state.stage.kind === 'swapped') expect(state.next.proven).toBe(true);
    expect(new Set(living(vassal).map((each) => each.id)).size).toBe(living(vassal).length);
    // A cursed instance has a deadline until it has exited.
    if (vassal.leaving.length > 0) expect(deadlineOf(vassal)).toBeLessThan(Infinity);
    // A vassal without a file is only there while something of it has to end.
    if (vassal.newest === null) expect(vassal.leaving.length).toBeGreaterThan(0);
    if (state.phase === 'stopping') expect(vassal.leaving.length).toBeGreaterThan(0);
    // Nothing starts or serves against the operator's word, or after the emperor was told to end.
    if (vassal.want !== 'up' || this.stage.state.life === 'stopping') expect(inService(vassal)).toEqual([]);
  }

  list(source: string): void {
    const declarations = [...this.listings.get(source)!.values()];
    // A part of it may be told first.
    if (declarations.length > 1) this.play({ type: 'showing', source, declarations: declarations.slice(0, 1) });
    this.play({ type: 'listed', source, declarations });
  }
}

const name = fc.constantFrom('a', 'b', 'c');
const source = fc.constantFrom('dir:///v', 'dir:///w');
const listen = [{ address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 10, mode: null, user: null, group: null }] as const;
const spec: fc.Arbitrary<Partial<VassalSpec>> = fc.record({
  reload: fc.constantFrom<VassalSpec['reload']>({ kind: 'overlap' }, { kind: 'restart' }, { kind: 'signal', signal: 'SIGHUP' }, { kind: 'channel' }),
  stopSignal: fc.constantFrom<VassalSpec['stopSignal']>('SIGTERM', null),
  listen: fc.constantFrom([], listen),
  instances: fc.constantFrom(1, 1, 3),
  roll: fc.boolean(),
  canary: fc.constantFrom(null, { share: 0.05, forMs: 5_000 }),
  ready: fc.constantFrom<VassalSpec['ready']>({ kind: 'after', ms: 1_000 }, { kind: 'notify' }, { kind: 'log', pattern: 'up' }, { kind: 'channel' }),
  onDemand: fc.boolean(),
  idleTimeoutMs: fc.constantFrom(null, 60_000),
  after: fc.constantFrom([], [], ['a'], ['b']),
  restart: fc.constantFrom<VassalSpec['restart']>('always', 'always', 'on-failure', 'never'),
  hooks: fc.subarray(['before-start', 'before-stop', 'after-loyal', 'on-failure'] as const).map((points) => points.map((at) => ({ at, argv: ['true'] as const, timeoutMs: 1, tolerated: false }))),
  scaling: fc.constantFrom(null, null, { max: 4, backlog: { connections: 1, forMs: 1_000 }, coolDownMs: 5_000, idleMs: 60_000 }),
  health: fc.constantFrom(null, { probe: null, intervalMs: 1_000, timeoutMs: 100, failures: 1, graceMs: 0, watchdogMs: 10_000 }),
});
const move = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), name, source, spec, good: fc.boolean(), text: fc.constantFrom('1', '2', '3') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('touch' as const), name, source }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), name, source }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look again' as const), source }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('blind' as const), source }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('spawned' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unlaunchable' as const), pick: fc.nat(), lasting: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('exits' as const), pick: fc.nat(), code: fc.constantFrom(0, 1) }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('hooked' as const), pick: fc.nat(), at: fc.constantFrom('before-start', 'before-stop'), well: fc.constantFrom(true, true, false) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('presses' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stranger' as const), serial: fc.integer({ min: 2_000_000 }) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 249, 1_000, 30_000, 61_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('order' as const), verb: fc.constantFrom('start', 'stop', 'restart', 'reload', 'pause', 'resume', 'scale', 'rollback'), pick: fc.nat(), count: fc.constantFrom(1, 2, 4) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('proves' as const), pick: fc.nat(), how: fc.constantFrom('ready', 'READY=1', 'unready', 'WATCHDOG=1') }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('reports' as const), pick: fc.nat(), report: fc.constantFrom('accepting', 'accepting', 'heartbeat', 'idle', 'loyal', 'deaf') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sick' as const), pick: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('socket' as const), pick: fc.nat(), type: fc.constantFrom('knocked', 'unused', 'drained', 'held', 'unholdable', 'crowded', 'calm') }) },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

function perform(world: World, step: Move): void {
  switch (step.kind) {
    case 'write': {
      world.touches += 1;
      const folder = step.source.slice('dir://'.length);
      const declaration = step.good
        ? declare(step.name, step.spec, `${step.text}${JSON.stringify(step.spec)}`, world.touches, folder)
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
    case 'hooked': {
      const of = step.at === 'before-start' ? world.preparing : world.parting;
      const instance = pick(of, step.pick);
      if (instance === undefined) return undefined;
      if (step.at === 'before-start') world.preparing.delete(instance);
      const id = [...world.stage.state.vassals.values()].find((vassal) => living(vassal).some((each) => each.id === instance))?.id ?? ('/v/gone.toml' as VassalId);
      return world.play({ type: 'hooked', at: step.at, vassal: id, name: 'a', instance, revision: 1, failure: step.well ? null : 'it failed' });
    }
    case 'presses': {
      const instance = pick(world.alive, step.pick);
      return instance === undefined ? undefined : world.play({ type: 'pressed', instance });
    }
    case 'stranger':
      return world.play({ type: 'exited', instance: `a#${step.serial}` as InstanceId, status: { kind: 'unknown' } });
    case 'wait':
      world.stage.ms += step.ms;
      return world.play({ type: 'alarm' });
    case 'order': {
      const id = pick(new Set(world.stage.state.vassals.keys()), step.pick);
      if (id === undefined) return undefined;
      const order = { type: 'order', vassal: id, actor: 'walk' } as const;
      if (step.verb === 'scale') return world.play({ ...order, verb: 'scale', instances: step.count });
      if (step.verb === 'rollback') return world.play({ ...order, verb: 'rollback', to: { number: 1, spec: specOf({ listen, reload: { kind: 'overlap' } }) } });
      return world.play({ ...order, verb: step.verb });
    }
    case 'proves': {
      const instance = pick(world.alive, step.pick);
      if (instance === undefined) return undefined;
      if (step.how === 'ready') return world.play({ type: 'ready', instance, why: 'it answers' });
      if (step.how === 'unready') return world.play({ type: 'unready', instance, answer: 'HTTP 500' });
      const said = { ready: step.how === 'READY=1', reloading: false, stopping: false, status: 'busy', watchdog: step.how === 'READY=1' ? null : 'ping', extendMs: 10, mainPid: null } as const;
      return world.play({ type: 'said', instance, said });
    }
    case 'reports': {
      const instance = pick(world.alive, step.pick);
      return instance === undefined ? undefined : world.play({ type: 'reported', instance, report: { kind: step.report } });
    }
    case 'sick': {
      const instance = pick(world.alive, step.pick);
      return instance === undefined ? undefined : world.play({ type: 'sick', instance, answer: 'HTTP 500' });
    }
    case 'socket': {
      const vassal = pick(new Set(world.stage.state.vassals.values()), step.pick);
      if (vassal === undefined) return undefined;
      if (step.type === 'drained') return world.play({ type: 'drained', vassal: vassal.id, generation: generationsOf(vassal)[0]?.number ?? 0 });
      if (step.type === 'unholdable') return world.play({ type: 'unholdable', vassal: vassal.id, code: 'E_ADDRESS_IN_USE', reason: 'taken' });
      if (step.type === 'crowded') return world.play({ type: 'crowded', vassal: vassal.id, waiting: 10 });
      return world.play({ type: step.type, vassal: vassal.id });
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
  for (let round = 0; round < 100 && world.alive.size + world.launching.size + world.preparing.size > 0; round += 1) {
    for (const instance of world.preparing) perform(world, { kind: 'hooked', pick: [...world.preparing].indexOf(instance), at: 'before-start', well: true });
    for (const instance of world.launching) perform(world, { kind: 'spawned', pick: [...world.launching].indexOf(instance) });
    for (const instance of world.alive) perform(world, { kind: 'exits', pick: [...world.alive].indexOf(instance), code: 0 });
  }
  for (const vassal of world.stage.state.vassals.values()) expect([vassal.state.phase, living(vassal)]).toEqual(['stopped', []]);
}

/** Vassals of an earlier emperor: what one, another and a third file may have left running. */
const remembered = fc.array(fc.record({ name, source, want: fc.constantFrom('up', 'down', 'paused'), ready: fc.boolean(), living: fc.boolean(), leaving: fc.boolean(), dismissed: fc.boolean() }), { maxLength: 4 }).map((all) =>
  [...new Map(all.map((each, index): [string, Remembered] => {
    const id = `${each.source.slice('dir://'.length)}/${each.name}.toml` as VassalId;
    const left = (serial: number): Instance => ({
      id: `${each.name}#${serial}` as InstanceId, serial, generation: serial % 2, status: null, runs: { number: 1, spec: specOf() }, process: { pid: 1, startTicks: 1, bootId: 'b' },
      bornMs: 0, bornAt: 0, readyMs: each.ready ? 1 : null, readyAt: each.ready ? 1 : null, adopted: true,
    });
    return [id, {
      id, name: each.name, source: each.source, stamp: '1', want: each.want, newest: { number: 1, hash: '1' }, good: null, restarts: 0,
      scale: null, pinned: null, rejected: false, failure: null, exited: null, cutShort: false,
      living: each.living ? [left(1_000_000 + 3 * index)] : [], leaving: each.leaving ? [left(1_000_001 + 3 * index)] : [], dismissed: each.dismissed ? [left(1_000_002 + 3 * index)] : [],
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
