import type { Address } from './address.ts';
import { failed } from './failure.ts';
import { curse, dismiss } from './farewell.ts';
import { printFault } from './fault.ts';
import { hasHook } from './hook.ts';
import { hookOf } from './hook-effects.ts';
import { generationsOf, holdsSockets, instancesIn, readyCount } from './generation.ts';
import type { Outcome } from './listing.ts';
import type { DownReason, Generation, Instance, InstanceId, Leaving, Place, Revision, Runnable, Vassal, VassalState } from './state.ts';
import { note, type Turn } from './turn.ts';

/** `now`: it is to run. `lazily`: it may wait for its first connection, if its file says so. */
export type Eagerness = 'now' | 'lazily';

/** The revision that ought to run: the one that an operator went back to, else the newest, unless it is at fault or was refused; then the last good one. */
export function chosen({ newest, good, pinned, rejected }: Vassal): Runnable | null {
  if (newest === null) return null;
  if (pinned !== null) return pinned;
  if (newest.outcome.ok && !rejected) return { number: newest.number, spec: newest.outcome.spec };
  return good;
}

/** How many instances a vassal is to have. */
export function wanted(vassal: Vassal, runs: Runnable): number {
  const { instances, scaling } = runs.spec;
  if (vassal.scale !== null) return vassal.scale;
  return scaling === null || vassal.need === null ? instances : Math.min(Math.max(vassal.need.instances, instances), scaling.max);
}

/** Starts what ought to run, or waits for what has to come first: another vassal, a connection. Ends in `invalid` if nothing can run. */
export function begin(vassal: Vassal, turn: Turn, why: string, eagerness: Eagerness): Vassal {
  const runs = chosen(vassal);
  if (runs === null) {
    const after: Vassal = { ...vassal, state: { phase: 'invalid' } };
    if (vassal.state.phase !== 'invalid') note(turn, vassal, 'fault', vassal.failure?.message ?? 'nothing can be run', { after });
    return after;
  }
  if (eagerness === 'lazily' && isOnDemand(runs)) {
    const after: Vassal = { ...vassal, state: { phase: 'idle', retryMs: null } };
    if (vassal.state.phase !== 'idle') note(turn, vassal, 'idle', 'it is started at the first connection', { after });
    return after;
  }
  if (runs.spec.after.length === 0) return raise(vassal, runs, why);
  const after: Vassal = { ...vassal, state: { phase: 'waiting', cycle: null } };
  note(turn, vassal, 'waiting', `it waits for ${runs.spec.after.join(', ')}`, { after });
  return after;
}

/** Gives the vassal a new generation, whose places wait for their turn. */
export function raise(vassal: Vassal, runs: Runnable, why: string): Vassal {
  const [current, generations] = generation(vassal, runs, wanted(vassal, runs), { phase: 'queued', why });
  return { ...vassal, generations, state: { phase: 'starting', current } };
}

/** A new generation with so many places, and the number that the vassal has counted up to with it. */
export function generation(vassal: Vassal, runs: Runnable, places: number, place: Place): [Generation, number] {
  const number = vassal.generations + 1;
  return [{ number, runs, places: Array.from({ length: places }, () => ({ ...place })), proven: false }, number];
}

/** Fills a place: a new instance, with the order to launch it; or to run its hook `before-start`, which is followed by that. */
export function launch(vassal: Vassal, { number, runs }: Generation, turn: Turn, why: string): Place {
  const serial = turn.nextSerial;
  turn.nextSerial += 1;
  const instance: Instance = {
    id: `${vassal.name}#${serial}` as InstanceId,
    serial,
    generation: number,
    runs,
    process: null,
    bornMs: turn.now.ms,
    bornAt: turn.now.at,
    readyMs: null,
    readyAt: null,
    adopted: false,
    status: null,
  };
  if (!hasHook(runs.spec.hooks, 'before-start')) turn.effects.push({ type: 'launch', vassal: vassal.id, name: vassal.name, instance });
  else turn.effects.push(hookOf(vassal, instance, 'before-start', why));
  note(turn, vassal, 'launch', why, { instance, after: vassal });
  return { phase: 'starting', instance, dueMs: null, failAtMs: null, answer: null };
}

/** What a vassal with one generation is doing, by what its places do. */
export function stateWith(current: Generation): VassalState {
  const ready = readyCount(current);
  if (ready > 0 && (current.proven || ready === current.places.length)) return { phase: 'ready', current };
  const alive = current.places.some((place) => place.phase !== 'backoff');
  const waits = current.places.some((place) => place.phase === 'backoff');
  return waits && (!alive || !current.proven) ? { phase: 'backoff', current } : { phase: 'starting', current };
}

/** Curses all that serves or starts. A vassal of which nothing runs goes where {@link rest} sends it. @param resumeMs when a `backoff` is over */
export function bringDown(vassal: Vassal, turn: Turn, why: DownReason, reason: string, resumeMs = 0): Vassal | null {
  if (vassal.state.phase === 'stopping') return { ...vassal, state: { phase: 'stopping', why, resumeMs } };
  const doomed = inService(vassal);
  const leaving = [...vassal.leaving, ...bidFarewell(vassal, turn)];
  const need = why === 'stop' || why === 'sleep' ? null : vassal.need;
  const after: Vassal = { ...vassal, need, leaving, state: { phase: 'stopping', why, resumeMs } };
  if (leaving.length === 0 || (doomed.length === 0 && why !== 'stop')) return rise(after, turn, reason, vassal);
  for (const instance of doomed) note(turn, vassal, 'cursed', reason, { instance, after });
  return after;
}

/** What waits for the generation that has the traffic can wait on, for those who come; what waits for the other one can not. */
function bidFarewell(vassal: Vassal, turn: Turn): readonly Leaving[] {
  const { state } = vassal;
  if (state.phase !== 'reloading') return inService(vassal).map((instance) => curse(instance, turn));
  const [stays, goes] = state.stage.kind === 'swapped' ? [state.next, state.current] : [state.current, state.next];
  return [...instancesIn(stays).map((instance) => curse(instance, turn)), ...dismiss(vassal, goes, turn, goes.runs.spec.lingerMs)];
}

/** All that a stopping vassal had has ended (or need not be waited for): what is next follows from why it was brought down. @param before as it was, for the history */
export function rise(vassal: Vassal, turn: Turn, reason: string, before: Vassal = vassal): Vassal | null {
  const { state } = vassal;
  const { why, resumeMs } = state.phase === 'stopping' ? state : { why: 'restart', resumeMs: 0 };
  const seen: Vassal = { ...vassal, state: before.state };
  const runs = chosen(vassal);
  if (!ends(vassal, turn) && why === 'backoff' && resumeMs > turn.now.ms && runs !== null) {
    const [current, generations] = generation(vassal, runs, wanted(vassal, runs), { phase: 'backoff', untilMs: resumeMs });
    const after: Vassal = { ...vassal, generations, state: { phase: 'backoff', current } };
    note(turn, seen, 'backoff', `${reason}; starting again in ${seconds(resumeMs - turn.now.ms)}`, { after });
    return after;
  }
  return rest(seen, turn, reason, why === 'sleep' ? 'lazily' : 'now');
}

/** Nothing of the vassal runs (but for instances that are leaving): decides what it does next from what is wanted. null: forgotten. */
export function rest(vassal: Vassal, turn: Turn, why: string, eagerness: Eagerness): Vassal | null {
  if (!ends(vassal, turn)) return begin(vassal, turn, why, eagerness);
  if (vassal.leaving.length > 0) return { ...vassal, state: { phase: 'stopping', why: 'stop', resumeMs: 0 } };
  if (vassal.newest === null) {
    note(turn, vassal, 'forgotten', 'its file is gone and nothing of it runs');
    return null;
  }
  const phase = vassal.want === 'paused' && turn.life === 'running' ? 'paused' : 'stopped';
  if (vassal.state.phase === phase) return vassal;
  const after: Vassal = { ...vassal, state: { phase } };
  note(turn, vassal, phase, why, { after });
  return after;
}

function ends({ newest, want }: Vassal, turn: Turn): boolean {
  return newest === null || want !== 'up' || turn.life !== 'running';
}

/** The instances that serve or start: all that live but those that are leaving. */
export function inService(vassal: Vassal): readonly Instance[] {
  return generationsOf(vassal).flatMap(instancesIn);
}

/** Nothing of it runs, but what is leaving. */
export function isDown(vassal: Vassal): boolean {
  return vassal.state.phase !== 'stopping' && inService(vassal).length === 0;
}

/** The instances that live, or are being started or stopped. */
export function living(vassal: Vassal): readonly Instance[] {
  return [...inService(vassal), ...vassal.leaving.map((each) => each.instance)];
}

function isOnDemand(runs: Runnable): boolean {
  return runs.spec.onDemand && holdsSockets(runs);
}

/** The failure that an outcome with faults is, or null. */
export function failureOf(revision: Revision, at: number): Vassal['failure'] {
  const { outcome } = revision;
  if (outcome.ok) return null;
  const [first] = outcome.faults;
  return failed(revision.number, first?.code ?? 'E_SYNTAX', outcome.faults.map(printFault).join('\n'), at);
}

/** True if two outcomes ask for the same. Faults count as the same if people would read the same. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a === b) return true;
  if (a.ok !== b.ok) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A wait in a sentence. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}

/** Every address that a vassal may ask for. */
export function addressesOf(vassal: Vassal): readonly Address[] {
  return (chosen(vassal)?.spec.listen ?? []).map(({ address }) => address);
}
