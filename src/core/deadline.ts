import { unreachable } from '../errors.ts';
import { generationsOf } from './generation.ts';
import type { EmperorState, Place, Vassal } from './state.ts';

/** The earliest moment at which some rule has to look at a vassal again, in monotonic ms; Infinity: never. */
export function nextDeadline(state: EmperorState): number {
  let earliest = Infinity;
  for (const deadline of state.timed.values()) earliest = Math.min(earliest, deadline);
  return earliest;
}

/** When a start that takes long is no longer counted, so that another may begin; Infinity: none is waited for. */
export function turnDeadline(state: EmperorState, nowMs: number): number {
  let earliest = Infinity;
  if (state.queue.length === 0) return earliest;
  for (const untilMs of state.starting.values()) if (untilMs > nowMs) earliest = Math.min(earliest, untilMs);
  return earliest;
}

/** The earliest deadline of one vassal; Infinity: it has none. */
export function deadlineOf(vassal: Vassal): number {
  const { state } = vassal;
  let earliest = Infinity;
  for (const leaving of vassal.leaving) earliest = Math.min(earliest, leaving.dueMs);
  for (const generation of generationsOf(vassal)) for (const place of generation.places) earliest = Math.min(earliest, dueOf(place));
  if (state.phase === 'reloading' && state.stage.kind !== 'judging') earliest = Math.min(earliest, state.stage.untilMs);
  if (state.phase === 'idle') earliest = Math.min(earliest, state.retryMs ?? Infinity);
  return earliest;
}

/** When something is due in a place; Infinity: never. */
export function dueOf(place: Place): number {
  switch (place.phase) {
    case 'queued':
      return Infinity;
    case 'starting':
    case 'refreshing':
      return Math.min(place.dueMs ?? Infinity, place.failAtMs ?? Infinity);
    case 'ready':
      return Math.min(place.watchdogMs ?? Infinity, place.loyalMs ?? Infinity);
    case 'backoff':
      return place.untilMs;
    default:
      return unreachable(place);
  }
}
