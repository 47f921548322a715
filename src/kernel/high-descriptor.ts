import { closeSync } from 'node:fs';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/**
 * Gives a descriptor a number far above those that children are given: they get theirs from 3 on, in order, and a number must not be taken
 * before its own turn. It is close-on-exec afterwards; the old number is closed, also when that fails.
 * @throws E_KERNEL when out of descriptors
 */
export type Raise = (fd: number) => number;

const F_DUPFD_CLOEXEC = 1030;
const LOWEST_FD = 100;

/** Binds fcntl(2). */
export function openRaise(libc: Libc): Raise {
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  return (low) => {
    const high = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
    const errno = lastErrno();
    closeSync(low);
    if (high < 0) throw kernelError('fcntl', String(low), errno);
    return high;
  };
}
