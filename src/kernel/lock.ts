import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { EmperorError, reasonOf } from '../errors.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/** flock(2): for one alone, and do not wait. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes a file for oneself: flock(2). The kernel gives it free when the holder ends, however it ends.
 * @param path made if it is not there, mode 0600
 * @param holder who we are, in a few words, for whom we keep out
 * @returns if another process holds it: who that is, by its own word; else the lock, and disposing gives it free
 * @throws E_KERNEL if the file cannot be locked for another reason
 */
export function lockFile(libc: Libc, path: string, holder: string): Disposable | string {
  const fd = openOwn(path);
  const flock = libc.bind<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) {
    sign(fd, holder);
    return { [Symbol.dispose]: () => closeSync(fd) };
  }
  const errno = lastErrno();
  const other = readFileSync(fd, 'utf8').trim();
  closeSync(fd);
  if (errno === 'EAGAIN' || errno === 'EWOULDBLOCK') return other === '' ? 'it does not say who it is' : other;
  throw kernelError('flock', path, errno);
}

function sign(fd: number, holder: string): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${holder}\n`, 0);
  } catch {
    // A full disk: the lock holds without a name.
  }
}

function openOwn(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (cause) {
    throw new EmperorError('E_KERNEL', `cannot open the lock: ${reasonOf(cause)}`, { cause });
  }
}
