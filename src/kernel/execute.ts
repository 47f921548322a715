import { kernelError, lastErrno, type Libc } from './libc.ts';

/** fcntl(2) */
const F_SETFD = 2;

/**
 * Becomes another program: execve(2). The pid stays, and so do the children; of the descriptors those in `kept` and 0, 1, 2. Node ends at once if it
 * fails.
 * @param argv with the name of the program
 */
export function execute(libc: Libc, file: string, argv: readonly string[], environment: Readonly<Record<string, string | undefined>>, kept: readonly number[]): never {
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  for (const fd of kept) if (fcntl(fd, F_SETFD, 0) < 0) throw kernelError('fcntl', String(fd), lastErrno());
  const given = Object.fromEntries(Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined));
  if (process.execve === undefined) throw kernelError('execve', file, 'ENOSYS');
  return process.execve(file, argv, given);
}
