import { curse, dismiss } from './farewell.ts';
import { holdsSockets, instancesIn, isTaken, withPlaces } from './generation.ts';
import { generation, stateWith, wanted } from './lifecycle.ts';
import type { Failure, Generation, Place, Runnable, Vassal, VassalState } from './state.ts';
import { note, type Turn } from './turn.ts';

/**
 * The overlap: the next generation is started beside the current one, judged in private, and only then given the traffic.
 *
 *   judging → (canary →) swapped → ready
 *
 * - judging: the next generation starts, and only its probes reach it. With `roll` its instances come one by one: for each
 *   that is ready one of the current generation goes, and the next one is started when that has ended.
 * - canary: it gets a share of new connections.
 * - swapped: it gets all of them. The current one serves what it still has, and stays for `linger`.
 *
 * If the next generation fails in any of these, the current one has the traffic again: {@link refuse}.
 */
export type Reloading = Vassal & { readonly state: VassalState & { readonly phase: 'reloading' } };

/** Starts the next generation beside the current one. */
export function overlap(vassal: Vassal, current: Generation, runs: Runnable, why: string): Vassal {
  const count = wanted(vassal, runs);
  const [next, generations] = generation(vassal, runs, runs.spec.roll ? 1 : count, { phase: 'queued', why });
  return { ...vassal, generations, state: { phase: 'reloading', current, next, stage: { kind: 'judging', rolled: 0 } } };
}

/** All places of the next generation are ready: on to the next stage. */
export function advance(vassal: Reloading, turn: Turn): Vassal {
  const { state } = vassal;
  const { next } = state;
  const count = wanted(vassal, next.runs);
  if (next.places.length < count) return roll(vassal, turn);
  const { canary } = next.runs.spec;
  // Of one that came one by one the most part has its traffic already.
  if (canary === null || next.runs.spec.roll || !holdsSockets(next.runs)) return swap(vassal, turn);
  const untilMs = turn.now.ms + canary.forMs;
  const after: Vassal = { ...vassal, state: { ...state, stage: { kind: 'canary', untilMs } } };
  note(turn, vassal, 'canary', `revision ${next.runs.number} gets ${canary.share * 100} % of new connections`, { revision: next.runs.number, after });
  return after;
}

/** One instance of the current generation makes room for one of the next, which is started when that one has ended: there is no room for both. */
function roll(vassal: Reloading, turn: Turn): Vassal {
  const { next } = vassal.state;
  const rolled: Reloading = { ...vassal, state: { ...vassal.state, stage: { kind: 'judging', rolled: next.places.length } } };
  const room = makeRoom(rolled, turn);
  if (room.leaving.some(({ instance }) => instance.generation === room.state.current.number)) return room;
  const queued: Place = { phase: 'queued', why: 'the one before it has made room' };
  return { ...room, state: { ...room.state, next: { ...next, places: [...next.places, queued] } } };
}

function makeRoom(vassal: Reloading, turn: Turn): Reloading {
  const { state } = vassal;
  const { current, next } = state;
  const [going, ...staying] = current.places;
  if (going === undefined || staying.length === 0 || current.places.length + next.places.length <= wanted(vassal, next.runs)) return vassal;
  const leaving = isTaken(going) ? [...vassal.leaving, curse(going.instance, turn)] : vassal.leaving;
  return { ...vassal, leaving, state: { ...state, current: withPlaces(current, staying) } };
}

/** The next generation gets all new connections. */
export function swap(vassal: Reloading, turn: Turn): Vassal {
  const { state } = vassal;
  const { current, next } = state;
  if (!holdsSockets(next.runs)) return finish(vassal, turn);
  // What starts in the place of a dead one still takes the connections that wait there; what has not begun to start need not.
  const places = current.places.filter(isTaken);
  const untilMs = turn.now.ms + current.runs.spec.lingerMs;
  const stage = { kind: 'swapped', untilMs, drained: false, overdue: false, again: null } as const;
  const after: Reloading = { ...vassal, state: { ...state, current: withPlaces(current, places), stage } };
  note(turn, vassal, 'swapped', `revision ${next.runs.number} gets all new connections`, { revision: next.runs.number, after });
  return places.length === 0 ? finish(after, turn) : after;
}

/** The moment of a stage has come. */
export function passStage(vassal: Reloading, turn: Turn): Vassal {
  const { state } = vassal;
  const { stage } = state;
  switch (stage.kind) {
    case 'canary':
      return swap(vassal, turn);
    case 'swapped':
      // No connection may wait for the current one when it is told to die; but not for ever.
      if (stage.drained || stage.overdue) return finish(vassal, turn);
      return { ...vassal, state: { ...state, stage: { ...stage, untilMs: turn.now.ms + state.current.runs.spec.stopTimeoutMs, overdue: true } } };
    case 'judging':
    default:
      return vassal;
  }
}

/** No connection waits for the current generation any more. */
export function drained(vassal: Vassal, number: number, turn: Turn): Vassal {
  const { state } = vassal;
  if (state.phase !== 'reloading' || state.stage.kind !== 'swapped' || state.current.number !== number) return vassal;
  const after: Reloading = { ...vassal, state: { ...state, stage: { ...state.stage, drained: true } } };
  return state.stage.overdue || state.stage.untilMs <= turn.now.ms ? finish(after, turn) : after;
}

/** The next generation has held out: it is the current one, and the old one is told to die. */
export function finish(vassal: Reloading, turn: Turn): Vassal {
  const { current, next } = vassal.state;
  const old = instancesIn(current);
  const leaving = [...vassal.leaving, ...old.map((instance) => curse(instance, turn))];
  const serves = served({ ...vassal, leaving, state: { phase: 'ready', current: { ...next, proven: true } } }, next.runs);
  for (const instance of old) note(turn, vassal, 'cursed', 'the next generation serves in its place', { instance, after: serves });
  return serves;
}

/** That revision has become what the vassal is known to be good with. */
export function served(vassal: Vassal, runs: Runnable): Vassal {
  const { newest, failure } = vassal;
  const isNewest = newest !== null && newest.number === runs.number && newest.outcome.ok;
  return { ...vassal, good: runs, failure: isNewest ? null : failure };
}

/** The next generation failed: the current one goes on, and the newest revision is not tried again until it is touched. */
export function refuse(vassal: Reloading, failure: Failure, turn: Turn): Vassal {
  const { current, next } = vassal.state;
  const leaving = [...vassal.leaving, ...dismiss(vassal, next, turn)];
  const missing = Math.max(0, wanted(vassal, current.runs) - current.places.length);
  const refill = Array.from({ length: missing }, (): Place => ({ phase: 'queued', why: 'the next generation failed' }));
  // Looked after anew: it may have been sick, which is told once.
  const places = current.places.map((place): Place => (place.phase === 'ready' ? { ...place, sinceMs: turn.now.ms } : place));
  const after: Vassal = { ...vassal, ...verdict(vassal, failure.revision), leaving, failure: blame(vassal, failure), state: stateWith(withPlaces(current, [...places, ...refill])) };
  note(turn, vassal, 'rejected', `${failure.message}; the current ${places.length === 1 ? 'instance goes' : 'instances go'} on`, { after, revision: failure.revision });
  return after;
}

/** What a failed revision is from now on: the newest is refused, and one that an operator went back to is gone back to no more. */
export function verdict({ pinned, rejected, newest }: Vassal, failed: number): Pick<Vassal, 'pinned' | 'rejected'> {
  return { pinned: pinned?.number === failed ? null : pinned, rejected: rejected || newest?.number === failed };
}

/** `failure` speaks of the newest revision: what befalls an older one that goes on in its place does not hide that. */
export function blame(vassal: Vassal, failure: Failure): Failure {
  return vassal.failure !== null && failure.revision !== vassal.newest?.number ? vassal.failure : failure;
}
