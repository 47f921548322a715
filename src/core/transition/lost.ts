import { respite } from '../backoff.ts';
import { curse } from '../farewell.ts';
import { exchange, withPlace } from '../generation.ts';
import { bringDown, launch, seconds, stateWith } from '../lifecycle.ts';
import { blame, finish, refuse, verdict, type Reloading } from '../overlap.ts';
import type { ExitStatus, Failure, Generation, Place, Vassal } from '../state.ts';
import type { Taken } from '../generation.ts';
import { note, type Turn } from '../turn.ts';
import { afterSwap } from './declared.ts';

/** How a place has lost its instance. */
export interface Loss {
  readonly failure: Failure;
  /** null: it never lived, or it lives and is given up. */
  readonly status: ExitStatus | null;
  /** How long it had been ready; null: it was not. */
  readonly readyForMs: number | null;
  /** It is given up while it lives, and has to be told to die. */
  readonly alive: boolean;
}

/** A place has lost its instance, and nobody had asked for that. */
export function lost(before: Vassal, generation: Generation, place: Taken, loss: Loss, turn: Turn): Vassal | null {
  const { state } = before;
  if (state.phase === 'reloading') return lostInReload({ ...before, state }, generation, place, loss, turn);
  if (!('current' in state)) return before;
  const vassal: Vassal = { ...before, failure: blame(before, loss.failure) };
  const { spec } = generation.runs;
  if (loss.status !== null && isLeft(spec.restart, loss.status)) return leave(before, generation, place, loss.failure, loss.status, turn);
  if (canFallBack(before, generation, state.phase === 'refreshing')) {
    note(turn, before, 'rejected', `${loss.failure.message}; back to the last good revision`, { revision: generation.runs.number });
    // One that lives still holds what the other one needs: its end is waited for.
    const emptied = loss.alive ? vassal : empty(vassal, generation, place, loss, turn);
    return bringDown({ ...emptied, ...verdict(vassal, generation.runs.number) }, turn, 'restart', 'the last good revision takes its place');
  }
  const { waitMs, deaths } = respite(spec.backoff, before.deaths, loss.readyForMs, before.id);
  if (loss.alive && generation.places.length === 1) {
    // What it holds (a port, a lock) the next one needs: that has to wait for its end.
    const resumeMs = turn.now.ms + waitMs;
    return bringDown({ ...vassal, deaths, restarts: vassal.restarts + 1 }, turn, 'backoff', loss.failure.message, resumeMs);
  }
  return refill({ ...vassal, deaths }, generation, place, loss, waitMs, turn);
}

/** Starts another one in its place: at once, or after a wait. */
function refill(vassal: Vassal, generation: Generation, place: Taken, loss: Loss, waitMs: number, turn: Turn): Vassal {
  const leaving = loss.alive ? [...vassal.leaving, curse(place.instance, turn)] : vassal.leaving;
  if (waitMs === 0) {
    const restarted: Vassal = { ...vassal, leaving, restarts: vassal.restarts + 1 };
    const other = launch(restarted, generation, turn, 'it is started again at once');
    return withCurrent(restarted, withPlace(generation, place, other));
  }
  const after = withCurrent({ ...vassal, leaving }, withPlace(generation, place, { phase: 'backoff', untilMs: turn.now.ms + waitMs }));
  note(turn, vassal, 'backoff', `${loss.failure.message}; starting again in ${seconds(waitMs)}`, { after });
  return after;
}

/** While it is not replaced, its phase is that of what it has. */
function withCurrent(vassal: Vassal, current: Generation): Vassal {
  return vassal.state.phase === 'reloading' ? exchange(vassal, vassal.state.current, current) : { ...vassal, state: stateWith(current) };
}

function lostInReload(vassal: Reloading, generation: Generation, place: Taken, loss: Loss, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (generation === state.next) {
    const rest: Reloading = loss.alive ? vassal : { ...vassal, state: { ...state, next: withPlace(generation, place, null) } };
    return afterSwap(vassal, refuse(rest, loss.failure, turn), turn);
  }
  if (state.stage.kind === 'swapped') {
    const current = withPlace(generation, place, null);
    const leaving = loss.alive ? [...vassal.leaving, curse(place.instance, turn)] : vassal.leaving;
    const after: Reloading = { ...vassal, leaving, state: { ...state, current } };
    return current.places.length === 0 ? afterSwap(vassal, finish(after, turn), turn) : after;
  }
  const { waitMs, deaths } = respite(generation.runs.spec.backoff, vassal.deaths, loss.readyForMs, vassal.id);
  return refill({ ...vassal, deaths }, generation, place, loss, waitMs, turn);
}

/** Takes the instance out of its place; if it lives it is told to die. */
function empty<V extends Vassal>(vassal: V, generation: Generation, place: Taken, loss: Loss, turn: Turn): V {
  const leaving = loss.alive ? [...vassal.leaving, curse(place.instance, turn)] : vassal.leaving;
  const current: Place = { phase: 'queued', why: '' };
  const { state } = vassal;
  if (state.phase === 'reloading' || !('current' in state)) return { ...vassal, leaving };
  return { ...vassal, leaving, state: { ...state, current: withPlace(generation, place, current) } };
}

/** There is an older revision that was good, and the one that failed has never been. */
function canFallBack(vassal: Vassal, generation: Generation, refreshed: boolean): boolean {
  const { good } = vassal;
  if (good === null || good.number === generation.runs.number || !generation.runs.spec.rollback) return false;
  return !generation.proven || refreshed;
}

function isLeft(restart: 'always' | 'on-failure' | 'never', status: ExitStatus): boolean {
  const clean = status.kind === 'exited' && status.code === 0;
  return restart === 'never' || (restart === 'on-failure' && clean);
}

/** Its restart policy says to leave it: the place is given up, and with the last one the vassal has ended. */
function leave(before: Vassal, generation: Generation, place: Taken, failure: Failure, status: ExitStatus, turn: Turn): Vassal {
  const { restart } = generation.runs.spec;
  const clean = status.kind === 'exited' && status.code === 0;
  const newest = before.newest?.number === generation.runs.number && before.newest.outcome.ok;
  const told = !clean ? blame(before, failure) : newest ? null : before.failure;
  const rest = withPlace(generation, place, null);
  const state: Vassal['state'] = rest.places.length > 0 ? stateWith(rest) : { phase: 'exited', status };
  const after: Vassal = { ...before, failure: told, state };
  note(turn, before, 'stopped', `restart = "${restart}": it is left as it is`, { after });
  return after;
}
