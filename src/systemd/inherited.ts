/** A descriptor that the service manager has passed to this process. */
export interface Passed {
  /** FileDescriptorName= of the socket unit, or the name that an emperor before us gave it. */
  readonly name: string;
  readonly fd: number;
}

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST = 3;
/** By what sd_listen_fds_with_names(3) calls those without a name. */
const NAMELESS = 'unknown';

/** The variables of sd_listen_fds(3). Whoever is executed next in this process must not take them for its own. */
export const LISTEN_VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;

/** The descriptors that were passed to this process, sd_listen_fds_with_names(3). */
export function passedTo(environment: Readonly<Record<string, string | undefined>>, pid: number): readonly Passed[] {
  const { LISTEN_PID: whose, LISTEN_FDS: count, LISTEN_FDNAMES: text = '' } = environment;
  if (whose !== String(pid) || count === undefined || !/^\d{1,7}$/.test(count)) return [];
  const names = text.split(':');
  return Array.from({ length: Number(count) }, (_, index) => ({ name: names[index] || NAMELESS, fd: FIRST + index }));
}
