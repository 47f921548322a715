import koffi from 'koffi';
import { lastErrno, type Libc } from './libc.ts';

/** What is sent at once. */
export interface Message {
  /** At least a byte where descriptors go along. */
  readonly data: Uint8Array;
  /** Copies of these go along, SCM_RIGHTS of unix(7); at most 253, in the order in which they are received. */
  readonly descriptors: readonly number[];
  /** A struct sockaddr, of a socket that is not connected; null: to whom it is connected. */
  readonly to: Uint8Array | null;
}

/** sendmsg(2). Never waits. @returns the name of the error, e.g. `EAGAIN`: there is no room now; null: it was sent */
export type SendMessage = (socket: number, message: Message) => string | null;

/** socket(7), send(2): the same numbers on all architectures that Node runs on with Linux. */
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct msghdr and iovec, 64 bit: where their fields are. */
const MSGHDR_BYTES = 56;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
const IOVEC_BYTES = 16;
/** cmsg(3), 64 bit: a header, then ints, all aligned to 8 bytes. */
const CMSG_HEADER_BYTES = 16;
const CMSG_ALIGN = 8;

/** Binds sendmsg(2). */
export function openSendMessage(libc: Libc): SendMessage {
  const send = libc.bind<(fd: number, message: Uint8Array, flags: number) => number>('long sendmsg(int fd, const void *message, int flags)');
  return (socket, { data, descriptors, to }) => {
    // The kernel is given addresses, so each of these owns its memory.
    const bytes = own(data);
    const name = own(to ?? new Uint8Array());
    const control = enclosing(descriptors);
    const iovec = Buffer.allocUnsafeSlow(IOVEC_BYTES);
    iovec.writeBigUInt64LE(koffi.address(bytes), 0);
    iovec.writeBigUInt64LE(BigInt(data.length), 8);
    const message = Buffer.allocUnsafeSlow(MSGHDR_BYTES).fill(0);
    if (to !== null) {
      message.writeBigUInt64LE(koffi.address(name), 0);
      message.writeUInt32LE(to.length, MSG_NAMELEN);
    }
    message.writeBigUInt64LE(koffi.address(iovec), MSG_IOV);
    message.writeBigUInt64LE(1n, MSG_IOVLEN);
    if (descriptors.length > 0) {
      message.writeBigUInt64LE(koffi.address(control), MSG_CONTROL);
      message.writeBigUInt64LE(BigInt(control.length), MSG_CONTROLLEN);
    }
    return send(socket, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? lastErrno() : null;
  };
}

function enclosing(descriptors: readonly number[]): Buffer {
  const length = CMSG_HEADER_BYTES + 4 * descriptors.length;
  const control = Buffer.allocUnsafeSlow(Math.ceil(length / CMSG_ALIGN) * CMSG_ALIGN).fill(0);
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  descriptors.forEach((fd, index) => control.writeInt32LE(fd, CMSG_HEADER_BYTES + 4 * index));
  return control;
}

/** A copy in memory of its own, at least a byte. */
function own(data: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(Math.max(1, data.length));
  copy.set(data);
  return copy;
}
