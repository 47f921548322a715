import { unreachable } from '../errors.ts';
import { printFault } from './fault.ts';
import type { Outcome } from './listing.ts';
import type { Instance, InstanceId, Leaving, Revision, Runnable, Vassal, VassalState } from './state.ts';
import { note, type Turn } from './turn.ts';

/** An instance that survives SIGKILL this long (it hangs in the kernel) is killed again. */
export const KILL_AGAIN_MS = 5_000;

/** The revision that ought to run: the newest, unless it is at fault or was refused; then the last good one. */
export function chosen(vassal: Vassal): Runnable | null {
  const { newest, good } = vassal;
  if (newest === null) return null;
  if (newest.outcome.ok && !vassal.rejected) return { number: newest.number, spec: newest.outcome.spec };
  // A good revision with the newest's number is the same text, which this host can run no longer.
  return good !== null && good.number !== newest.number ? good : null;
}

/** Starts what ought to run. Ends in `starting`, or in `invalid` if nothing can. */
export function begin(vassal: Vassal, turn: Turn, why: string): Vassal {
  const runs = chosen(vassal);
  if (runs === null) {
    const after: Vassal = { ...vassal, state: { phase: 'invalid' } };
    if (vassal.state.phase !== 'invalid') note(turn, vassal, 'fault', vassal.failure?.message ?? 'nothing can be run', { after });
    return after;
  }
  const instance = mint(vassal, runs, turn);
  const after: Vassal = { ...vassal, state: { phase: 'starting', instance, dueMs: null } };
  note(turn, vassal, 'launch', why, { instance, after });
  return after;
}

/** A new instance of a vassal, with the order to launch it. */
export function mint(vassal: Vassal, runs: Runnable, turn: Turn): Instance {
  const serial = turn.nextSerial;
  turn.nextSerial += 1;
  const instance: Instance = {
    id: `${vassal.name}#${serial}` as InstanceId,
    serial,
    runs,
    process: null,
    bornMs: turn.now.ms,
    bornAt: turn.now.at,
    readyMs: null,
    readyAt: null,
    adopted: false,
  };
  turn.effects.push({ type: 'launch', vassal: vassal.id, name: vassal.name, instance });
  return instance;
}

/** Tells an instance to die; its whole group is killed when its stop timeout has passed. */
export function curse(instance: Instance, turn: Turn): Leaving {
  const { stopSignal, stopTimeoutMs } = instance.runs.spec;
  turn.effects.push({ type: 'signal', instance: instance.id, signal: stopSignal, whom: 'main' });
  return { instance, killAtMs: turn.now.ms + stopTimeoutMs, killed: false };
}

/** Curses what serves or starts. A vassal of which nothing runs goes where {@link rest} sends it. */
export function bringDown(vassal: Vassal, turn: Turn, why: 'restart' | 'stop', reason: string): Vassal | null {
  const { state } = vassal;
  if (isDown(state)) return rest(vassal, turn, reason);
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'ready':
      return stopping(vassal, state.instance, vassal.leaving, turn, why, reason);
    case 'reloading':
      return stopping(vassal, state.current, [...vassal.leaving, curse(state.next, turn)], turn, why, reason);
    case 'stopping':
      return { ...vassal, state: { ...state, why } };
    default:
      return unreachable(state);
  }
}

function stopping(vassal: Vassal, instance: Instance, leaving: readonly Leaving[], turn: Turn, why: 'restart' | 'stop', reason: string): Vassal {
  const { killAtMs } = curse(instance, turn);
  const after: Vassal = { ...vassal, leaving, state: { phase: 'stopping', cursed: instance, killAtMs, killed: false, why } };
  note(turn, vassal, 'cursed', reason, { instance, after });
  return after;
}

/** Nothing of the vassal runs (but for instances that are leaving): decides what it does next from what is wanted. null: forgotten. */
export function rest(vassal: Vassal, turn: Turn, why: string): Vassal | null {
  const ends = vassal.newest === null || vassal.want === 'down' || turn.life !== 'running';
  if (!ends) return begin(vassal, turn, why);
  const leaves = awaitLeaving(vassal, 'stop');
  if (leaves !== null) return leaves;
  if (vassal.newest === null) {
    note(turn, vassal, 'forgotten', 'its file is gone and nothing of it runs');
    return null;
  }
  if (vassal.state.phase === 'stopped') return vassal;
  const after: Vassal = { ...vassal, state: { phase: 'stopped' } };
  note(turn, vassal, 'stopped', why, { after });
  return after;
}

/** Waits for the end of what is leaving, where nothing else is to run before. null: nothing is leaving. */
export function awaitLeaving(vassal: Vassal, why: 'restart' | 'stop'): Vassal | null {
  const [first, ...others] = vassal.leaving;
  if (first === undefined) return null;
  const state: VassalState = { phase: 'stopping', cursed: first.instance, killAtMs: first.killAtMs, killed: first.killed, why };
  return { ...vassal, leaving: others, state };
}

/** Phases in which nothing runs but what is leaving. */
export function isDown(state: VassalState): state is VassalState & { readonly phase: 'backoff' | 'stopped' | 'exited' | 'invalid' } {
  return state.phase === 'backoff' || state.phase === 'stopped' || state.phase === 'exited' || state.phase === 'invalid';
}

/** The instances that live, or are being started or stopped. */
export function living(vassal: Vassal): readonly Instance[] {
  const leaving = vassal.leaving.map((each) => each.instance);
  const { state } = vassal;
  if (isDown(state)) return leaving;
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'ready':
      return [state.instance, ...leaving];
    case 'reloading':
      return [state.current, state.next, ...leaving];
    case 'stopping':
      return [state.cursed, ...leaving];
    default:
      return unreachable(state);
  }
}

/** The failure that an outcome with faults is, or null. */
export function failureOf(revision: Revision, at: number): Vassal['failure'] {
  const { outcome } = revision;
  if (outcome.ok) return null;
  const [first] = outcome.faults;
  return { revision: revision.number, code: first?.code ?? 'E_SYNTAX', message: outcome.faults.map(printFault).join('\n'), at };
}

/** True if two outcomes ask for the same. Faults count as the same if people would read the same. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a === b) return true;
  if (a.ok !== b.ok) return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
