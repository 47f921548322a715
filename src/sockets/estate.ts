import { closeSync, fstatSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { keptName, type Keeper } from '../world/keeper.ts';
import type { Slot } from './group.ts';

/** Listening sockets that were passed to this emperor, and that nobody has asked for yet. The kernel knows them by their inodes: by those it tells which address they are for. */
export class Estate {
  readonly #keeper: Keeper;
  readonly #slots: Map<number, Slot> = new Map();
  readonly #passed: Set<number> = new Set();
  readonly #lasting: Set<number> = new Set();

  /**
   * @param kept descriptors that an earlier emperor gave to the keeper
   * @param lasting those of socket units, which go on listening whatever we do
   */
  constructor(keeper: Keeper, kept: readonly number[] = [], lasting: readonly number[] = []) {
    this.#keeper = keeper;
    for (const fd of lasting) {
      const inode = this.#add(fd);
      if (inode !== null) this.#lasting.add(inode);
    }
    for (const fd of kept) this.#add(fd);
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** A socket unit listens on it. */
  isLasting({ inode }: Slot): boolean {
    return this.#lasting.has(inode);
  }

  /** Those that are still here, of these inodes. */
  among(inodes: ReadonlySet<number>): readonly Slot[] {
    return [...this.#slots.values()].filter(({ inode }) => inodes.has(inode));
  }

  /** Takes one out: it is the caller's. @returns its descriptor; null: it is not here */
  take(inode: number): number | null {
    const slot = this.#slots.get(inode);
    this.#slots.delete(inode);
    return slot?.fd ?? null;
  }

  /** It is not used after all, or not any more: what was passed to us is here again, and anything else is closed. */
  giveBack(slot: Slot): void {
    if (this.#passed.has(slot.inode)) this.#slots.set(slot.inode, slot);
    else closeSync(slot.fd);
  }

  /** Copies of those that last, for the program that is executed next in this process; the others it finds where we found them. @param used those that were taken out */
  handOver(copy: (fd: number) => number, used: readonly Slot[]): readonly number[] {
    return [...this.#slots.values(), ...used].filter((slot) => this.isLasting(slot)).map(({ fd }) => copy(fd));
  }

  /** Closes those that do not last and are none of these: nobody will ask for them. */
  discard(wanted: ReadonlySet<number>): void {
    for (const slot of this.#slots.values()) {
      if (this.isLasting(slot) || wanted.has(slot.inode)) continue;
      this.#keeper.drop(keptName('socket', slot.inode));
      this.#slots.delete(slot.inode);
      closeSync(slot.fd);
    }
  }

  /** Closes what is still here; those who keep copies go on keeping them. */
  close(): void {
    for (const { fd } of this.#slots.values()) closeSync(fd);
    this.#slots.clear();
  }

  /** @returns null: it is one that is here already, or none */
  #add(fd: number): number | null {
    try {
      const { ino } = fstatSync(fd);
      if (this.#slots.has(ino)) {
        closeSync(fd);
        return null;
      }
      this.#slots.set(ino, { fd, inode: ino });
      this.#passed.add(ino);
      return ino;
    } catch (error) {
      if (errnoOf(error) !== 'EBADF') throw error;
      return null;
    }
  }
}
