import { unreachable, type Code } from '../../errors.ts';
import { respite } from '../backoff.ts';
import type { InstanceEvent, Said } from '../event.ts';
import { printSize } from '../size.ts';
import { failed } from '../failure.ts';
import { exchange, generationsOf, placeOf, withPlace, type Taken } from '../generation.ts';
import { hasHook } from '../hook.ts';
import { bringDown, rise, seconds, stateWith } from '../lifecycle.ts';
import { advance, blame, overlap, served, verdict } from '../overlap.ts';
import type { ExitStatus, Failure, Generation, Instance, InstanceId, Place, Proof, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { reload, toApply } from './declared.ts';
import { lost } from './lost.ts';
import { pressed } from './need.ts';

/** What is told of an instance of this vassal. */
export function told(vassal: Vassal, event: InstanceEvent, turn: Turn): Vassal | null {
  switch (event.type) {
    case 'spawned':
      return spawned(vassal, event.instance, event.process, turn);
    case 'followed':
      return followed(vassal, event.instance, event.process);
    case 'unlaunchable':
      return unlaunchable(vassal, event, turn);
    case 'exited':
      return exited(vassal, event, turn);
    case 'ready':
      return ready(vassal, event.instance, event.why, turn);
    case 'unready':
      return unready(vassal, event.instance, event.answer);
    case 'sick':
      return sick(vassal, event.instance, event.answer, turn);
    case 'pressed':
      return pressed(vassal, `instance ${event.instance} asked for help`, turn);
    case 'said':
      return said(vassal, event.instance, event.said, turn);
    case 'quoted':
      return quoted(vassal, event.instance, event.lines, turn);
    default:
      return unreachable(event);
  }
}

/** Where an instance stands: in a place of a generation. */
export interface Standing {
  readonly generation: Generation;
  readonly place: Taken;
}

/** Where an instance of this vassal stands; null: nowhere, it may be leaving. */
export function find(vassal: Vassal, id: InstanceId): Standing | null {
  for (const generation of generationsOf(vassal)) {
    const place = placeOf(generation, id);
    if (place !== null) return { generation, place };
  }
  return null;
}

/** The vassal with something else in a place. Its phase stays. */
export function put(vassal: Vassal, { generation, place }: Standing, other: Place): Vassal {
  return exchange(vassal, generation, withPlace(generation, place, other));
}

function spawned(vassal: Vassal, id: InstanceId, process: Proof, turn: Turn): Vassal {
  const why = `process ${process.pid} was started`;
  const standing = find(vassal, id);
  if (standing === null) {
    const leaver = vassal.leaving.find((each) => each.instance.id === id);
    if (leaver === undefined) return vassal;
    const instance: Instance = { ...leaver.instance, process };
    note(turn, vassal, 'spawned', why, { instance });
    return { ...vassal, leaving: vassal.leaving.map((each) => (each === leaver ? { ...each, instance } : each)) };
  }
  const { place } = standing;
  const instance: Instance = { ...place.instance, process };
  note(turn, vassal, 'spawned', why, { instance });
  const { ready: readiness, startTimeoutMs } = instance.runs.spec;
  const dueMs = readiness.kind === 'after' ? turn.now.ms + readiness.ms : null;
  return put(vassal, standing, place.phase === 'starting' ? { ...place, instance, dueMs, failAtMs: turn.now.ms + startTimeoutMs } : { ...place, instance });
}

/** Its pid is that of its first process: the next emperor has to know which one to take over. */
function followed(vassal: Vassal, id: InstanceId, process: Proof): Vassal {
  const standing = find(vassal, id);
  if (standing !== null) return put(vassal, standing, { ...standing.place, instance: { ...standing.place.instance, process } });
  return { ...vassal, leaving: vassal.leaving.map((each) => (each.instance.id === id ? { ...each, instance: { ...each.instance, process } } : each)) };
}

/** It could not be started. */
export function unlaunchable(before: Vassal, event: InstanceEvent & { type: 'unlaunchable' }, turn: Turn): Vassal | null {
  const standing = find(before, event.instance);
  if (standing === null) return exited(before, { instance: event.instance, status: { kind: 'unknown' } }, turn);
  const { state } = before;
  const { instance } = standing.place;
  note(turn, before, 'unlaunchable', event.reason, { instance });
  const failure = failed(instance.runs.number, event.code, event.reason, turn.now.at);
  if (event.lasting) turn.effects.push({ type: 'recheck', vassal: before.id });
  if (state.phase === 'reloading' || !event.lasting) return lost(before, standing.generation, standing.place, { failure, status: null, readyForMs: null, alive: false }, turn);
  // The last good revision cannot be launched either: nothing is left to try.
  const good = before.good?.number === instance.runs.number ? null : before.good;
  const vassal: Vassal = { ...put(before, standing, { phase: 'queued', why: '' }), ...verdict(before, instance.runs.number), good, failure: blame(before, failure) };
  return bringDown(vassal, turn, 'restart', 'its newest revision cannot be started: back to the last good one');
}

/** It has ended, or never lived. */
export function exited(vassal: Vassal, { instance: id, status, outOfMemory = false }: Omit<InstanceEvent & { type: 'exited' }, 'type'>, turn: Turn): Vassal | null {
  const leaver = vassal.leaving.find((each) => each.instance.id === id);
  if (leaver !== undefined) {
    note(turn, vassal, 'exited', describeExit(leaver.instance, status, turn), { instance: leaver.instance, status });
    const after: Vassal = { ...vassal, leaving: vassal.leaving.filter((each) => each !== leaver) };
    // It may have been in the way of the next one: `roll`.
    if (after.state.phase === 'reloading') return proceed(after, after.state.next, turn);
    if (after.state.phase !== 'stopping' || after.leaving.length > 0) return after;
    return rise(after, turn, after.state.why === 'restart' ? 'it starts again' : 'it has ended');
  }
  const standing = find(vassal, id);
  if (standing === null) return vassal;
  const { instance, phase } = standing.place;
  const how = `${describeExit(instance, status, turn)}${outOfMemory ? `: ${memoryRanOut(instance)}` : ''}`;
  note(turn, vassal, 'exited', how, { instance, status });
  const failure = fail(instance, outOfMemory ? 'E_OUT_OF_MEMORY' : codeOf(status), how, turn);
  turn.effects.push({ type: 'quote', vassal: vassal.id, instance: id });
  const readyForMs = phase === 'ready' && instance.readyMs !== null ? turn.now.ms - instance.readyMs : null;
  return lost(vassal, standing.generation, standing.place, { failure, status, readyForMs, alive: false }, turn);
}

/** Its readiness was proven. An instance that is ready already has nothing more to prove. */
export function ready(before: Vassal, id: InstanceId, why: string, turn: Turn): Vassal | null {
  const standing = find(before, id);
  if (standing === null || (standing.place.phase !== 'starting' && standing.place.phase !== 'refreshing')) return before;
  const instance: Instance = { ...standing.place.instance, readyMs: turn.now.ms, readyAt: turn.now.at };
  const watchdog = instance.runs.spec.health?.watchdogMs ?? null;
  const vassal = put(before, standing, { phase: 'ready', instance, sinceMs: turn.now.ms, watchdogMs: watchdog === null ? null : turn.now.ms + watchdog, loyalMs: loyalMs(instance, turn.now.ms) });
  const after = proceed(vassal, standing.generation, turn);
  note(turn, before, 'ready', why, after === null ? { instance } : { instance, after });
  return after;
}

/** When it is loyal, if that is to be told. @param fromMs when it became ready */
export function loyalMs({ runs: { spec } }: Instance, fromMs: number): number | null {
  return hasHook(spec.hooks, 'after-loyal') ? fromMs + spec.backoff.resetAfterMs : null;
}

/** The places of a generation have changed: if that makes it whole, the vassal goes on. */
export function proceed(vassal: Vassal, old: Generation, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (state.phase === 'reloading') {
    const whole = old.number === state.next.number && state.next.places.every((place) => place.phase === 'ready');
    return whole && state.stage.kind === 'judging' ? advance({ ...vassal, state }, turn) : vassal;
  }
  if (!('current' in state)) return vassal;
  const { current } = state;
  if (state.phase === 'refreshing' && current.places.some((place) => place.phase === 'refreshing')) return vassal;
  const next = stateWith(current);
  const after: Vassal = next.phase === 'ready' ? served({ ...vassal, state: next }, current.runs) : { ...vassal, state: next };
  const runs = state.phase === 'refreshing' && state.again ? toApply(after) : null;
  return runs === null ? after : reload(after, current, runs, turn, 'it was touched during its reload');
}

function unready(vassal: Vassal, id: InstanceId, answer: string): Vassal {
  const standing = find(vassal, id);
  if (standing === null || (standing.place.phase !== 'starting' && standing.place.phase !== 'refreshing')) return vassal;
  return put(vassal, standing, { ...standing.place, answer });
}

/** It is not well: it is replaced, by an overlap where that is possible. */
export function sick(before: Vassal, id: InstanceId, answer: string, turn: Turn): Vassal | null {
  const standing = find(before, id);
  if (standing === null || standing.place.phase !== 'ready') return before;
  const { state } = before;
  const { place, generation } = standing;
  const { instance } = place;
  const message = `instance ${id} is sick: ${answer}`;
  const failure = fail(instance, 'E_SICK', message, turn);
  if (state.phase === 'reloading' && generation === state.current) return put(before, standing, { ...place, watchdogMs: null });
  note(turn, before, 'sick', message, { instance });
  turn.effects.push({ type: 'quote', vassal: before.id, instance: id });
  const alone = generation.places.length === 1;
  const { reload: strategy } = instance.runs.spec;
  const readyForMs = turn.now.ms - (instance.readyMs ?? turn.now.ms);
  if (state.phase === 'ready' && alone && strategy.kind === 'overlap' && answer !== WATCHDOG) {
    return relieve({ ...before, failure: blame(before, failure) }, generation, readyForMs, message, turn);
  }
  return lost(before, generation, place, { failure, status: null, readyForMs, alive: true }, turn);
}

/** Replaces the only instance of a generation by an overlap: at once, or after a wait like that of a death, in which it serves on. */
function relieve(before: Vassal, current: Generation, readyForMs: number, message: string, turn: Turn): Vassal {
  const { runs } = current;
  const { waitMs, deaths } = respite(runs.spec.backoff, before.deaths, readyForMs, before.id);
  const vassal = overlap({ ...before, deaths }, current, runs, message);
  const { state } = vassal;
  if (state.phase !== 'reloading' || waitMs === 0) return { ...vassal, restarts: vassal.restarts + 1 };
  const places = state.next.places.map((): Place => ({ phase: 'backoff', untilMs: turn.now.ms + waitMs }));
  const after: Vassal = { ...vassal, state: { ...state, next: { ...state.next, places } } };
  note(turn, before, 'backoff', `${message}; replacing it in ${seconds(waitMs)}`, { after });
  return after;
}

/** One that hangs cannot be trusted to serve on until another one is ready. */
export const WATCHDOG = 'its watchdog was not heard in time';

function said(vassal: Vassal, id: InstanceId, word: Said, turn: Turn): Vassal | null {
  const more = word.extendMs === null ? null : turn.now.ms + word.extendMs;
  const leaver = vassal.leaving.find((each) => each.instance.id === id);
  if (leaver !== undefined) {
    const instance = withStatus(leaver.instance, word);
    const dueMs = more === null || (leaver.stage !== 'told' && leaver.stage !== 'parting') ? leaver.dueMs : Math.max(leaver.dueMs, more);
    return { ...vassal, leaving: vassal.leaving.map((each) => (each === leaver ? { ...each, instance, dueMs } : each)) };
  }
  const standing = find(vassal, id);
  if (standing === null) return vassal;
  const { place } = standing;
  if (word.mainPid !== null && word.mainPid !== place.instance.process?.pid) turn.effects.push({ type: 'follow', instance: id, pid: word.mainPid });
  const instance = withStatus(place.instance, word);
  const heard = put(vassal, standing, hear({ ...place, instance }, word, more, turn));
  if (word.watchdog === 'trigger') return sick(heard, id, 'it says so itself, WATCHDOG=trigger', turn);
  return word.ready && instance.runs.spec.ready.kind === 'notify' ? ready(heard, id, 'it says so', turn) : heard;
}

function hear(place: Taken, word: Said, more: number | null, turn: Turn): Place {
  switch (place.phase) {
    case 'starting':
      return more === null || place.failAtMs === null ? place : { ...place, failAtMs: Math.max(place.failAtMs, more) };
    case 'refreshing':
      return more === null ? place : { ...place, failAtMs: Math.max(place.failAtMs, more) };
    case 'ready': {
      const watchdog = place.instance.runs.spec.health?.watchdogMs ?? null;
      return watchdog === null || word.watchdog !== 'ping' ? place : { ...place, watchdogMs: turn.now.ms + watchdog };
    }
    default:
      return unreachable(place);
  }
}

function withStatus(instance: Instance, word: Said): Instance {
  const status = word.status ?? (word.stopping ? 'stopping' : word.reloading ? 'reloading' : null);
  return status === null || status === instance.status ? instance : { ...instance, status };
}

function quoted(vassal: Vassal, id: InstanceId, lines: readonly string[], turn: Turn): Vassal {
  const { failure } = vassal;
  if (failure === null || failure.instance !== id) return vassal;
  const last = lines.at(-1);
  if (last !== undefined) note(turn, vassal, 'quoted', `instance ${id} had printed last: ${last}`, { revision: failure.revision });
  return { ...vassal, failure: { ...failure, output: lines } };
}

/** It was not ready in time. */
export function timedOut(vassal: Vassal, generation: Generation, place: Taken & { phase: 'starting' | 'refreshing' }, turn: Turn): Vassal | null {
  const { instance, answer } = place;
  const message = `instance ${instance.id} was not ready within ${instance.runs.spec.startTimeoutMs} ms${answer === null ? '' : `; its last answer: ${answer}`}`;
  turn.effects.push({ type: 'quote', vassal: vassal.id, instance: instance.id });
  return lost(vassal, generation, place, { failure: fail(instance, 'E_NOT_READY', message, turn), status: null, readyForMs: null, alive: true }, turn);
}

function fail(instance: Instance, code: Code, message: string, turn: Turn): Failure {
  return failed(instance.runs.number, code, message, turn.now.at, instance.id);
}

function codeOf(status: ExitStatus): Code {
  return status.kind === 'exited' ? 'E_EXITED' : status.kind === 'killed' ? 'E_KILLED' : 'E_VANISHED';
}

function memoryRanOut({ runs }: Instance): string {
  const { memoryBytes } = runs.spec.limits;
  return memoryBytes === null ? 'out of memory' : `out of memory, limit ${printSize(memoryBytes)}`;
}

function describeExit(instance: Instance, status: ExitStatus, turn: Turn): string {
  const age = ((turn.now.ms - instance.bornMs) / 1000).toFixed(1);
  const when = instance.readyMs === null ? `${age} s after its start, before it was ready` : `${age} s after its start`;
  switch (status.kind) {
    case 'exited':
      return `instance ${instance.id} exited with code ${status.code}, ${when}`;
    case 'killed':
      return `instance ${instance.id} was killed by ${status.signal}, ${when}`;
    case 'unknown':
      return instance.process === null ? `instance ${instance.id} was never started` : `instance ${instance.id} is gone, nobody knows how, ${when}`;
    default:
      return unreachable(status);
  }
}
