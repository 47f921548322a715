import { closeSync } from 'node:fs';
import { openRaise } from './high-descriptor.ts';
import { kernelError, lastErrno, type Libc } from './libc.ts';
import { AF_UNIX } from './sockaddr.ts';

/** Two stream sockets that are connected with each other: close-on-exec, with numbers far above those that children are given. */
export interface SocketPair {
  /** It does not block, whoever has a copy of it. */
  readonly ours: number;
  /** It blocks. What is written to it has as much room as we may give it. */
  readonly theirs: number;
}

/** Pairs of which one end has a name, by which it can be told from other sockets later. */
export interface SocketPairs {
  /** @param name of our end, in the abstract namespace of unix(7); at most 107 bytes. One that is taken already is not given. @throws E_KERNEL when out of descriptors */
  open(name: string): SocketPair;
  /** The abstract name of a unix socket; null: it has none, or is no unix socket. */
  nameOf(fd: number): string | null;
}

/** The same numbers on all architectures that Node runs on with Linux: unix(7), socket(7), fcntl(2). */
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const F_SETFL = 4;
/** One byte, sent alone, takes up to a kilobyte of it. Used only as far as nobody reads. */
const ROOM_BYTES = 8 * 2 ** 20;
/** struct sockaddr_un: the family, the NUL that begins an abstract name, and the longest name. */
const FAMILY_BYTES = 2;
const ADDRESS_BYTES = FAMILY_BYTES + 108;

/** Binds socketpair(2). */
export function openSocketPairs(libc: Libc): SocketPairs {
  const socketpair = libc.bind<(family: number, type: number, protocol: number, pair: Uint8Array) => number>('int socketpair(int family, int type, int protocol, void *pair)');
  const setOption = libc.bind<(fd: number, level: number, name: number, value: Uint8Array, length: number) => number>(
    'int setsockopt(int fd, int level, int name, const void *value, uint length)',
  );
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  const bind = libc.bind<(fd: number, address: Uint8Array, length: number) => number>('int bind(int fd, const void *address, uint length)');
  const getName = libc.bind<(fd: number, address: Uint8Array, length: Uint8Array) => number>('int getsockname(int fd, void *address, void *length)');
  const raise = openRaise(libc);

  return {
    open(name) {
      const pair = Buffer.alloc(8);
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) throw kernelError('socketpair', name, lastErrno());
      const [first, second] = [pair.readInt32LE(0), pair.readInt32LE(4)];
      let ours: number;
      try {
        ours = raise(first);
      } catch (error) {
        closeSync(second);
        throw error;
      }
      try {
        const theirs = raise(second);
        fcntl(ours, F_SETFL, SOCK_NONBLOCK);
        const address = Buffer.concat([Buffer.alloc(FAMILY_BYTES + 1), Buffer.from(name)]);
        address.writeUInt16LE(AF_UNIX);
        bind(ours, address, address.length);
        // Beyond net.core.wmem_max only root may go: socket(7).
        if (setOption(theirs, SOL_SOCKET, SO_SNDBUFFORCE, int(ROOM_BYTES), 4) < 0) setOption(theirs, SOL_SOCKET, SO_SNDBUF, int(ROOM_BYTES), 4);
        return { ours, theirs };
      } catch (error) {
        closeSync(ours);
        throw error;
      }
    },
    nameOf(fd) {
      const address = Buffer.alloc(ADDRESS_BYTES);
      const length = int(ADDRESS_BYTES);
      if (getName(fd, address, length) < 0 || address.readUInt16LE() !== AF_UNIX) return null;
      const end = length.readInt32LE();
      return end > FAMILY_BYTES + 1 && address[FAMILY_BYTES] === 0 ? address.toString('utf8', FAMILY_BYTES + 1, end) : null;
    },
  };
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
