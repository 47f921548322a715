import { lastErrno, type Libc } from './libc.ts';

/**
 * Takes what a connected socket has, into `bytes`. Never waits, whatever mode the socket is in: somebody else may have a copy of it.
 * @returns how many bytes; 0: the other end is closed; null: there is nothing now
 */
export type ReceiveBytes = (socket: number, bytes: Uint8Array) => number | null;

/** recv(2): the same number on all architectures that Node runs on with Linux. */
const MSG_DONTWAIT = 0x40;
/** What an error tells of the other end does not matter here: it is gone. */
const NOT_NOW: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR']);

/** Binds recv(2). */
export function openReceiveBytes(libc: Libc): ReceiveBytes {
  const receive = libc.bind<(fd: number, data: Uint8Array, length: number, flags: number) => number>('long recv(int fd, void *data, unsigned long length, int flags)');
  return (socket, bytes) => {
    const length = receive(socket, bytes, bytes.length, MSG_DONTWAIT);
    if (length >= 0) return length;
    return NOT_NOW.has(lastErrno()) ? null : 0;
  };
}
