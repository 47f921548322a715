import { deadlineOf, dueOf } from '../deadline.ts';
import { hasten } from '../farewell.ts';
import { exchange, generationsOf, isTaken, withPlace } from '../generation.ts';
import { launch, seconds, stateWith } from '../lifecycle.ts';
import { passStage } from '../overlap.ts';
import type { Generation, Instance, Place, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { afterSwap } from './declared.ts';
import { ready, sick, timedOut, WATCHDOG } from './instance.ts';

/** Time has passed: does what was due. A vassal without a passed deadline comes back as it was. */
export function due(before: Vassal, turn: Turn): Vassal | null {
  if (deadlineOf(before) > turn.now.ms) return before;
  let vassal: Vassal | null = { ...before, leaving: before.leaving.map((each) => hasten(before, each, turn)) };
  // Each rule may change everything: what is due after it is looked for anew. None of them leaves its own deadline behind.
  while (vassal !== null) {
    const after = dueOnce(vassal, turn);
    if (after === vassal) return vassal;
    vassal = after;
  }
  return vassal;
}

function dueOnce(vassal: Vassal, turn: Turn): Vassal | null {
  const { state } = vassal;
  for (const generation of generationsOf(vassal)) {
    const place = generation.places.find((each) => dueOf(each) <= turn.now.ms);
    if (place !== undefined) return pass(vassal, generation, place, turn);
  }
  if (state.phase === 'reloading' && state.stage.kind !== 'judging' && state.stage.untilMs <= turn.now.ms) {
    const reloading = { ...vassal, state };
    return afterSwap(reloading, passStage(reloading, turn), turn);
  }
  if (state.phase === 'idle' && state.retryMs !== null && state.retryMs <= turn.now.ms) return { ...vassal, state: { ...state, retryMs: null } };
  return vassal;
}

/** The moment of a place has come. */
function pass(vassal: Vassal, generation: Generation, place: Place, turn: Turn): Vassal | null {
  if (place.phase === 'backoff') {
    const restarted: Vassal = { ...vassal, restarts: vassal.restarts + 1 };
    const filled = withPlace(generation, place, launch(restarted, generation, turn, 'its wait is over'));
    return vassal.state.phase === 'reloading' ? exchange(restarted, generation, filled) : { ...restarted, state: stateWith(filled) };
  }
  if (!isTaken(place)) return vassal;
  if (place.phase === 'ready' && (place.loyalMs ?? Infinity) <= turn.now.ms) return loyal(vassal, generation, place, turn);
  if (place.phase === 'ready') return sick(vassal, place.instance.id, WATCHDOG, turn);
  if (place.dueMs !== null && place.dueMs <= turn.now.ms) return ready(vassal, place.instance.id, `it is alive for ${afterMs(place.instance)} ms`, turn);
  return timedOut(vassal, generation, place, turn);
}

/** It is told once. */
function loyal(vassal: Vassal, generation: Generation, place: Place & { readonly phase: 'ready' }, turn: Turn): Vassal {
  const { instance } = place;
  note(turn, vassal, 'loyal', `instance ${instance.id} has been ready for ${seconds(instance.runs.spec.backoff.resetAfterMs)}`, { instance });
  return exchange(vassal, generation, withPlace(generation, place, { ...place, loyalMs: null }));
}

function afterMs({ runs }: Instance): number {
  return runs.spec.ready.kind === 'after' ? runs.spec.ready.ms : 0;
}
