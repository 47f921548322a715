import type { PresetRequest } from './preset.ts';

/** The number of the first descriptor that is passed: sd_listen_fds(3), SD_LISTEN_FDS_START. */
const FIRST = 3;

/** The numbers of the descriptors under which a server finds the sockets, in the order of `listen`. */
export function descriptors({ listen }: Pick<PresetRequest, 'listen'>): readonly number[] {
  return listen.map((_, index) => FIRST + index);
}

/** The number under which a server with a channel has a copy of our end: its own end comes after the sockets, and the copy after that. */
export function lentEnd({ listen }: Pick<PresetRequest, 'listen'>): number {
  return FIRST + listen.length + 1;
}
