import { closeSync } from 'node:fs';
import { openRaise } from './high-descriptor.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/**
 * Takes a copy of a descriptor of another process. The process must be one that we may trace, ptrace(2): root may, and a process of the same
 * user if nothing forbids it. The copy is close-on-exec, and has a number far above those that children are given.
 * @throws E_KERNEL; `cause` is the name of the error: ESRCH, EBADF: it is not there any more; EPERM: we may not
 */
export type TakeDescriptor = (pid: number, fd: number) => number;

/** Numbers of the calls; the same on every architecture. */
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

/** Binds pidfd_getfd(2). */
export function openTakeDescriptor(libc: Libc): TakeDescriptor {
  const open = libc.bind<(call: number, pid: number, flags: number) => number>('long syscall(long call, int pid, uint flags)');
  const take = libc.bind<(call: number, pidfd: number, fd: number, flags: number) => number>('long syscall(long call, int pidfd, int fd, uint flags)');
  const raise = openRaise(libc);

  return (pid, fd) => {
    const pidfd = open(PIDFD_OPEN, pid, 0);
    if (pidfd < 0) throw kernelError('pidfd_open', String(pid), lastErrno());
    const low = take(PIDFD_GETFD, pidfd, fd, 0);
    const errno = lastErrno();
    closeSync(pidfd);
    if (low < 0) throw kernelError('pidfd_getfd', `${fd} of process ${pid}`, errno);
    return raise(low);
  };
}
