import { holdsSockets, instancesIn } from './generation.ts';
import { hasHook } from './hook.ts';
import type { Generation, Instance, InstanceId, Leaving, Vassal } from './state.ts';
import { note, type Turn } from './turn.ts';

/**
 * How an instance goes:
 *
 *   (draining →) (parting →) told → killed
 *
 * - draining: it gets no new connections, and serves those that wait for it. It is told when none waits any more, at the latest after its stop timeout, or after its linger where something waits for its end.
 * - parting: its hook `before-stop` runs. It is told when that has ended, in whatever way, at the latest after its stop timeout.
 * - told: it has got its stop signal, and its stop timeout runs.
 * - killed: with its whole group.
 */

/** An instance that survives SIGKILL this long (it hangs in the kernel) is killed again. */
const KILL_AGAIN_MS = 5_000;

/** Tells an instance to die; first its hook `before-stop` runs, if it has one. */
export function curse(instance: Instance, turn: Turn): Leaving {
  const { hooks, stopTimeoutMs } = instance.runs.spec;
  if (instance.process === null || !hasHook(hooks, 'before-stop')) return tell(instance, turn);
  return { instance, stage: 'parting', dueMs: turn.now.ms + stopTimeoutMs };
}

/** Tells an instance to die, now. */
export function tell(instance: Instance, turn: Turn): Leaving {
  const { stopSignal, stopTimeoutMs } = instance.runs.spec;
  turn.effects.push(stopSignal === null ? { type: 'ask', instance: instance.id, what: 'stop' } : { type: 'signal', instance: instance.id, signal: stopSignal, whom: 'main' });
  return { instance, stage: 'told', dueMs: turn.now.ms + stopTimeoutMs };
}

/** Kills an instance with its whole group, now; and again if that should not help. */
export function kill(instance: Instance, turn: Turn): Leaving {
  turn.effects.push({ type: 'signal', instance: instance.id, signal: 'SIGKILL', whom: 'group' });
  return { instance, stage: 'killed', dueMs: turn.now.ms + KILL_AGAIN_MS };
}

/**
 * Lets a generation go whose new connections another one gets from now on: it serves those that wait for it before. What users never came to is told at once.
 * @param atMostMs how long that may take; without it the stop timeout
 */
export function dismiss(vassal: Vassal, generation: Generation, turn: Turn, atMostMs: number = Infinity): readonly Leaving[] {
  const drains = hasTraffic(vassal, generation);
  return instancesIn(generation).map((instance) =>
    drains ? drain(instance, turn, atMostMs) : curse(instance, turn));
}

/** Lets an instance serve those who wait for it before it is told. */
export function drain(instance: Instance, turn: Turn, atMostMs: number = Infinity): Leaving {
  return { instance, stage: 'draining', dueMs: turn.now.ms + Math.min(atMostMs, instance.runs.spec.stopTimeoutMs) };
}

/** No connection waits for that generation any more: what was left to drain is told now. */
export function drainedAway(vassal: Vassal, generation: number, turn: Turn): Vassal {
  const drains = (each: Leaving): boolean => each.stage === 'draining' && each.instance.generation === generation;
  if (!vassal.leaving.some(drains)) return vassal;
  return { ...vassal, leaving: vassal.leaving.map((each) => (drains(each) ? curse(each.instance, turn) : each)) };
}

/** The hook `before-stop` of an instance has ended: if that was waited for, it is told now. */
export function partedFrom(vassal: Vassal, id: InstanceId | null, turn: Turn): Vassal {
  const parts = (each: Leaving): boolean => each.stage === 'parting' && each.instance.id === id;
  if (!vassal.leaving.some(parts)) return vassal;
  return { ...vassal, leaving: vassal.leaving.map((each) => (parts(each) ? tell(each.instance, turn) : each)) };
}

/** Time has passed for one that goes. */
export function hasten(vassal: Vassal, leaving: Leaving, turn: Turn): Leaving {
  const { instance, stage, dueMs } = leaving;
  if (dueMs > turn.now.ms) return leaving;
  if (stage === 'draining') {
    note(turn, vassal, 'cursed', `connections still wait for instance ${instance.id}, but it has had its time`, { instance });
    return curse(instance, turn);
  }
  if (stage === 'parting') {
    note(turn, vassal, 'hook', `the hook before-stop of instance ${instance.id} takes longer than its stop timeout, and is waited for no longer`, { instance });
    return tell(instance, turn);
  }
  const why = stage === 'killed'
    ? `instance ${instance.id} survived SIGKILL; killing it again`
    : `instance ${instance.id} did not end within ${instance.runs.spec.stopTimeoutMs} ms of its stop signal; killing its whole group`;
  note(turn, vassal, 'killed', why, { instance });
  return kill(instance, turn);
}

/** Whether users may have connected to it. */
function hasTraffic({ state }: Vassal, generation: Generation): boolean {
  if (!holdsSockets(generation.runs)) return false;
  if (state.phase !== 'reloading' || generation.number === state.current.number) return true;
  return state.stage.kind !== 'judging' || state.stage.rolled > 0;
}
