import type { HookedEvent } from '../event.ts';
import { partedFrom } from '../farewell.ts';
import type { InstanceId, Vassal } from '../state.ts';
import type { Turn } from '../turn.ts';
import { exited, find, unlaunchable } from './instance.ts';

/** The commands for a point in its life have ended. Only two points are waited for. */
export function hooked(vassal: Vassal, { at, instance, failure }: HookedEvent, turn: Turn): Vassal | null {
  if (at === 'before-start' && instance !== null) return prepared(vassal, instance, failure, turn);
  if (at === 'before-stop') return partedFrom(vassal, instance, turn);
  return vassal;
}

/** An instance can be launched; or its start has failed before that. */
function prepared(vassal: Vassal, id: InstanceId, failure: string | null, turn: Turn): Vassal | null {
  const standing = find(vassal, id);
  // It was told to die meanwhile, and never lived.
  if (standing === null) return exited(vassal, { instance: id, status: { kind: 'unknown' } }, turn);
  const { place } = standing;
  if (place.phase !== 'starting' || place.instance.process !== null) return vassal;
  if (failure !== null) return unlaunchable(vassal, { type: 'unlaunchable', instance: id, code: 'E_HOOK', reason: failure, lasting: false }, turn);
  turn.effects.push({ type: 'launch', vassal: vassal.id, name: vassal.name, instance: place.instance });
  return vassal;
}
