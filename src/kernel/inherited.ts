import { readdirSync } from 'node:fs';
import type { Libc } from './libc.ts';

/** fcntl(2) */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const LAST_STANDARD = 2;

/**
 * Keeps the descriptors that we were started with (by a shell, a supervisor, a job scheduler) from all that we start. Node
 * does so for the lowest ones only; the others would be open in every instance, for ever.
 */
export function keepInherited(libc: Libc): void {
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    // The descriptor of this listing is closed by now: EBADF is no trouble.
    if (fd > LAST_STANDARD) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}
