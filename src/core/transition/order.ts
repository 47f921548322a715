import { unreachable } from '../../errors.ts';
import type { OrderEvent } from '../event.ts';
import { bringDown, isDown, rest } from '../lifecycle.ts';
import type { Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { apply } from './declared.ts';
import { scale } from './scale.ts';

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
      return scale({ ...before, scale: event.instances }, event.instances, `an operator asked for ${event.instances} instances`, turn);
    default:
      return unreachable(event);
  }
}

function start(vassal: Vassal, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (state.phase === 'stopping') return { ...vassal, state: { ...state, why: 'restart', resumeMs: 0 } };
  return isDown(vassal) && state.phase !== 'starting' && state.phase !== 'reloading' ? rest({ ...vassal, rejected: false, deaths: 0 }, turn, 'it was started by an operator', 'now') : vassal;
}
