import { closeSync, fstatSync } from 'node:fs';
import type { Address } from '../core/address.ts';
import { EmperorError } from '../errors.ts';
import { kernelError } from '../kernel/libc.ts';
import type { SocketAddresses } from '../kernel/sockaddr.ts';
import type { SockDiag, SocketState, TcpSocket } from '../kernel/sock-diag.ts';
import type { StreamSockets } from '../kernel/sockets.ts';
import type { Group, Opened, Slot, Traffic } from './group.ts';
import type { Holders } from './holders.ts';
import type { Neighbours } from './neighbours.ts';
import { programOf } from './program.ts';
import { inUse, meaningOf, refusal } from './refusal.ts';

/** What groups of sockets need of the kernel. */
export interface Calls {
  readonly sockets: StreamSockets;
  readonly addresses: SocketAddresses;
  readonly diag: SockDiag;
  readonly holders: Holders;
  readonly neighbours: Neighbours;
}

type TcpAddress = Extract<Address, { readonly kind: 'tcp' }>;

/** Connections that somebody still has. */
const OPEN: readonly SocketState[] = ['established', 'syn-recv', 'fin-wait-1', 'fin-wait-2', 'close-wait', 'last-ack', 'closing'];

/** How long the kernel remembers a connection: TCP_TIMEWAIT_LEN, which no one can set. */
const REMEMBERED_MS = 60_000;

/**
 * A TCP address: all its sockets are one SO_REUSEPORT group, and a program in the kernel chooses among them.
 * @param name of the vassal, for messages
 */
export function tcpGroup(name: string, address: TcpAddress, { sockets, addresses, diag, holders }: Calls): Group {
  const family = address.host.includes(':') ? 'v6' : 'v4';
  const ours = addresses.bytes(address.host);
  const families = family === 'v6' && !address.v6only ? (['v6', 'v4'] as const) : ([family] as const);
  const everywhere = ours.every((byte) => byte === 0);
  const doorHosts = everywhere ? families.map((each) => (each === 'v6' ? '::1' : '127.0.0.1')) : [address.host];
  /** Ports of the doors that were opened, as long as the kernel remembers a connection through them. */
  const doorPorts = new Set<number>();

  /** @throws E_ADDRESS_IN_USE, E_ADDRESS */
  function bound(shared: boolean): number {
    const fd = opened();
    try {
      // Connections of those who listened before us may still be there; whoever listens now is in the way even so.
      sockets.set(fd, 'reuse-address', true);
      if (shared) sockets.set(fd, 'reuse-port', true);
      if (family === 'v6') sockets.set(fd, 'v6only', address.v6only);
      check(sockets.bind(fd, addresses.ip(address.host, address.port)));
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  function opened(): number {
    try {
      return sockets.open(family);
    } catch (error) {
      if (error instanceof EmperorError && error.cause === 'EAFNOSUPPORT') check('EAFNOSUPPORT');
      throw error;
    }
  }

  function check(errno: string | null): void {
    if (errno === 'EADDRINUSE') throw inUse({ name, address }, holders.tcp(address.host, address.port));
    if (errno !== null) throw refusal({ name, address }, meaningOf(errno, address), errno);
  }

  /** A port that nobody else gets, and from which Node, which sets SO_REUSEADDR as well, can connect. null: the host has not got that address. */
  function reserve(host: string): { readonly fd: number; readonly port: number } | null {
    const fd = sockets.open(host.includes(':') ? 'v6' : 'v4');
    sockets.set(fd, 'reuse-address', true);
    const errno = sockets.bind(fd, addresses.ip(host, 0));
    if (errno === null) return { fd, port: sockets.port(fd) };
    closeSync(fd);
    if (errno === 'EADDRNOTAVAIL') return null;
    throw kernelError('bind', `${host} for a probe`, errno);
  }

  /** A connection that a door was opened for; one that is still there after that has nothing to do with it. */
  const isProbe = (socket: TcpSocket, doorPort: number, open: ReadonlySet<number>): boolean =>
    socket.local.equals(socket.remote) && (open.has(doorPort) || (doorPorts.has(doorPort) && socket.state !== 'established'));

  return {
    open(slots, { listen }) {
      // Alone, without SO_REUSEPORT: else we would join whoever listens there with it, and share his connections.
      if (slots.length === 0) closeSync(bound(false));
      const fd = bound(true);
      try {
        check(sockets.listen(fd, listen.backlog));
        return { fd, inode: fstatSync(fd).ino };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },
    listening: () => new Set(diag.tcp(family, ['listen'], { local: address.port }).filter(({ local }) => local.equals(ours)).map(({ inode }) => inode)),
    takeOver: () => {},
    isLasting: () => false,
    renew(slot, { listen }) {
      sockets.block(slot.fd);
      check(sockets.listen(slot.fd, listen.backlog));
    },
    isWhole: (slot) => sockets.listens(slot.fd),
    turn(slots, { rest, favoured }: Traffic, doors) {
      const index = (slot: Slot): number => slots.indexOf(slot);
      const all = favoured?.share === 1 ? favoured.slot : rest;
      sockets.attach(all.fd, programOf({
        rest: index(all),
        share: favoured === null || favoured.share === 1 ? null : { index: index(favoured.slot), part: favoured.share },
        doors: doors.flatMap((door) => (door.port === null ? [] : [{ port: door.port, index: index(door.slot) }])),
      }));
    },
    door(slot) {
      for (const host of doorHosts) {
        const reserved = reserve(host);
        if (reserved === null) continue;
        const { fd, port } = reserved;
        doorPorts.add(port);
        return { connect: { host, port: address.port, localAddress: host, localPort: port }, port, slot, close: () => closeSync(fd) };
      }
      throw refusal({ name, address }, meaningOf('EADDRNOTAVAIL', address));
    },
    queued: (slot) => sockets.waiting(slot.fd),
    sinceUse(_slots, doors: readonly Opened[]) {
      const open = new Set(doors.flatMap(({ port }) => (port === null ? [] : [port])));
      const seen = new Set<number>(open);
      let sinceMs = Infinity;
      const note = (socket: TcpSocket, doorPort: number): void => {
        if (doorPorts.has(doorPort)) seen.add(doorPort);
        if (isProbe(socket, doorPort, open)) return;
        sinceMs = Math.min(sinceMs, socket.state === 'time-wait' ? Math.max(0, REMEMBERED_MS - socket.expiresMs) : 0);
      };
      for (const socket of diag.tcp(family, [...OPEN, 'time-wait'], { local: address.port })) {
        if (everywhere || socket.local.equals(ours)) note(socket, socket.remotePort);
      }
      // Who ends a connection remembers it: for clients on this host that is their side.
      for (const each of families) {
        for (const socket of diag.tcp(each, ['time-wait'], { remote: address.port })) {
          if (everywhere ? socket.local.equals(socket.remote) : socket.remote.equals(ours)) note(socket, socket.localPort);
        }
      }
      for (const port of doorPorts) if (!seen.has(port)) doorPorts.delete(port);
      return sinceMs;
    },
    end(slot) {
      sockets.stop(slot.fd);
      closeSync(slot.fd);
    },
    vanish: () => {},
    leave: (slot) => closeSync(slot.fd),
  };
}
