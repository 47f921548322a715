import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { bindSocketCall, socketAddress } from './datagram.ts';
import { lastErrno, type Libc } from './libc.ts';

/**
 * Sends one datagram to a path, or to an abstract name that begins with `@`. Never waits.
 * @param descriptor goes along: who receives it gets a copy
 * @returns the name of the error, e.g. `EAGAIN`: there is no room now; null: it was sent
 */
export type Send = (to: string, data: Uint8Array, descriptor?: number) => string | null;

/** unix(7), socket(7), send(2): the same numbers on all architectures that Node runs on with Linux. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct msghdr, 64 bit: where its fields are. */
const MSGHDR_BYTES = 56;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
const IOVEC_BYTES = 16;
/** cmsg(3), 64 bit: a header, then one int, aligned to 8 bytes. */
const CMSG_BYTES = 24;
const CMSG_LENGTH = 20;

/** Binds sendmsg(2). */
export function openSender(libc: Libc): Send {
  const socket = bindSocketCall(libc);
  const send = libc.bind<(fd: number, message: Uint8Array, flags: number) => number>('long sendmsg(int fd, const void *message, int flags)');
  return (to, data, descriptor) => {
    const name = socketAddress(to);
    if (name === null) return 'ENAMETOOLONG';
    // The kernel is given addresses, so each of these owns its memory.
    const address = own(name);
    const bytes = own(data);
    const iovec = Buffer.allocUnsafeSlow(IOVEC_BYTES);
    iovec.writeBigUInt64LE(koffi.address(bytes), 0);
    iovec.writeBigUInt64LE(BigInt(data.length), 8);
    const message = Buffer.allocUnsafeSlow(MSGHDR_BYTES).fill(0);
    message.writeBigUInt64LE(koffi.address(address), 0);
    message.writeUInt32LE(name.length, MSG_NAMELEN);
    message.writeBigUInt64LE(koffi.address(iovec), MSG_IOV);
    message.writeBigUInt64LE(1n, MSG_IOVLEN);
    const control = enclosing(descriptor ?? -1);
    if (descriptor !== undefined) {
      message.writeBigUInt64LE(koffi.address(control), MSG_CONTROL);
      message.writeBigUInt64LE(BigInt(CMSG_BYTES), MSG_CONTROLLEN);
    }
    const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return lastErrno();
    const errno = send(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? lastErrno() : null;
    closeSync(fd);
    return errno;
  };
}

function enclosing(descriptor: number): Buffer {
  const control = Buffer.allocUnsafeSlow(CMSG_BYTES).fill(0);
  control.writeBigUInt64LE(BigInt(CMSG_LENGTH), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  control.writeInt32LE(descriptor, 16);
  return control;
}

/** A copy in memory of its own, at least a byte. */
function own(data: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(Math.max(1, data.length));
  copy.set(data);
  return copy;
}
