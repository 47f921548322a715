import { unreachable } from '../../errors.ts';
import { deadlineOf } from '../deadline.ts';
import { KILL_AGAIN_MS, rest } from '../lifecycle.ts';
import type { Instance, Leaving, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { becomeReady } from './instance.ts';

/** Time has passed: does what was due. A vassal without a passed deadline comes back as it was. */
export function due(before: Vassal, turn: Turn): Vassal | null {
  if (deadlineOf(before) > turn.now.ms) return before;
  const vassal = { ...before, leaving: before.leaving.map((each) => killIfDue(before, each, turn)) };
  const { state } = vassal;
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'reloading':
      return state.dueMs !== null && state.dueMs <= turn.now.ms ? becomeReady(vassal, state, turn) : vassal;
    case 'backoff':
      return state.untilMs <= turn.now.ms ? rest({ ...vassal, restarts: vassal.restarts + 1 }, turn, 'its wait is over') : vassal;
    case 'stopping': {
      const { instance, killAtMs, killed } = killIfDue(vassal, { instance: state.cursed, killAtMs: state.killAtMs, killed: state.killed }, turn);
      return { ...vassal, state: { ...state, cursed: instance, killAtMs, killed } };
    }
    case 'ready':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return vassal;
    default:
      return unreachable(state);
  }
}

function killIfDue(vassal: Vassal, cursed: Leaving, turn: Turn): Leaving {
  if (cursed.killAtMs > turn.now.ms) return cursed;
  note(turn, vassal, 'killed', killReason(cursed), { instance: cursed.instance });
  return kill(cursed.instance, turn);
}

/** Kills an instance with its whole group, now; and again if that should not help. */
export function kill(instance: Instance, turn: Turn): Leaving {
  turn.effects.push({ type: 'signal', instance: instance.id, signal: 'SIGKILL', whom: 'group' });
  return { instance, killAtMs: turn.now.ms + KILL_AGAIN_MS, killed: true };
}

function killReason({ instance, killed }: Leaving): string {
  if (killed) return `instance ${instance.id} survived SIGKILL; killing it again`;
  return `instance ${instance.id} did not end within ${instance.runs.spec.stopTimeoutMs} ms of its stop signal; killing its whole group`;
}
