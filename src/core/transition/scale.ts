import { curse } from '../farewell.ts';
import { isTaken, withPlaces } from '../generation.ts';
import type { Generation, Leaving, Place, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { proceed } from './instance.ts';

/** More instances, or fewer: the generations grow or shrink. What is not up takes the number when it starts. @param why for the history */
export function scale(before: Vassal, count: number, why: string, turn: Turn): Vassal | null {
  const { state } = before;
  if (!('current' in state)) return before;
  const leaving: Leaving[] = [];
  const resize = (generation: Generation, grows: boolean): Generation => {
    const kept = generation.places.slice(0, count);
    leaving.push(...generation.places.slice(count).filter(isTaken).map(({ instance }) => curse(instance, turn)));
    const missing = grows ? Math.max(0, count - kept.length) : 0;
    return withPlaces(generation, [...kept, ...Array.from({ length: missing }, (): Place => ({ phase: 'queued', why }))]);
  };
  // A generation that comes one by one grows by itself; one that goes has no need to.
  const current = resize(state.current, state.phase !== 'reloading' || state.stage.kind !== 'swapped');
  const resized: Vassal['state'] = state.phase === 'reloading' ? { ...state, current, next: resize(state.next, !state.next.runs.spec.roll) } : { ...state, current };
  const vassal: Vassal = { ...before, leaving: [...before.leaving, ...leaving], state: resized };
  const after = proceed(vassal, state.phase === 'reloading' ? state.next : state.current, turn);
  note(turn, before, 'scaled', `there are to be ${count} instances: ${why}`, after === null ? {} : { after });
  for (const { instance } of leaving) note(turn, before, 'cursed', 'there are to be fewer', { instance });
  return after;
}
