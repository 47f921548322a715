import { unreachable } from '../errors.ts';
import type { Effect } from './effect.ts';
import type { Event, HookedEvent, Now } from './event.ts';
import type { Change, HistoryEntry, HistoryEvent } from './history.ts';
import type { VassalId } from './listing.ts';
import { hookEffects } from './hook-effects.ts';
import { admit, isQueued, turnsTaken } from './admission.ts';
import { deadlineOf } from './deadline.ts';
import { kill } from './farewell.ts';
import { bringDown, living } from './lifecycle.ts';
import { reconcile } from './reconcile.ts';
import { standingEffects } from './standing.ts';
import type { EmperorState, Instance, InstanceId, Remembered, Vassal } from './state.ts';
import { Table } from './table.ts';
import { orphaned } from './transition/declared.ts';
import { due } from './transition/due.ts';
import { hooked } from './transition/hooked.ts';
import { told } from './transition/instance.ts';
import { toldOfSockets } from './transition/knock.ts';
import { ordered } from './transition/order.ts';
import { reported } from './transition/reported.ts';
import { openTurn, type Turn } from './turn.ts';

/** What one event leads to. */
export interface Step {
  readonly state: EmperorState;
  readonly effects: readonly Effect[];
  readonly change: Change;
}

/** The state of an emperor that has looked at nothing yet. */
export function firstState(sources: readonly string[], remembered: readonly Remembered[], past: Iterable<readonly [VassalId, number]>, nextSerial: number, maxStarting: number = Infinity): EmperorState {
  return {
    life: 'running',
    sources: sources.map((name) => ({ name, listing: null, isWhole: false, blind: null })),
    vassals: Table.empty(),
    instances: Table.empty(),
    timed: Table.empty(),
    names: Table.empty(),
    starting: Table.empty(),
    queue: [],
    maxStarting,
    remembered: new Map(remembered.map((each) => [each.id, each])),
    past: Table.empty<VassalId, number>().with(past),
    nextSerial,
  };
}

/** All the rules: what is, and what happened, give what is next and what is to be done. Pure. */
export function step(state: EmperorState, event: Event, now: Now): Step {
  return steps(state, [event], now);
}

/** Several events that came together, each to its end, in order. */
export function steps(state: EmperorState, events: readonly Event[], now: Now): Step {
  const effects: Effect[] = [];
  const history: HistoryEntry[] = [];
  const changed = new Map<VassalId, Vassal | null>();
  let current = state;
  const take = (outcome: Outcome, turn: Turn): void => {
    const before = current;
    for (const [id, vassal] of outcome.vassals) changed.set(id, vassal);
    current = { ...current, ...outcome.rest, ...settle(current, outcome.vassals), nextSerial: turn.nextSerial };
    history.push(...turn.history);
    const told = entriesByVassal(turn.history);
    const hooks = [...outcome.vassals].flatMap(([id, vassal]) => hookEffects(before.vassals.get(id) ?? null, vassal, told.get(id) ?? []));
    const standing = [...outcome.vassals].flatMap(([id, vassal]) => {
      const old = before.vassals.get(id) ?? null;
      return standingEffects(id, (vassal ?? old)?.name ?? '', old, vassal);
    });
    // Traffic turns away from a generation before that is told to die.
    effects.push(...standing.filter(({ type }) => type === 'steer'), ...turn.effects, ...standing.filter(({ type }) => type !== 'steer'), ...hooks);
  };
  for (const event of events) {
    const turn = openTurn(current, now, 'actor' in event ? event.actor : null);
    take(handle(current, event, turn), turn);
    if (current.queue.length === 0) continue;
    const next = openTurn(current, now, null);
    take({ vassals: admit(current, next) }, next);
  }
  return { state: current, effects, change: { history, vassals: changed } };
}

function entriesByVassal(history: readonly HistoryEntry[]): ReadonlyMap<VassalId | null, readonly HistoryEntry[]> {
  const entries = new Map<VassalId | null, HistoryEntry[]>();
  for (const entry of history) {
    const known = entries.get(entry.vassal);
    if (known === undefined) entries.set(entry.vassal, [entry]);
    else known.push(entry);
  }
  return entries;
}

/** The tables after some vassals have changed. */
function settle(state: EmperorState, changes: Outcome['vassals']): Partial<EmperorState> {
  if (changes.size === 0) return {};
  const instances = new Map<InstanceId, VassalId | null>();
  const starting = new Map<InstanceId, number | null>();
  const timed: [VassalId, number | null][] = [];
  const past: [VassalId, number][] = [];
  const joins: VassalId[] = [];
  const leaves = new Set<VassalId>();
  for (const [id, after] of changes) {
    const before = state.vassals.get(id);
    for (const instance of before === undefined ? [] : living(before)) {
      instances.set(instance.id, null);
      if (state.starting.has(instance.id)) starting.set(instance.id, null);
    }
    for (const instance of after === null ? [] : living(after)) instances.set(instance.id, id);
    for (const [instance, untilMs] of after === null ? [] : turnsTaken(after)) starting.set(instance, untilMs);
    const deadline = after === null ? Infinity : deadlineOf(after);
    if (deadline !== Infinity || state.timed.has(id)) timed.push([id, deadline === Infinity ? null : deadline]);
    if (after === null) past.push([id, before?.numbered ?? state.remembered.get(id)?.newest?.number ?? state.past.get(id) ?? 0]);
    const [was, is] = [before !== undefined && isQueued(before), after !== null && isQueued(after)];
    if (is && !was) joins.push(id);
    if (was && !is) leaves.add(id);
  }
  return {
    vassals: state.vassals.with(changes),
    instances: state.instances.with(instances),
    timed: state.timed.with(timed),
    past: state.past.with(past),
    starting: state.starting.with(starting),
    queue: joins.length === 0 && leaves.size === 0 ? state.queue : [...state.queue.filter((id) => !leaves.has(id)), ...joins],
  };
}

/** What one event changed: some vassals (null: forgotten), and what else of the state. */
interface Outcome {
  readonly vassals: ReadonlyMap<VassalId, Vassal | null>;
  readonly rest?: Partial<Omit<EmperorState, 'vassals' | 'instances' | 'timed' | 'past' | 'starting' | 'queue' | 'nextSerial'>>;
}

const NOTHING: Outcome = { vassals: new Map() };

function handle(state: EmperorState, event: Event, turn: Turn): Outcome {
  switch (event.type) {
    case 'listed':
    case 'showing': {
      if (state.life !== 'running') return NOTHING;
      // What an earlier emperor left may have to go first: then nothing begins before all is known.
      if (event.type === 'showing' && [...state.remembered.values()].some((each) => alive(each).length > 0)) return NOTHING;
      const { vassals, ...rest } = reconcile(state, event, turn);
      const sighted = state.sources.some((source) => source.name === event.source && source.blind !== null);
      if (sighted) turn.history.unshift(ofSource(turn, 'sighted', `${event.source} can be looked at again`));
      return { vassals, rest };
    }
    case 'blind':
      return blinded(state, event, turn);
    case 'spawned':
    case 'followed':
    case 'unlaunchable':
    case 'exited':
    case 'ready':
    case 'unready':
    case 'sick':
    case 'pressed':
    case 'said':
      if (event.type === 'exited' && !state.instances.has(event.instance)) return endedEarly(state, event, turn);
      return one(ownerOf(state, event.instance), (vassal) => told(vassal, event, turn));
    case 'reported':
      return one(ownerOf(state, event.instance), (vassal) => reported(vassal, event, turn));
    case 'quoted':
      return one(state.vassals.get(event.vassal), (vassal) => told(vassal, event, turn));
    case 'knocked':
    case 'held':
    case 'unholdable':
    case 'unused':
    case 'crowded':
    case 'calm':
    case 'drained':
      return one(state.vassals.get(event.vassal), (vassal) => toldOfSockets(vassal, event, turn));
    case 'hooked':
      if (event.failure !== null && event.at !== 'before-start') turn.history.push(ofHook(turn, event, event.failure));
      return one(state.vassals.get(event.vassal), (vassal) => hooked(vassal, event, turn));
    case 'order':
      return one(state.vassals.get(event.vassal), (vassal) => ordered(vassal, event, turn));
    case 'alarm':
      return { vassals: each(timely(state, turn.now.ms), (vassal) => due(vassal, turn)) };
    case 'shutdown':
      return shutdown(state, event, turn);
    default:
      return unreachable(event);
  }
}

function blinded(state: EmperorState, event: Event & { type: 'blind' }, turn: Turn): Outcome {
  const known = state.sources.find((source) => source.name === event.source);
  if (known === undefined || known.blind?.reason === event.reason) return NOTHING;
  turn.history.push(ofSource(turn, 'blind', `${event.source} cannot be looked at: ${event.reason}; what runs goes on`));
  const blind = { reason: event.reason, since: turn.now.at };
  return { vassals: new Map(), rest: { sources: state.sources.map((source) => (source === known ? { ...source, blind } : source)) } };
}

/** An instance of an earlier emperor has ended before its file was seen: nothing of it is left to be taken over. */
function endedEarly(state: EmperorState, { instance, status }: Event & { type: 'exited' }, turn: Turn): Outcome {
  for (const [id, before] of state.remembered) {
    const gone = alive(before).find((each) => each.id === instance);
    if (gone === undefined) continue;
    const others = (each: Instance): boolean => each !== gone;
    const after: Remembered = { ...before, living: before.living.filter(others), leaving: before.leaving.filter(others), dismissed: before.dismissed.filter(others) };
    const why = `instance ${instance} of an earlier emperor has ended`;
    turn.history.push({ ...ofSource(turn, 'exited', why), vassal: id, name: before.name, instance, pid: gone.process?.pid ?? null, revision: gone.runs.number, status });
    return { vassals: new Map(), rest: { remembered: new Map(state.remembered).set(id, after) } };
  }
  return NOTHING;
}

function alive({ living, leaving, dismissed }: Remembered): readonly Instance[] {
  return [...living, ...leaving, ...dismissed];
}

function shutdown(state: EmperorState, event: Event & { type: 'shutdown' }, turn: Turn): Outcome {
  // It is the next emperor's from now on.
  if (state.life === 'leaving') return NOTHING;
  if (event.keep) {
    turn.history.push(ofSource(turn, 'shutdown', 'the emperor goes, the instances stay'));
    return { vassals: new Map(), rest: { life: 'leaving' } };
  }
  const hurries = state.life === 'stopping';
  turn.history.push(ofSource(turn, 'shutdown', hurries ? 'the emperor hurries: what lives is killed' : 'the emperor goes, and the instances with it'));
  const ending: Turn = { ...turn, life: 'stopping' };
  const vassals = each(state.vassals.values(), (vassal) => (hurries ? hurry(vassal, ending) : bringDown(vassal, ending, 'stop', 'the emperor ends')));
  // What was left running, and whose file was never seen (its source is blind), is not to outlive the emperor either.
  const unseen = [...state.remembered.values()].filter((each) => alive(each).length > 0);
  const orphans = unseen.map((each): [VassalId, Vassal | null] => [each.id, orphaned(each, ending)]);
  return { vassals: new Map([...vassals, ...orphans]), rest: { life: 'stopping', remembered: new Map() } };
}

function hurry(vassal: Vassal, turn: Turn): Vassal {
  return { ...vassal, leaving: vassal.leaving.map(({ instance }) => kill(instance, turn)) };
}

/** The vassals whose moment has come. */
function* timely(state: EmperorState, nowMs: number): Generator<Vassal, void, void> {
  for (const [id, dueMs] of state.timed) {
    const vassal = dueMs <= nowMs ? state.vassals.get(id) : undefined;
    if (vassal !== undefined) yield vassal;
  }
}

function each(vassals: Iterable<Vassal>, rule: (vassal: Vassal) => Vassal | null): ReadonlyMap<VassalId, Vassal | null> {
  const changed = new Map<VassalId, Vassal | null>();
  for (const before of vassals) {
    const after = rule(before);
    if (after !== before) changed.set(before.id, after);
  }
  return changed;
}

/** Answers about strangers are ignored: an instance that is in no vassal has been dealt with already. */
function one(before: Vassal | undefined, rule: (vassal: Vassal) => Vassal | null): Outcome {
  if (before === undefined) return NOTHING;
  const after = rule(before);
  return after === before ? NOTHING : { vassals: new Map([[before.id, after]]) };
}

function ownerOf(state: EmperorState, instance: InstanceId): Vassal | undefined {
  const id = state.instances.get(instance);
  return id === undefined ? undefined : state.vassals.get(id);
}

/** Of a vassal that may be forgotten by now. */
function ofHook(turn: Turn, { vassal, name, instance, revision }: HookedEvent, why: string): HistoryEntry {
  return { ...ofSource(turn, 'hook', why), vassal, name, instance, revision };
}

function ofSource(turn: Turn, event: HistoryEvent, why: string): HistoryEntry {
  return { at: turn.now.at, vassal: null, name: null, instance: null, pid: null, revision: null, event, from: null, to: null, why, actor: turn.actor, status: null };
}
