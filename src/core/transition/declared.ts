import { unreachable } from '../../errors.ts';
import { dismiss } from '../farewell.ts';
import { instancesIn } from '../generation.ts';
import { bringDown, chosen, failureOf, inService, rest, sameOutcome } from '../lifecycle.ts';
import type { Declaration } from '../listing.ts';
import { overlap, type Reloading } from '../overlap.ts';
import type { Generation, Place, Remembered, Revision, Runnable, Vassal, Want } from '../state.ts';
import type { Reload } from '../spec.ts';
import { changedHands, newHands, stillOwned } from '../tyrant.ts';
import { note, type Turn } from '../turn.ts';
import { adopt, highest, dismissAll } from './adopted.ts';

/**
 * A file that is shown for the first time in this life of the emperor, or again after it was forgotten.
 * @param numbered the highest number of its forgotten revisions
 */
export function appeared(declaration: Declaration, source: string, remembered: Remembered | undefined, numbered: number, turn: Turn): Vassal | null {
  const known = remembered?.newest ?? null;
  const number = known === null ? numbered + 1 : known.hash === declaration.hash ? known.number : known.number + 1;
  const newest = revisionOf(declaration, number);
  const touched = remembered === undefined || remembered.stamp !== declaration.stamp;
  const vassal: Vassal = {
    id: declaration.id,
    name: declaration.name,
    source,
    newest,
    numbered: number,
    stamp: declaration.stamp,
    unread: false,
    rejected: !touched && remembered.rejected,
    good: stillOwned(remembered?.good ?? null, declaration.basis),
    pinned: touched ? null : stillOwned(remembered.pinned, declaration.basis),
    scale: touched ? lastingScale(remembered?.scale ?? null, declaration.outcome) : remembered.scale,
    need: null,
    want: !touched ? remembered.want : declaration.awaitsCommand === true && (remembered?.want ?? 'down') === 'down' ? 'down' : 'up',
    generations: highest(remembered),
    state: { phase: 'stopped' },
    leaving: dismissAll(remembered, turn),
    failure: failureOf(newest, turn.now.at) ?? (touched ? null : remembered.failure),
    restarts: remembered?.restarts ?? 0,
    deaths: 0,
  };
  note(turn, vassal, 'appeared', `${remembered === undefined ? 'its file was found' : 'its file was found again'}${declaration.awaitsCommand === true && vassal.want === 'down' ? '; it waits for a command to start' : ''}`);
  const instances = remembered?.living ?? [];
  const [first] = instances;
  if (first === undefined) {
    // What was told to die before a restart may hold what the next instance wants: its port, its lock.
    if (vassal.leaving.length > 0) return { ...vassal, state: { phase: 'stopping', why: vassal.want === 'up' ? 'restart' : 'stop', resumeMs: 0 } };
    const exited = touched ? null : remembered.exited;
    if (exited !== null && vassal.want === 'up') return { ...vassal, state: { phase: 'exited', status: exited } };
    return rest(vassal, turn, 'it is to run', 'lazily');
  }
  const adopted = adopt(vassal, first.runs, instances, turn);
  const hands = first.runs.spec.owned?.owner;
  if (changedHands(hands, declaration.basis?.owner)) return bringDown(adopted, turn, 'restart', newHands(hands, declaration.basis?.owner));
  if (adopted.want !== 'up') return bringDown(adopted, turn, 'stop', 'it was stopped by an operator');
  const behind = touched || chosen(adopted)?.number !== first.runs.number || (remembered.cutShort && !adopted.rejected);
  return behind ? apply(adopted, turn, 'what its file says was not deployed yet when no emperor was there') : adopted;
}

/** A vassal whose file went away while no emperor was there, or a stray, which has none. What lives of it is taken over and ended; null: nothing does. */
export function orphaned(remembered: Remembered, turn: Turn): Vassal | null {
  const vassal: Vassal = {
    id: remembered.id,
    name: remembered.name,
    source: remembered.source,
    newest: null,
    numbered: remembered.newest?.number ?? 0,
    stamp: remembered.stamp,
    unread: false,
    rejected: false,
    good: remembered.good,
    pinned: null,
    scale: null,
    need: null,
    want: remembered.want,
    generations: highest(remembered),
    state: { phase: 'stopped' },
    leaving: dismissAll(remembered, turn),
    failure: null,
    restarts: remembered.restarts,
    deaths: 0,
  };
  const why = remembered.newest === null ? 'it runs, and nothing is remembered of it' : 'its file went away while no emperor was there';
  const [first] = remembered.living;
  return first === undefined ? rest(vassal, turn, why, 'lazily') : bringDown(adopt(vassal, first.runs, remembered.living, turn), turn, 'stop', why);
}

/** What an operator asked for counts more than the need until the file is touched; more than a plain number in the file it counts for good. */
function lastingScale(scale: number | null, outcome: Declaration['outcome']): number | null {
  return outcome.ok && outcome.spec.scaling !== null ? null : scale;
}

/** A known vassal is shown again. The same look twice changes nothing. */
export function declared(before: Vassal, declaration: Declaration, source: string, turn: Turn): Vassal | null {
  const old = before.newest;
  const hands = old?.basis?.owner;
  if (old !== null && changedHands(hands, declaration.basis?.owner)) return handedOver(before, declaration, source, turn, newHands(hands, declaration.basis?.owner));
  if (old !== null && declaration.hash === '') return unreadable(before, old, declaration, source, turn);
  if (old !== null && before.stamp === declaration.stamp && old.hash === declaration.hash && sameOutcome(old.outcome, declaration.outcome)) {
    if (before.unread) return readable(before, old, source, turn);
    return before.source === source ? before : { ...before, source };
  }
  const edited = old === null || old.hash !== declaration.hash;
  const touched = before.stamp !== declaration.stamp;
  const number = old === null || edited ? before.numbered + 1 : old.number;
  const newest = revisionOf(declaration, number);
  const vassal: Vassal = {
    ...before,
    source,
    newest,
    numbered: number,
    stamp: declaration.stamp,
    unread: false,
    rejected: false,
    pinned: null,
    scale: lastingScale(before.scale, declaration.outcome),
    want: edited || touched ? wantAnew(before.want, declaration) : before.want,
    failure: failureOf(newest, turn.now.at) ?? (edited ? null : before.failure),
    deaths: 0,
  };
  const event = edited ? 'edited' : touched ? 'touched' : declaration.outcome.ok ? 'edited' : 'fault';
  const why = vassal.failure !== null && !newest.outcome.ok ? vassal.failure.message
    : edited ? 'its file has a new text' : touched ? 'its file was touched' : 'what it lacked is there now';
  note(turn, vassal, event, why);
  return apply(vassal, turn, why);
}

/** What a touch or an edit makes of what an operator wants: it is to run, unless that takes an order. */
function wantAnew(want: Want, { awaitsCommand }: Declaration): Want {
  return want === 'paused' || (want === 'down' && awaitsCommand === true) ? want : 'up';
}

function revisionOf({ hash, text, basis, outcome }: Declaration, number: number): Revision {
  return { number, hash, text, ...(basis === undefined ? {} : { basis }), outcome };
}

/** Tyrant mode: nothing of the former owner goes on, or is started again. */
function handedOver(before: Vassal, declaration: Declaration, source: string, turn: Turn, why: string): Vassal | null {
  const newest = revisionOf(declaration, before.numbered + 1);
  const vassal: Vassal = {
    ...before,
    source,
    newest,
    numbered: newest.number,
    stamp: declaration.stamp,
    unread: false,
    rejected: false,
    good: null,
    pinned: null,
    want: wantAnew(before.want, declaration),
    failure: failureOf(newest, turn.now.at),
    deaths: 0,
  };
  note(turn, vassal, 'edited', why);
  return bringDown(vassal, turn, 'restart', why);
}

/** The file cannot be read (for now): like a blind source, that says nothing about what it holds. */
function unreadable(before: Vassal, old: Revision, declaration: Declaration, source: string, turn: Turn): Vassal {
  const failure = failureOf({ ...old, outcome: declaration.outcome }, turn.now.at);
  if (before.unread && before.failure?.message === failure?.message) return before.source === source ? before : { ...before, source };
  note(turn, before, 'fault', `${failure?.message ?? 'its file cannot be read'}; what it said last stands`);
  return { ...before, source, unread: true, failure };
}

function readable(before: Vassal, old: Revision, source: string, turn: Turn): Vassal {
  note(turn, before, 'sighted', 'its file can be read again, and says what it said');
  return { ...before, source, unread: false, failure: failureOf(old, turn.now.at) };
}

/** The file of a vassal is gone. */
export function vanished(before: Vassal, turn: Turn): Vassal | null {
  if (before.newest === null) return before;
  const vassal: Vassal = { ...before, newest: null };
  note(turn, before, 'vanished', 'its file is gone');
  return bringDown(vassal, turn, 'stop', 'its file is gone');
}

/** Brings what ought to run into service, by the way that the vassal's phase and reload strategy call for. */
export function apply(vassal: Vassal, turn: Turn, why: string): Vassal | null {
  const { state, newest } = vassal;
  if (newest === null || vassal.want !== 'up') return vassal;
  switch (state.phase) {
    case 'stopping':
      return { ...vassal, state: { ...state, why: 'restart', resumeMs: 0 } };
    case 'idle':
    case 'waiting':
    case 'paused':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return rest(vassal, turn, why, 'lazily');
    case 'backoff':
      return inService(vassal).length === 0 ? rest(vassal, turn, why, 'now') : replace(vassal, turn, why);
    case 'starting':
    case 'refreshing':
    case 'ready':
    case 'reloading':
      return replace(vassal, turn, why);
    default:
      return unreachable(state);
  }
}

/** Something of the vassal runs. */
function replace(vassal: Vassal, turn: Turn, why: string): Vassal | null {
  const { state } = vassal;
  // A file at fault changes nothing that runs.
  const runs = toApply(vassal);
  if (runs === null) return vassal;
  if (state.phase === 'refreshing') return { ...vassal, state: { ...state, again: true } };
  if (state.phase === 'ready') return reload(vassal, state.current, runs, turn, why);
  if (state.phase !== 'reloading') return bringDown(vassal, turn, 'restart', why);
  // Both generations have connections: the one that goes is given its time.
  if (state.stage.kind === 'swapped') return { ...vassal, state: { ...state, stage: { ...state.stage, again: why } } };
  const leaving = [...vassal.leaving, ...dismiss(vassal, state.next, turn)];
  return overlap({ ...vassal, leaving }, state.current, runs, why);
}

/** What a vassal of which something runs is to run; null: it is left as it is. */
export function toApply(vassal: Vassal): Runnable | null {
  return vassal.pinned ?? (vassal.newest?.outcome.ok === true ? chosen(vassal) : null);
}

/** What comes after a swap: nothing or, if the file was touched meanwhile, one more reload. @param after the vassal once the swap is over, in one way or the other */
export function afterSwap({ state: { stage } }: Reloading, after: Vassal | null, turn: Turn): Vassal | null {
  if (stage.kind !== 'swapped' || stage.again === null || after === null || after.state.phase === 'reloading') return after;
  return apply({ ...after, rejected: false }, turn, stage.again);
}

/** Reloads what is ready, as the revision that is to come asks for. */
export function reload(vassal: Vassal, current: Generation, runs: Runnable, turn: Turn, why: string): Vassal | null {
  const strategy = runs.spec.reload;
  switch (strategy.kind) {
    case 'overlap':
      return overlap(vassal, current, runs, why);
    case 'restart':
      return bringDown(vassal, turn, 'restart', why);
    case 'signal':
    case 'channel':
      // That cannot give a process another program, environment, user or socket.
      return launchesAlike(current.runs, runs) ? refresh(vassal, current, runs, strategy, turn, why) : bringDown(vassal, turn, 'restart', why);
    default:
      return unreachable(strategy);
  }
}

type Refreshing = Extract<Reload, { readonly kind: 'signal' | 'channel' }>;

function refresh(vassal: Vassal, current: Generation, runs: Runnable, strategy: Refreshing, turn: Turn, why: string): Vassal {
  const { ready, startTimeoutMs } = runs.spec;
  const places = current.places.map((place): Place => {
    if (place.phase !== 'ready') return place;
    const { id } = place.instance;
    const awaited = strategy.kind === 'channel';
    turn.effects.push(awaited ? { type: 'ask', instance: id, what: 'reload' } : { type: 'signal', instance: id, signal: strategy.signal, whom: 'main' });
    const dueMs = ready.kind === 'after' && !awaited ? turn.now.ms + ready.ms : null;
    // What is read by the program itself is tried first, which may take as long.
    const leftMs = awaited && runs.spec.source !== null ? 2 * startTimeoutMs : startTimeoutMs;
    return { phase: 'refreshing', awaited, instance: { ...place.instance, runs }, dueMs, failAtMs: turn.now.ms + leftMs, answer: null, sinceMs: turn.now.ms };
  });
  const after: Vassal = { ...vassal, state: { phase: 'refreshing', current: { ...current, runs, places }, again: false } };
  for (const instance of instancesIn(current)) note(turn, vassal, 'launch', `${why}: told to reload ${strategy.kind === 'channel' ? 'on its channel' : `by ${strategy.signal}`}`, { instance: { ...instance, runs }, after });
  return after;
}

function launchesAlike(a: Runnable, b: Runnable): boolean {
  const facts = ({ spec }: Runnable): string =>
    JSON.stringify([spec.argv, spec.directory, spec.environment, spec.environmentFile, spec.user, spec.group, spec.umask, spec.listen, spec.passing, spec.channel, spec.instances]);
  return facts(a) === facts(b);
}
