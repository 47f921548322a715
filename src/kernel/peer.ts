import type { Libc } from './libc.ts';
import type { UserDatabase } from './user.ts';

/** Who is at the other end of a connection, as the kernel vouches for it. */
export interface Peer {
  /** 0 for a process that we cannot see, in another pid namespace. It may have ended since. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** socket(7): SO_PEERCRED; the same numbers on all architectures that Node runs on with Linux. struct ucred is three ints. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;

/**
 * Tells who called connect(2) on the other end of an accepted unix stream socket: SO_PEERCRED of unix(7). Who made the listening socket
 * does not matter, so it holds for one that systemd has passed, too. Nothing that the peer sends or does later changes it.
 * @returns null if the descriptor is no such socket
 */
export type PeerOf = (fd: number) => Peer | null;

/** Binds getsockopt(2). */
export function openPeerOf(libc: Libc): PeerOf {
  const getOption = libc.bind<(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number>(
    'int getsockopt(int fd, int level, int name, void *value, void *length)',
  );
  return (fd) => {
    const value = Buffer.alloc(UCRED_BYTES);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(UCRED_BYTES);
    if (getOption(fd, SOL_SOCKET, SO_PEERCRED, value, length) < 0) return null;
    const [pid, uid, gid] = [value.readInt32LE(0), value.readUInt32LE(4), value.readUInt32LE(8)];
    // What was never connected has nobody at its other end: pid 0, and all ones for uid and gid.
    return uid === 0xffff_ffff ? null : { pid, uid, gid };
  };
}

/** Names whoever is at the other end of a connection: `alice[4242]`, user and process; `uid 1234[4242]` where the user has no name. null: nobody is there. */
export function peerNamer(peerOf: PeerOf, users: Pick<UserDatabase, 'user'>): (fd: number) => string | null {
  return (fd) => {
    const peer = peerOf(fd);
    return peer === null ? null : printPeer(peer, users);
  };
}

/** As {@link peerNamer} names one, where the kernel has told already who it is. */
export function printPeer({ uid, pid }: Pick<Peer, 'uid' | 'pid'>, users: Pick<UserDatabase, 'user'>): string {
  const found = users.user(String(uid));
  // Somebody else may have that number for a name.
  return `${found?.uid === uid ? found.name : `uid ${uid}`}[${pid}]`;
}
