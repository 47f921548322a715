import { closeSync } from 'node:fs';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/**
 * Makes a copy of a descriptor with a number far above those that children are given: they get theirs from 3 on, in order, and a number must not be
 * taken before its own turn. It is close-on-exec.
 * @throws E_KERNEL when out of descriptors
 */
export type CopyHigh = (fd: number) => number;

/** As {@link CopyHigh}, and the old number is closed, also when that fails. */
export type Raise = (fd: number) => number;

const F_DUPFD_CLOEXEC = 1030;
const LOWEST_FD = 100;

/** Binds fcntl(2). */
export function openCopyHigh(libc: Libc): CopyHigh {
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  return (fd) => {
    const high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    if (high < 0) throw kernelError('fcntl', String(fd), lastErrno());
    return high;
  };
}

/** Binds fcntl(2). */
export function openRaise(libc: Libc): Raise {
  const copy = openCopyHigh(libc);
  return (low) => {
    try {
      return copy(low);
    } finally {
      closeSync(low);
    }
  };
}
