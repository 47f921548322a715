import { closeSync, constants, openSync } from 'node:fs';
import { EmperorError, reasonOf } from '../errors.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/** flock(2): for one alone, and do not wait. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes a file for oneself: flock(2). The kernel gives it free when the holder ends, however it ends.
 * @param path made if it is not there, mode 0600
 * @returns null if another process holds it; disposing gives it free
 * @throws E_KERNEL if the file cannot be locked for another reason
 */
export function lockFile(libc: Libc, path: string): Disposable | null {
  const fd = openOwn(path);
  const flock = libc.bind<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return { [Symbol.dispose]: () => closeSync(fd) };
  const errno = lastErrno();
  closeSync(fd);
  if (errno === 'EAGAIN' || errno === 'EWOULDBLOCK') return null;
  throw kernelError('flock', path, errno);
}

function openOwn(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (cause) {
    throw new EmperorError('E_KERNEL', `cannot open the lock: ${reasonOf(cause)}`, { cause });
  }
}
