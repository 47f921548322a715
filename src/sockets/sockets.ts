import type { Address, Listen } from '../core/address.ts';
import type { VassalId } from '../core/listing.ts';

/** An open socket, lent to the instances of one generation. */
export interface Lent {
  readonly address: Address;
  /** Close-on-exec, above every number that an instance is given; it stays the holder's. */
  readonly fd: number;
}

/** How a probe reaches one generation, and nobody else does that way. */
export type Door = Disposable & {
  /** What net.connect() takes. */
  readonly connect: { readonly path: string } | { readonly host: string; readonly port: number; readonly localAddress?: string; readonly localPort?: number };
};

/**
 * Listening sockets that outlive instances. A vassal's addresses are opened before its first start and held while it exists;
 * each generation of instances has its own socket of each address, and the kernel is told whose turn it is.
 */
export interface Sockets extends Disposable {
  /**
   * Opens what is not open yet of these addresses, without anybody behind them: connections wait.
   * @throws EmperorError E_ADDRESS_IN_USE, E_ADDRESS: nothing of it was opened
   */
  hold(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner): void;
  /**
   * Takes back the sockets of generations that an earlier emperor started, out of their living instances; the one that serves is named first, and gets all
   * connections. What was handed over to us is had again as it was, with all of these generations; else the sockets of the others are ended.
   * @returns the addresses that could not be had again, in words: they stay with the instances, and cannot be held while those live
   */
  takeBack(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner, living: readonly Living[]): readonly string[];
  /**
   * The sockets of a generation, in the order of `listen`; opens what is missing. The first generation, or one that comes when no other
   * lives, takes over the sockets that connections wait in; one beside another gets its own, which no connection reaches but through a door.
   * @throws EmperorError E_ADDRESS_IN_USE, E_ADDRESS
   */
  lend(vassal: VassalId, name: string, generation: number, listen: readonly Listen[], owner: Owner): readonly Lent[];
  /**
   * From now on this share (0 to 1) of new connections goes to that generation; the rest to the one that had them all before.
   * Unix sockets know only 0 and 1: any part is 0. An address that the generation has not got goes on as it was.
   * @throws EmperorError E_ADDRESS where the folder of a unix socket is gone, or closed to us
   */
  steer(vassal: VassalId, generation: number, share: number): void;
  /** Connections that wait to be accepted by that generation; 0 where the kernel cannot tell. Cheap enough to be asked every few ms. */
  queued(vassal: VassalId, generation: number): number;
  /**
   * A way to the generation alone: for one connection, which is closed before the door. For TCP it is a port of ours that connections come from, and the kernel
   * remembers a connection for a minute; so each door has its own. A unix socket has a path of its own for it.
   */
  door(vassal: VassalId, generation: number, address: Address): Door;
  /** Calls back, later and once, when a connection waits. The returned function ends the wait. */
  awaitKnock(vassal: VassalId, onKnock: () => void): () => void;
  /**
   * How long ago the last connection to the vassal was open, in ms; 0: one is open. Infinity: the kernel knows of none. It remembers those of TCP for a minute, where
   * this host closed first or the client is on it, too; those of unix sockets not at all. What came through doors does not count.
   */
  sinceUse(vassal: VassalId): number;
  /** Nobody of that generation lives: its sockets may be lent again. Who waits in one that nobody needs is reset, rather than left waiting for ever. */
  retire(vassal: VassalId, generation: number): void;
  /**
   * All that is held, with copies of the sockets that are made by `copy`: for the program that is executed next in this process. From then on nothing is ended when
   * this is disposed: the order of the sockets has to stay as it is told.
   */
  handOver(copy: (fd: number) => number): readonly Handed[];
  /** Copies of the sockets of socket units, whoever lives behind them, as for {@link Sockets.handOver}. */
  handOverLasting(copy: (fd: number) => number): readonly number[];
  /** Closes what was handed over, or passed, to us and is not among these addresses: nobody will ask for it. */
  disinherit(wanted: readonly Address[]): void;
  /** Closes the addresses that are not in `keep`, and removes their unix sockets. An instance that still lives keeps its TCP socket: it listens until it ends. */
  release(vassal: VassalId, keep: readonly Listen[]): void;
}

/** An address as the emperor before us, in the same process, has left it to us. */
export interface Handed {
  readonly address: Address;
  /** In the kernel's order. `generation` null: nobody has it. `fd` null: it is that of a socket unit, which is handed over by itself. */
  readonly slots: readonly { readonly inode: number; readonly fd: number | null; readonly generation: number | null }[];
  /** Who gets the connections, by indexes of `slots`: as in {@link Traffic}. */
  readonly traffic: { readonly rest: number; readonly favoured: { readonly index: number; readonly share: number } | null };
}

/** A generation of an earlier emperor, by one of its instances. */
export interface Living {
  readonly generation: number;
  readonly pid: number;
}

/** Who a unix socket belongs to where its `listen` entry says nothing else. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
