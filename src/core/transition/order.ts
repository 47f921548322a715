import { unreachable } from '../../errors.ts';
import type { OrderEvent } from '../event.ts';
import { curse } from '../farewell.ts';
import { isTaken, withPlaces } from '../generation.ts';
import { bringDown, isDown, rest } from '../lifecycle.ts';
import type { Generation, Leaving, Place, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { apply } from './declared.ts';
import { proceed } from './instance.ts';

/** An operator asks something of a vassal. */
export function ordered(before: Vassal, event: OrderEvent, turn: Turn): Vassal | null {
  if (before.newest === null) return before;
  note(turn, before, 'order', `${event.verb} was asked for`);
  switch (event.verb) {
    case 'start':
    case 'resume':
      return start({ ...before, want: 'up' }, turn);
    case 'stop':
      return bringDown({ ...before, want: 'down' }, turn, 'stop', 'it was stopped by an operator');
    case 'pause':
      return bringDown({ ...before, want: 'paused' }, turn, 'stop', 'it was paused by an operator');
    case 'restart':
      return bringDown({ ...before, want: 'up', deaths: 0, rejected: false }, turn, 'restart', 'it was restarted by an operator');
    case 'reload':
      return apply({ ...before, want: 'up', rejected: false, deaths: 0 }, turn, 'it was reloaded by an operator');
    case 'rollback':
      return apply({ ...before, want: 'up', pinned: event.to, deaths: 0 }, turn, `an operator went back to revision ${event.to.number}`);
    case 'scale':
      return scale({ ...before, scale: event.instances }, event.instances, turn);
    default:
      return unreachable(event);
  }
}

function start(vassal: Vassal, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (state.phase === 'stopping') return { ...vassal, state: { ...state, why: 'restart', resumeMs: 0 } };
  return isDown(vassal) && state.phase !== 'starting' && state.phase !== 'reloading' ? rest({ ...vassal, rejected: false, deaths: 0 }, turn, 'it was started by an operator', 'now') : vassal;
}

/** More instances, or fewer: the generations grow or shrink. What is not up takes the number when it starts. */
function scale(before: Vassal, count: number, turn: Turn): Vassal | null {
  const { state } = before;
  if (!('current' in state)) return before;
  const leaving: Leaving[] = [];
  const resize = (generation: Generation, grows: boolean): Generation => {
    const kept = generation.places.slice(0, count);
    leaving.push(...generation.places.slice(count).filter(isTaken).map(({ instance }) => curse(instance, turn)));
    const missing = grows ? Math.max(0, count - kept.length) : 0;
    return withPlaces(generation, [...kept, ...Array.from({ length: missing }, (): Place => ({ phase: 'queued', why: `an operator asked for ${count} instances` }))]);
  };
  // A generation that comes one by one grows by itself; one that goes has no need to.
  const current = resize(state.current, state.phase !== 'reloading' || state.stage.kind !== 'swapped');
  const resized: Vassal['state'] = state.phase === 'reloading' ? { ...state, current, next: resize(state.next, !state.next.runs.spec.roll) } : { ...state, current };
  const vassal: Vassal = { ...before, leaving: [...before.leaving, ...leaving], state: resized };
  const after = proceed(vassal, state.phase === 'reloading' ? state.next : state.current, turn);
  note(turn, before, 'scaled', `there are to be ${count} instances`, after === null ? {} : { after });
  for (const { instance } of leaving) note(turn, before, 'cursed', 'there are to be fewer', { instance });
  return after;
}
