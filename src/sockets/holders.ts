import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { SocketAddresses } from '../kernel/sockaddr.ts';
import type { SockDiag, TcpSocket } from '../kernel/sock-diag.ts';
import { errnoOf } from '../errors.ts';
import { numberBeside } from './unix-file.ts';

/** Tells who listens on an address that we cannot have, in words. */
export interface Holders {
  tcp(host: string, port: number): string;
  unix(path: string): string;
  /** The vassal that we hold that path for, by name. */
  vassalAt(path: string): string | null;
}

const STRANGER = 'another program';

/** What we hold ourselves: the vassal that has it, by name. */
export interface Ours {
  /** @param inode of the socket, fstat(2) of its descriptor */
  socket(inode: number): string | null;
  unix(path: string): string | null;
}

export function openHolders(diag: SockDiag, addresses: SocketAddresses, ours: Ours): Holders {
  const nameOf = (inode: number | undefined): string => {
    if (inode === undefined) return STRANGER;
    const vassal = ours.socket(inode);
    return vassal === null ? (programWith(inode) ?? STRANGER) : `vassal "${vassal}"`;
  };
  /** A message that says less is better than none: the kernel may not be able to tell. */
  const told = (find: () => number | undefined): string => {
    try {
      return nameOf(find());
    } catch {
      return STRANGER;
    }
  };
  return {
    tcp: (host, port) => told(() => {
      const wanted = addresses.bytes(host);
      const all = (['v4', 'v6'] as const).flatMap((family) => diag.tcp(family, ['listen'], { local: port }));
      return best(all, wanted)?.inode;
    }),
    unix: (path) => told(() => diag.unix(['listen']).find((each) => each.path === path || (each.path !== null && numberBeside(path, each.path) !== null))?.inode),
    vassalAt: (path) => ours.unix(path),
  };
}

/** Of several on one port: who has the very address, else who has all, else whoever is in the way of one that wants all. */
function best(sockets: readonly TcpSocket[], wanted: Buffer): TcpSocket | undefined {
  return sockets.find(({ local }) => local.equals(wanted)) ?? sockets.find(({ local }) => local.every((byte) => byte === 0)) ?? sockets[0];
}

/** The first process that has the socket, as `nginx (pid 12)`: proc_pid_fd(5). null: we may not look into it. */
function programWith(inode: number): string | null {
  const link = `socket:[${inode}]`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);
  const pid = pids.find((each) => descriptorsOf(each).includes(link));
  if (pid === undefined) return null;
  const name = ifThere(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  return name === null ? null : `${name} (pid ${pid})`;
}

function descriptorsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  return (ifThere(() => readdirSync(folder)) ?? []).map((name) => ifThere(() => readlinkSync(`${folder}/${name}`)) ?? '');
}

/** null: the process, or its descriptor, has gone meanwhile; or it is not ours to look at. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errnoOf(error))) return null;
    throw error;
  }
}
