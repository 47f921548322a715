import { writeFileSync } from 'node:fs';
import { kernelError, lastErrno, type Libc } from './libc.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** fcntl(2): no seal, size or byte of it changes any more. */
const F_ADD_SEALS = 1033;
const ALL_SEALS = 0xf;

/** Puts a text into a file that has no path, memfd_create(2): close-on-exec, and gone with its last descriptor. @throws E_KERNEL */
export function memoryFile(libc: Libc, text: string): number {
  return makeFile(libc, text, MFD_CLOEXEC);
}

/** As {@link memoryFile}, of bytes, and nobody can change it: who receives it can trust that. @throws E_KERNEL */
export function sealedFile(libc: Libc, data: Uint8Array): number {
  const fd = makeFile(libc, data, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)')(fd, F_ADD_SEALS, ALL_SEALS);
  return fd;
}

function makeFile(libc: Libc, data: string | Uint8Array, flags: number): number {
  const fd = libc.bind<(name: string, flags: number) => number>('int memfd_create(const char *name, uint flags)')('emperor', flags);
  if (fd < 0) throw kernelError('memfd_create', '', lastErrno());
  writeFileSync(fd, data);
  return fd;
}
