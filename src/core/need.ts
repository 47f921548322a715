import { wanted } from './lifecycle.ts';
import type { Vassal } from './state.ts';

/** Whether the need has led to more instances than the least. */
export function isRaised(vassal: Vassal): boolean {
  const { state } = vassal;
  if (!('current' in state) || vassal.scale !== null) return false;
  return wanted(vassal, state.current.runs) > state.current.runs.spec.instances;
}
