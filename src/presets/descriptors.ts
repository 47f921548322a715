import { FIRST_DESCRIPTOR } from '../core/descriptor.ts';
import type { PresetRequest } from './preset.ts';

/** The numbers of the descriptors under which a server finds the sockets, in the order of `listen`. */
export function descriptors({ listen }: Pick<PresetRequest, 'listen'>): readonly number[] {
  return listen.map((_, index) => FIRST_DESCRIPTOR + index);
}

/** The number under which a server with a channel has a copy of our end: its own end comes after the sockets, and the copy after that. */
export function lentEnd({ listen }: Pick<PresetRequest, 'listen'>): number {
  return FIRST_DESCRIPTOR + listen.length + 1;
}
