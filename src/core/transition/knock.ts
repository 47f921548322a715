import { unreachable } from '../../errors.ts';
import type { SocketEvent } from '../event.ts';
import { failed } from '../failure.ts';
import { drainedAway } from '../farewell.ts';
import { bringDown, rest } from '../lifecycle.ts';
import { drained } from '../overlap.ts';
import type { Vassal } from '../state.ts';
import { afterSwap } from './declared.ts';
import { calmed, pressed } from './need.ts';
import { note, type Turn } from '../turn.ts';

/** Sockets that could not be opened are tried again after this. */
const HOLD_AGAIN_MS = 5_000;

/** What is told of the sockets of this vassal. */
export function toldOfSockets(vassal: Vassal, event: SocketEvent, turn: Turn): Vassal | null {
  const { state } = vassal;
  switch (event.type) {
    case 'knocked':
      if (state.phase !== 'idle') return vassal;
      note(turn, vassal, 'knocked', 'someone connects to it');
      return rest(vassal, turn, 'someone connects to it', 'now');
    case 'held':
      return held(vassal, turn);
    case 'unholdable': {
      if (state.phase !== 'idle') return vassal;
      const failure = failed(vassal.newest?.number ?? 0, event.code, event.reason, turn.now.at);
      if (vassal.failure?.message !== event.reason) note(turn, vassal, 'unlaunchable', `${event.reason}; trying again in ${HOLD_AGAIN_MS / 1000} s`);
      return { ...vassal, failure, state: { ...state, retryMs: turn.now.ms + HOLD_AGAIN_MS } };
    }
    case 'unused':
      return state.phase === 'ready' ? bringDown(vassal, turn, 'sleep', 'nobody has connected for its idle timeout') : vassal;
    case 'crowded':
      return pressed(vassal, `${event.waiting} connections wait`, turn);
    case 'calm':
      return calmed(vassal, turn);
    case 'drained':
      return toldOfDrain(drainedAway(vassal, event.generation, turn), event.generation, turn);
    default:
      return unreachable(event);
  }
}

function toldOfDrain(vassal: Vassal, generation: number, turn: Turn): Vassal | null {
  const { state } = vassal;
  return state.phase === 'reloading' ? afterSwap({ ...vassal, state }, drained(vassal, generation, turn), turn) : vassal;
}

/** What kept its sockets from being opened is over. */
function held(vassal: Vassal, turn: Turn): Vassal {
  const { failure } = vassal;
  if (vassal.state.phase !== 'idle' || vassal.rejected || (failure?.code !== 'E_ADDRESS_IN_USE' && failure?.code !== 'E_ADDRESS')) return vassal;
  note(turn, vassal, 'idle', 'its addresses are open now: it is started at the first connection');
  return { ...vassal, failure: null };
}
