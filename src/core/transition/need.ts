import { wanted } from '../lifecycle.ts';
import { isRaised } from '../need.ts';
import type { Vassal } from '../state.ts';
import type { Turn } from '../turn.ts';
import { scale } from './scale.ts';

/**
 * The number of instances follows the need: one more for each time that the vassal is pressed, at most one in a cool-down, up to
 * `max`; back to the least when nobody comes. What an operator asked for counts more, until the file is touched.
 *
 * @param why who or what pressed, part of a sentence
 */
export function pressed(vassal: Vassal, why: string, turn: Turn): Vassal | null {
  const { state, need } = vassal;
  if (state.phase !== 'ready' || vassal.scale !== null || turn.life !== 'running') return vassal;
  const { runs } = state.current;
  const { scaling } = runs.spec;
  if (scaling === null || turn.now.ms < (need?.fromMs ?? 0)) return vassal;
  const instances = wanted(vassal, runs) + 1;
  if (instances > scaling.max) return vassal;
  return scale({ ...vassal, need: { instances, fromMs: turn.now.ms + scaling.coolDownMs } }, instances, why, turn);
}

/** Nobody has connected for as long as its file says. */
export function calmed(vassal: Vassal, turn: Turn): Vassal | null {
  const { state } = vassal;
  if (state.phase !== 'ready' || !isRaised(vassal)) return vassal;
  const { instances } = state.current.runs.spec;
  return scale({ ...vassal, need: null }, instances, 'nobody has connected for its idle time', turn);
}
