import { curse, drain, tell } from '../farewell.ts';
import { holdsSockets, withPlaces } from '../generation.ts';
import { stateWith } from '../lifecycle.ts';
import type { Generation, Instance, Place, Remembered, Runnable, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { loyalMs } from './instance.ts';

/** All that lives and is not to live on. */
export function dismissAll(remembered: Remembered | undefined, turn: Turn): Vassal['leaving'] {
  return [
    // Their hook `before-stop` was begun by the emperor that told them to die.
    ...(remembered?.leaving ?? []).map((instance) => tell(instance, turn)),
    ...(remembered?.dismissed ?? []).map((instance) => (holdsSockets(instance.runs) && instance.readyMs !== null ? drain(instance, turn) : curse(instance, turn))),
  ];
}

/** Takes over what lives: one generation, in which those that are missing are started. */
export function adopt(vassal: Vassal, runs: Runnable, instances: readonly Instance[], turn: Turn): Vassal {
  const places = instances.map((instance): Place => {
    if (instance.readyMs !== null) return { phase: 'ready', instance, sinceMs: turn.now.ms, watchdogMs: watchdogMs(instance, turn), loyalMs: loyalAgain(instance, turn) };
    const { ready, startTimeoutMs } = instance.runs.spec;
    const dueMs = ready.kind === 'after' ? turn.now.ms + ready.ms : null;
    return { phase: 'starting', instance, dueMs, failAtMs: turn.now.ms + startTimeoutMs, answer: null };
  });
  const bare: Generation = { number: instances[0]?.generation ?? 1, runs, places: [], proven: false };
  const whole = withPlaces(bare, places);
  const { scaling } = runs.spec;
  // What the need has led to is there to be seen.
  const need = scaling === null || places.length <= runs.spec.instances ? null : { instances: Math.min(places.length, scaling.max), fromMs: 0 };
  const missing = Math.max(0, (vassal.scale ?? runs.spec.instances) - places.length);
  const queued = Array.from({ length: missing }, (): Place => ({ phase: 'queued', why: 'it had died when no emperor was there' }));
  const after: Vassal = { ...vassal, need, state: stateWith({ ...whole, places: [...places, ...queued] }) };
  for (const instance of instances) note(turn, vassal, 'adopted', 'it was started by an earlier emperor and lives', { instance, after });
  return after;
}

/** One that was loyal already has been told of. */
function loyalAgain(instance: Instance, turn: Turn): number | null {
  const dueMs = loyalMs(instance, instance.readyMs ?? turn.now.ms);
  return dueMs === null || dueMs <= turn.now.ms ? null : dueMs;
}

function watchdogMs({ runs }: Instance, turn: Turn): number | null {
  const watchdog = runs.spec.health?.watchdogMs ?? null;
  return watchdog === null ? null : turn.now.ms + watchdog;
}

/** The highest number of a generation that lives still. */
export function highest(remembered: Remembered | undefined): number {
  return [...(remembered?.living ?? []), ...(remembered?.leaving ?? []), ...(remembered?.dismissed ?? [])].reduce((most, { generation }) => Math.max(most, generation), 0);
}
