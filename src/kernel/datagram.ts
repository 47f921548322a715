import { chmodSync, closeSync, lstatSync, renameSync, rmSync } from 'node:fs';
import koffi from 'koffi';
import { EmperorError, errnoOf } from '../errors.ts';
import { openEpoll } from './epoll.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';
import { openSendMessage } from './send-message.ts';

/** What somebody sent, and who it was. */
export interface Datagram {
  readonly bytes: Buffer;
  /** It was longer than we read; the rest is lost. */
  readonly cut: boolean;
  /** As the kernel vouches for it, SCM_CREDENTIALS of unix(7). `pid` is 0 for a process that we cannot see, in another pid namespace. */
  readonly sender: { readonly pid: number; readonly uid: number; readonly gid: number } | null;
  /** The struct sockaddr that its socket is bound to; null: to none, and so nobody can answer. */
  readonly from: Uint8Array | null;
}

/** Where datagrams are waited for. */
export interface ReceiverOptions {
  readonly libc: Libc;
  /** At most 106 bytes. A socket that is there is replaced, in one step. */
  readonly path: string;
  /** Who may send is who may write: unix(7), "Pathname socket ownership and permissions". */
  readonly mode: number;
  /** Longer datagrams are cut. */
  readonly mostBytes: number;
  readonly onDatagram: (datagram: Datagram) => void;
  /** The same socket, bound to `path` by the program that was this process before; null: it is bound now. */
  readonly inherited?: number | null;
}

/** A socket that datagrams come to. */
export interface Receiver extends Disposable {
  /** A copy for the program that is executed next in this process, made by `copy`; from now on nothing is taken out of it, and disposing leaves its path. */
  handOver(copy: (fd: number) => number): number;
  /** Sends something to whom a datagram came from. Never waits. @returns the name of the error; null: it was sent */
  answer(to: Uint8Array, data: Uint8Array): string | null;
}

/** The same numbers on all architectures that Node runs on with Linux: unix(7), socket(7), recv(2). */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** sun_path of unix(7), without the NUL at its end. */
const LONGEST_PATH = 107;
/** struct msghdr, 64 bit: where its fields are. */
const MSGHDR_BYTES = 56;
const MSG_NAMELEN = 8;
/** struct sockaddr_un: the family alone, of a socket without a name, and all of it. */
const FAMILY_BYTES = 2;
const ADDRESS_BYTES = FAMILY_BYTES + 108;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
const MSG_FLAGS = 48;
const IOVEC_BYTES = 16;
/** cmsg(3), 64 bit: a header, then data, all aligned to 8 bytes. */
const CMSG_HEADER_BYTES = 16;
const CMSG_ALIGN = 8;
/** Credentials, and as many descriptors as one datagram can carry: SCM_MAX_FD, 253. */
const CONTROL_BYTES = 32 + CMSG_HEADER_BYTES + 253 * 4 + 4;
/** Datagrams taken in one turn of the event loop: who sends without end must not keep us from the rest. */
const DATAGRAMS_A_TURN = 32;

/**
 * Opens a unix datagram socket that tells who sends. Descriptors that come along are closed before `onDatagram` is called for them, and after it
 * was called for all that was sent earlier. Disposing removes the socket, if it is still ours.
 * @throws E_KERNEL when the path is too long, or cannot be bound to
 */
export function openReceiver(options: ReceiverOptions): Receiver {
  const { libc, path, mostBytes } = options;
  const receive = libc.bind<(fd: number, message: Uint8Array, flags: number) => number>('long recvmsg(int fd, void *message, int flags)');
  const { fd, inode } = options.inherited == null ? bindSocket(libc, path, options.mode) : { fd: options.inherited, inode: inodeOf(path) };
  const send = openSendMessage(libc);
  const letter = new Letter(mostBytes);
  const epoll = openEpoll(libc);
  let open = true;
  let handed = false;

  const takeOne = (): boolean => {
    // Who was told of the one before may have closed us.
    if (!open || handed) return false;
    letter.reset();
    const length = receive(fd, letter.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // EAGAIN, or an error of the socket that reading it has cleared.
    if (length < 0) return lastErrno() === 'EINTR';
    const { sender, descriptors } = letter.enclosed();
    for (const descriptor of descriptors) closeSync(descriptor);
    options.onDatagram({ bytes: Buffer.from(letter.data.subarray(0, length)), cut: letter.cut, sender, from: letter.from });
    return true;
  };
  epoll.watch(fd, () => {
    for (let left = DATAGRAMS_A_TURN; left > 0 && takeOne(); ) left -= 1;
  });

  return {
    answer: (to, data) => (open && !handed ? send(fd, { data, descriptors: [], to }) : 'EBADF'),
    handOver(copy) {
      handed = true;
      epoll.unwatch(fd);
      return copy(fd);
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      epoll[Symbol.dispose]();
      closeSync(fd);
      if (!handed && inodeOf(path) === inode) rmSync(path, { force: true });
    },
  };
}

/** socket(2), which is bound once. */
export function bindSocketCall(libc: Libc): (domain: number, type: number, protocol: number) => number {
  return libc.bind('int socket(int domain, int type, int protocol)');
}

/** Bound under a name of its own, then renamed: whoever finds it at its path may write to it. */
function bindSocket(libc: Libc, path: string, mode: number): { readonly fd: number; readonly inode: bigint | null } {
  const bind = libc.bind<(fd: number, address: Uint8Array, length: number) => number>('int bind(int fd, const void *address, uint length)');
  const setOption = libc.bind<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
    'int setsockopt(int fd, int level, int name, const void *value, uint length)',
  );
  const aside = `${path}~`;
  const address = socketAddress(aside);
  if (address === null) throw new EmperorError('E_KERNEL', `cannot bind ${path}: a unix socket's path has at most ${LONGEST_PATH - 1} bytes`, { cause: 'ENAMETOOLONG' });
  const fd = bindSocketCall(libc)(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw kernelError('socket', path, lastErrno());
  try {
    if (setOption(fd, SOL_SOCKET, SO_PASSCRED, int(1), 4) < 0) throw kernelError('setsockopt', path, lastErrno());
    rmSync(aside, { force: true });
    if (bind(fd, address, address.length) < 0) throw kernelError('bind', path, lastErrno());
    chmodSync(aside, mode);
    renameSync(aside, path);
    return { fd, inode: inodeOf(path) };
  } catch (error) {
    closeSync(fd);
    throw error instanceof EmperorError ? error : kernelError('bind', path, errnoOf(error));
  }
}

/** struct sockaddr_un of unix(7), of a path, or of an abstract name that begins with `@`. null: the name does not fit. */
export function socketAddress(name: string): Buffer | null {
  const path = Buffer.from(name.startsWith('@') ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > LONGEST_PATH + 1) return null;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path]);
}

/** Memory that recvmsg(2) writes to, used again and again. */
class Letter {
  readonly message: Buffer = Buffer.allocUnsafeSlow(MSGHDR_BYTES).fill(0);
  readonly data: Buffer;
  // Each owns its memory, which stays where it is: the kernel is given its address.
  readonly #iovec: Buffer = Buffer.allocUnsafeSlow(IOVEC_BYTES);
  readonly #control: Buffer = Buffer.allocUnsafeSlow(CONTROL_BYTES);
  readonly #name: Buffer = Buffer.allocUnsafeSlow(ADDRESS_BYTES);

  constructor(mostBytes: number) {
    this.data = Buffer.allocUnsafeSlow(mostBytes);
    this.#iovec.writeBigUInt64LE(koffi.address(this.data), 0);
    this.#iovec.writeBigUInt64LE(BigInt(mostBytes), 8);
    this.message.writeBigUInt64LE(koffi.address(this.#name), 0);
    this.message.writeBigUInt64LE(koffi.address(this.#iovec), MSG_IOV);
    this.message.writeBigUInt64LE(1n, MSG_IOVLEN);
    this.message.writeBigUInt64LE(koffi.address(this.#control), MSG_CONTROL);
  }

  /** Before each call, as the kernel writes how much it used. */
  reset(): void {
    this.message.writeUInt32LE(ADDRESS_BYTES, MSG_NAMELEN);
    this.message.writeBigUInt64LE(BigInt(CONTROL_BYTES), MSG_CONTROLLEN);
    this.message.writeInt32LE(0, MSG_FLAGS);
  }

  /** The address of who sent it, as it is to be given to sendmsg(2). */
  get from(): Uint8Array | null {
    const length = Math.min(this.message.readUInt32LE(MSG_NAMELEN), ADDRESS_BYTES);
    return length > FAMILY_BYTES ? Uint8Array.from(this.#name.subarray(0, length)) : null;
  }

  get cut(): boolean {
    return (this.message.readInt32LE(MSG_FLAGS) & MSG_TRUNC) !== 0;
  }

  /** Who sent it, and what came along: cmsg(3). */
  enclosed(): { readonly sender: Datagram['sender']; readonly descriptors: readonly number[] } {
    const end = Number(this.message.readBigUInt64LE(MSG_CONTROLLEN));
    let sender: Datagram['sender'] = null;
    const descriptors: number[] = [];
    for (let at = 0; at + CMSG_HEADER_BYTES <= end; ) {
      const length = Number(this.#control.readBigUInt64LE(at));
      const data = at + CMSG_HEADER_BYTES;
      const type = this.#control.readInt32LE(at + 8) === SOL_SOCKET ? this.#control.readInt32LE(at + 12) : null;
      const int = (index: number): number => this.#control.readInt32LE(data + 4 * index);
      const unsigned = (index: number): number => this.#control.readUInt32LE(data + 4 * index);
      if (type === SCM_CREDENTIALS) sender = { pid: int(0), uid: unsigned(1), gid: unsigned(2) };
      if (type === SCM_RIGHTS) for (let index = 0; index < Math.floor((length - CMSG_HEADER_BYTES) / 4); index++) descriptors.push(int(index));
      at += Math.ceil(Math.max(length, CMSG_HEADER_BYTES) / CMSG_ALIGN) * CMSG_ALIGN;
    }
    return { sender, descriptors };
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function inodeOf(path: string): bigint | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}
