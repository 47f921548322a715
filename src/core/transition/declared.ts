import { unreachable } from '../../errors.ts';
import { awaitLeaving, bringDown, curse, failureOf, isDown, mint, rest, sameOutcome } from '../lifecycle.ts';
import type { Declaration } from '../listing.ts';
import type { Instance, Remembered, Revision, Runnable, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';

/**
 * A file that is shown for the first time in this life of the emperor, or again after it was forgotten.
 * @param numbered the highest number of its forgotten revisions
 */
export function appeared(declaration: Declaration, source: string, remembered: Remembered | undefined, numbered: number, turn: Turn): Vassal | null {
  const known = remembered?.newest ?? null;
  const number = known === null ? numbered + 1 : known.hash === declaration.hash ? known.number : known.number + 1;
  const newest: Revision = { number, hash: declaration.hash, text: declaration.text, outcome: declaration.outcome };
  const touched = remembered === undefined || remembered.stamp !== declaration.stamp;
  const vassal: Vassal = {
    id: declaration.id,
    name: declaration.name,
    source,
    newest,
    numbered: number,
    stamp: declaration.stamp,
    unread: false,
    rejected: false,
    good: remembered?.good ?? null,
    want: touched ? 'up' : remembered.want,
    state: { phase: 'stopped' },
    leaving: curseAll(remembered, turn),
    failure: failureOf(newest, turn.now.at),
    restarts: remembered?.restarts ?? 0,
    deaths: 0,
  };
  note(turn, vassal, 'appeared', remembered === undefined ? 'its file was found' : 'its file was found again');
  const instance = remembered?.living ?? null;
  // What was told to die before a restart may hold what the next instance wants: its port, its lock.
  if (instance === null) return awaitLeaving(vassal, vassal.want === 'up' ? 'restart' : 'stop') ?? rest(vassal, turn, 'it is to run');
  const adopted = adopt(vassal, instance, turn);
  if (adopted.want === 'down') return bringDown(adopted, turn, 'stop', 'it was stopped by an operator');
  const behind = touched || instance.runs.number !== number;
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
    want: remembered.want,
    state: { phase: 'stopped' },
    leaving: curseAll(remembered, turn),
    failure: null,
    restarts: remembered.restarts,
    deaths: 0,
  };
  const why = remembered.newest === null ? 'it runs, and nothing is remembered of it' : 'its file went away while no emperor was there';
  return remembered.living === null ? rest(vassal, turn, why) : bringDown(adopt(vassal, remembered.living, turn), turn, 'stop', why);
}

function curseAll(remembered: Remembered | undefined, turn: Turn): Vassal['leaving'] {
  return (remembered?.leaving ?? []).map((instance) => curse(instance, turn));
}

function adopt(vassal: Vassal, instance: Instance, turn: Turn): Vassal {
  const after: Vassal = instance.readyMs === null
    ? { ...vassal, state: { phase: 'starting', instance, dueMs: turn.now.ms + instance.runs.spec.ready.ms } }
    : { ...vassal, state: { phase: 'ready', instance } };
  note(turn, vassal, 'adopted', 'it was started by an earlier emperor and lives', { instance, after });
  return after;
}

/** A known vassal is shown again. The same look twice changes nothing. */
export function declared(before: Vassal, declaration: Declaration, source: string, turn: Turn): Vassal | null {
  const old = before.newest;
  if (old !== null && declaration.hash === '') return unreadable(before, old, declaration, source, turn);
  if (old !== null && before.stamp === declaration.stamp && old.hash === declaration.hash && sameOutcome(old.outcome, declaration.outcome)) {
    if (before.unread) return readable(before, old, source, turn);
    return before.source === source ? before : { ...before, source };
  }
  const edited = old === null || old.hash !== declaration.hash;
  const touched = before.stamp !== declaration.stamp;
  const number = old === null || edited ? before.numbered + 1 : old.number;
  const newest: Revision = { number, hash: declaration.hash, text: declaration.text, outcome: declaration.outcome };
  const vassal: Vassal = {
    ...before,
    source,
    newest,
    numbered: number,
    stamp: declaration.stamp,
    unread: false,
    rejected: false,
    want: edited || touched ? 'up' : before.want,
    failure: failureOf(newest, turn.now.at) ?? (edited ? null : before.failure),
    deaths: 0,
  };
  const event = edited ? 'edited' : touched ? 'touched' : declaration.outcome.ok ? 'edited' : 'fault';
  const why = vassal.failure !== null && !newest.outcome.ok ? vassal.failure.message
    : edited ? 'its file has a new text' : touched ? 'its file was touched' : 'what it lacked is there now';
  note(turn, vassal, event, why);
  return apply(vassal, turn, why);
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

/** Brings the newest revision into service, by the way that the vassal's phase and reload strategy call for. */
export function apply(vassal: Vassal, turn: Turn, why: string): Vassal | null {
  const { state, newest } = vassal;
  if (newest === null || vassal.want === 'down') return vassal;
  if (isDown(state)) return rest(vassal, turn, why);
  if (state.phase === 'stopping') return { ...vassal, state: { ...state, why: 'restart' } };
  // A file at fault changes nothing that runs.
  if (!newest.outcome.ok) return vassal;
  const runs: Runnable = { number: newest.number, spec: newest.outcome.spec };
  switch (state.phase) {
    case 'starting':
      return bringDown(vassal, turn, 'restart', why);
    case 'refreshing':
      return { ...vassal, state: { ...state, again: true } };
    case 'ready':
      return reload(vassal, state.instance, runs, turn, why);
    case 'reloading': {
      const leaving = [...vassal.leaving, curse(state.next, turn)];
      return overlap({ ...vassal, leaving }, state.current, runs, turn, why);
    }
    default:
      return unreachable(state);
  }
}

/** Reloads what is ready, as the revision that is to come asks for. */
export function reload(vassal: Vassal, current: Instance, runs: Runnable, turn: Turn, why: string): Vassal | null {
  const strategy = runs.spec.reload;
  switch (strategy.kind) {
    case 'overlap':
      return overlap(vassal, current, runs, turn, why);
    case 'restart':
      return bringDown(vassal, turn, 'restart', why);
    case 'signal': {
      // A signal cannot give a process another program, environment or user.
      if (!launchesAlike(current.runs, runs)) return bringDown(vassal, turn, 'restart', why);
      turn.effects.push({ type: 'signal', instance: current.id, signal: strategy.signal, whom: 'main' });
      const instance: Instance = { ...current, runs };
      const after: Vassal = { ...vassal, state: { phase: 'refreshing', instance, dueMs: turn.now.ms + runs.spec.ready.ms, again: false } };
      note(turn, vassal, 'launch', `${why}: told to reload by ${strategy.signal}`, { instance, after });
      return after;
    }
    default:
      return unreachable(strategy);
  }
}

function overlap(vassal: Vassal, current: Instance, runs: Runnable, turn: Turn, why: string): Vassal {
  const next = mint(vassal, runs, turn);
  const after: Vassal = { ...vassal, state: { phase: 'reloading', current, next, dueMs: null } };
  note(turn, vassal, 'launch', why, { instance: next, after });
  return after;
}

function launchesAlike(a: Runnable, b: Runnable): boolean {
  const facts = ({ spec }: Runnable): string =>
    JSON.stringify([spec.argv, spec.directory, spec.environment, spec.environmentFile, spec.user, spec.group, spec.umask]);
  return facts(a) === facts(b);
}

