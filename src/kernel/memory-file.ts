import { writeFileSync } from 'node:fs';
import { kernelError, lastErrno, type Libc } from './libc.ts';

const MFD_CLOEXEC = 1;

/** Puts a text into a file that has no path, memfd_create(2): close-on-exec, and gone with its last descriptor. @throws E_KERNEL */
export function memoryFile(libc: Libc, text: string): number {
  const fd = libc.bind<(name: string, flags: number) => number>('int memfd_create(const char *name, uint flags)')('emperor', MFD_CLOEXEC);
  if (fd < 0) throw kernelError('memfd_create', '', lastErrno());
  writeFileSync(fd, text);
  return fd;
}
