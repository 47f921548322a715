import { unreachable } from '../errors.ts';
import type { EmperorState, Vassal } from './state.ts';

/** The earliest moment at which some rule has to look at the state again, in monotonic ms; Infinity: never. */
export function nextDeadline(state: EmperorState): number {
  let earliest = Infinity;
  for (const deadline of state.timed.values()) earliest = Math.min(earliest, deadline);
  return earliest;
}

/** The earliest deadline of one vassal; Infinity: it has none. */
export function deadlineOf(vassal: Vassal): number {
  let earliest = ownDeadline(vassal);
  for (const leaving of vassal.leaving) earliest = Math.min(earliest, leaving.killAtMs);
  return earliest;
}

function ownDeadline({ state }: Vassal): number {
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'reloading':
      return state.dueMs ?? Infinity;
    case 'backoff':
      return state.untilMs;
    case 'stopping':
      return state.killAtMs;
    case 'ready':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return Infinity;
    default:
      return unreachable(state);
  }
}
