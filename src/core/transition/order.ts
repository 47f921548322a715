import { unreachable } from '../../errors.ts';
import type { OrderEvent } from '../event.ts';
import { bringDown, isDown, rest } from '../lifecycle.ts';
import type { Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { apply } from './declared.ts';

/** An operator asks something of a vassal. */
export function ordered(before: Vassal, event: OrderEvent, turn: Turn): Vassal | null {
  if (before.newest === null) return before;
  note(turn, before, 'order', `${event.verb} was asked for`);
  switch (event.verb) {
    case 'start':
      return start({ ...before, want: 'up' }, turn);
    case 'stop':
      return bringDown({ ...before, want: 'down' }, turn, 'stop', 'it was stopped by an operator');
    case 'restart':
      return restart({ ...before, want: 'up', deaths: 0 }, turn);
    case 'reload':
      return apply({ ...before, want: 'up', rejected: false, deaths: 0 }, turn, 'it was reloaded by an operator');
    default:
      return unreachable(event.verb);
  }
}

function start(vassal: Vassal, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (isDown(state)) return rest({ ...vassal, rejected: false, deaths: 0 }, turn, 'it was started by an operator');
  return state.phase === 'stopping' ? { ...vassal, state: { ...state, why: 'restart' } } : vassal;
}

function restart(vassal: Vassal, turn: Turn): Vassal | null {
  return bringDown({ ...vassal, rejected: false }, turn, 'restart', 'it was restarted by an operator');
}
