import { kernelError, lastErrno, type Libc } from './libc.ts';

/** Makes named pipes: mkfifo(3). The mode is cut by the umask. Throws E_KERNEL; the name of the error is its `cause`. */
export type MakeFifo = (path: string, mode: number) => void;

/** Binds mkfifo(3). */
export function fifoMaker(libc: Libc): MakeFifo {
  const mkfifo = libc.bind<(path: string, mode: number) => number>('int mkfifo(const char *path, uint mode)');
  return (path, mode) => {
    if (mkfifo(path, mode) !== 0) throw kernelError('mkfifo', path, lastErrno());
  };
}
