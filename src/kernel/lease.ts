import { constants } from 'node:os';
import { lastErrno, type Libc } from './libc.ts';

/** Tells whether a file is being written. */
export interface Leases {
  /**
   * Asks whether anybody has the file open for writing.
   * @param fd descriptor of a regular file, opened for reading only
   * @returns `unknown` where the kernel does not tell: a file of another user without CAP_LEASE, NFS, some FUSE file systems
   */
  writer(fd: number): 'some' | 'none' | 'unknown';
}

/** fcntl(2), linux/fcntl.h */
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;

/**
 * Binds the question to fcntl(2), "Leases": a read lease is refused with EAGAIN while a descriptor for writing is open
 * anywhere. The lease is given back at once; who opens the file for writing within that microsecond is held up until then.
 *
 * Breaking a lease sends a signal, SIGIO unless told otherwise, and that ends a process. So it is SIGURG, which is ignored by default.
 */
export function openLeases(libc: Libc): Leases {
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  return {
    writer(fd) {
      if (fcntl(fd, F_SETSIG, constants.signals.SIGURG) !== 0) return 'unknown';
      if (fcntl(fd, F_SETLEASE, F_RDLCK) !== 0) return lastErrno() === 'EAGAIN' ? 'some' : 'unknown';
      fcntl(fd, F_SETLEASE, F_UNLCK);
      return 'none';
    },
  };
}
