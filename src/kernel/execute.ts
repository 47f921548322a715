import { kernelError, lastErrno, type Libc } from './libc.ts';

/** fcntl(2) */
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
/** Above what children, and Node itself, are given. */
const LOWEST_FD = 100;

/**
 * Makes a copy of a descriptor that outlives the original, for {@link execute}; until then nobody who is started has it.
 * @throws E_KERNEL when out of descriptors
 */
export type CopyDescriptor = (fd: number) => number;

/** Binds fcntl(2). */
export function openCopyDescriptor(libc: Libc): CopyDescriptor {
  const fcntl = fcntlOf(libc);
  return (fd) => {
    const copy = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
    if (copy < 0) throw kernelError('fcntl', String(fd), lastErrno());
    return copy;
  };
}

/**
 * Becomes another program: execve(2). The pid stays, and so do the children; of the descriptors those in `kept` and 0, 1, 2. Node ends at once if it
 * fails.
 * @param argv with the name of the program
 */
export function execute(libc: Libc, file: string, argv: readonly string[], environment: Readonly<Record<string, string | undefined>>, kept: readonly number[]): never {
  const fcntl = fcntlOf(libc);
  for (const fd of kept) if (fcntl(fd, F_SETFD, 0) < 0) throw kernelError('fcntl', String(fd), lastErrno());
  const given = Object.fromEntries(Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined));
  if (process.execve === undefined) throw kernelError('execve', file, 'ENOSYS');
  return process.execve(file, argv, given);
}

function fcntlOf(libc: Libc): (fd: number, command: number, argument: number) => number {
  return libc.bind('int fcntl(int fd, int command, int argument)');
}
