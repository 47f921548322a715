import type { Listen } from '../core/address.ts';
import type { Door, Owner } from './sockets.ts';

/** One listening socket of an address. */
export interface Slot {
  readonly fd: number;
  /** Of the descriptor, fstat(2): by it the kernel knows the socket. */
  readonly inode: number;
}

/** Who gets the connections to an address. */
export interface Traffic {
  /** Gets all that the other one does not get. */
  readonly rest: Slot;
  /** Gets this part, more than 0 and up to 1. */
  readonly favoured: { readonly slot: Slot; readonly share: number } | null;
}

/** A door to one slot. */
export interface Opened {
  readonly connect: Door['connect'];
  /** From which the connection comes; null: it has a path of its own. */
  readonly port: number | null;
  readonly slot: Slot;
  close(): void;
}

/** How a socket should be: its backlog, and who may use it. */
export interface Declared {
  readonly listen: Listen;
  readonly owner: Owner;
}

/** What the kernel does for one address; TCP and unix sockets have different ways. Which slot is whose is none of its business. */
export interface Group {
  /**
   * Opens one more socket, which comes last in the order of slots.
   * @param slots those there are; without any, the address must be free
   * @throws E_ADDRESS_IN_USE, E_ADDRESS, E_USER
   */
  open(slots: readonly Slot[], declared: Declared): Slot;
  /** The inodes of all sockets that listen on this very address, whoever has them. @throws E_KERNEL where the kernel cannot tell */
  listening(): ReadonlySet<number>;
  /** Takes over a socket that an earlier emperor, or a socket unit of systemd, opened. Those of an address are taken over in the kernel's order. @throws E_ADDRESS */
  takeOver(slot: Slot): void;
  /** Whether it is a socket unit's: that listens on it for ever, so it is never ended, and stays where it is in the order of slots. */
  isLasting(slot: Slot): boolean;
  /** Makes a slot as declared, and as new for those who get it next. @throws E_ADDRESS, E_USER */
  renew(slot: Slot, declared: Declared): void;
  /** Whether nobody has made it useless, by shutdown(2) or by removing its path. */
  isWhole(slot: Slot): boolean;
  /** Turns the connections, in one step. @throws E_ADDRESS if the folder of a unix socket does not allow it */
  turn(slots: readonly Slot[], traffic: Traffic, doors: readonly Opened[]): void;
  /** A way to one slot. It leads there once the connections were turned with it. */
  door(slot: Slot): Opened;
  queued(slot: Slot): number;
  /** As {@link Sockets.sinceUse}; what goes through these doors is no use. */
  sinceUse(slots: readonly Slot[], doors: readonly Opened[]): number;
  /** Ends a slot that nobody lives behind: nobody can connect to it any more. */
  end(slot: Slot): void;
  /** Gives up the address: removes what others find it by. Slots are ended, or left, one by one. */
  vanish(slots: readonly Slot[]): void;
  /** Closes our hold of a slot, for those who have it as well it goes on. */
  leave(slot: Slot): void;
}
