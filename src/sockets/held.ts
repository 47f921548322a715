import type { Address } from '../core/address.ts';
import type { Declared, Group, Opened, Slot, Traffic } from './group.ts';
import type { Door, Handed } from './sockets.ts';

/** A socket that somebody before us has opened, and the generation that has it; null: connections wait in it. */
export interface Resident {
  readonly generation: number | null;
  readonly slot: Slot;
}

/**
 * One address that is held: whose turn it is, and who may have which of its sockets.
 *
 * The kernel knows a TCP socket by its index in the group, and fills a gap with the last one. So the order of `slots` is changed only
 * as the kernel does it: opened at the end; ended at the end, or as the first of two.
 *
 *  | generations that live        | slots                                                    |
 *  |------------------------------|----------------------------------------------------------|
 *  | none                         | one, in which connections wait                           |
 *  | one                          | one                                                      |
 *  | one, and others beside it    | one each; a slot that became free in the middle is kept  |
 *
 * The slot of a socket unit, which comes first, is there in all of them.
 */
export class Held {
  readonly address: Address;
  readonly #group: Group;
  readonly #occupants: Map<Slot, number> = new Map();
  readonly #doors: Set<Opened> = new Set();
  #declared: Declared;
  #slots: readonly Slot[];
  #traffic: Traffic;
  #handedOver = false;

  /**
   * @param residents all sockets of the address, in the kernel's order, and who lives on them. None: the address is opened
   * @param traffic who has the connections; absent: the last one
   * @throws E_ADDRESS_IN_USE, E_ADDRESS, E_USER
   */
  constructor(group: Group, declared: Declared, residents: readonly Resident[] = [], traffic?: Handed['traffic']) {
    this.#group = group;
    this.address = declared.listen.address;
    this.#declared = declared;
    for (const { generation, slot } of residents) {
      group.takeOver(slot);
      if (generation === null) group.renew(slot, declared);
      else this.#occupants.set(slot, generation);
    }
    const last = residents.at(-1)?.slot ?? group.open([], declared);
    this.#slots = residents.length === 0 ? [last] : residents.map(({ slot }) => slot);
    const favoured = this.#slots[traffic?.favoured?.index ?? -1];
    this.#traffic = {
      rest: this.#slots[traffic?.rest ?? -1] ?? last,
      favoured: traffic?.favoured == null || favoured === undefined ? null : { slot: favoured, share: traffic.favoured.share },
    };
    try {
      this.#turn();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  /** Where connections wait when nobody lives. */
  get steered(): Slot {
    const { rest, favoured } = this.#traffic;
    return favoured?.share === 1 ? favoured.slot : rest;
  }

  /** The socket that a generation has; undefined: none. */
  slotOf(generation: number): Slot | undefined {
    return this.#slots.find((slot) => this.#occupants.get(slot) === generation);
  }

  /** The slot of a generation: its own, or the one that connections wait in, or one that nobody is led to. */
  lend(generation: number, declared: Declared): Slot {
    const own = this.slotOf(generation);
    if (own !== undefined) return own;
    this.#declared = declared;
    this.#replaceBroken();
    // What waits in one was meant for others: whoever is to be judged must not answer it.
    const idle = this.#slots.find((slot) => !this.#occupants.has(slot) && !this.#isFed(slot) && this.#group.queued(slot) === 0);
    const slot = this.#occupants.size === 0 ? this.steered : (idle ?? this.#open());
    this.#group.renew(slot, declared);
    this.#occupants.set(slot, generation);
    this.#turn();
    return slot;
  }

  /** Nothing happens if the generation has no socket here: its file does not name the address. */
  steer(generation: number, share: number): void {
    const slot = this.slotOf(generation);
    if (slot === undefined) return;
    const { rest, favoured } = this.#traffic;
    if (favoured?.slot === slot) this.#traffic = { rest, favoured: share > 0 ? { slot, share } : null };
    else if (this.steered === slot) this.#traffic = { rest, favoured: null };
    else this.#traffic = { rest: this.steered, favoured: share > 0 ? { slot, share } : null };
    this.#settle();
  }

  /** The generations that have a socket here. */
  get generations(): readonly number[] {
    return [...this.#occupants.values()];
  }

  retire(generation: number): void {
    const slot = this.slotOf(generation);
    if (slot === undefined) return;
    this.#occupants.delete(slot);
    this.#settle();
  }

  /** Connections that the generation has not accepted. */
  queued(generation: number): number {
    const slot = this.slotOf(generation);
    return slot === undefined ? 0 : this.#group.queued(slot);
  }

  /** null: the generation has no socket here. */
  door(generation: number): Door | null {
    const slot = this.slotOf(generation);
    if (slot === undefined) return null;
    const door = this.#group.door(slot);
    this.#doors.add(door);
    this.#turn();
    return {
      connect: door.connect,
      [Symbol.dispose]: () => {
        if (!this.#doors.delete(door)) return;
        this.#turn();
        door.close();
      },
    };
  }

  sinceUse(): number {
    return this.#group.sinceUse(this.#slots, [...this.#doors]);
  }

  /** Gives up the address. Those who have a socket keep it, but nobody finds it any more where the kernel allows that. */
  release(): void {
    this.#closeDoors();
    this.#group.vanish(this.#slots);
    for (const slot of this.#slots) {
      if (this.#occupants.has(slot)) this.#group.leave(slot);
      else this.#group.end(slot);
    }
    this.#slots = [];
  }

  /** As it is, for the program that is executed next in this process. @param copy makes a descriptor that stays open; not called for those of socket units */
  print(copy: (fd: number) => number): Handed {
    const { rest, favoured } = this.#traffic;
    const index = (slot: Slot): number => this.#slots.indexOf(slot);
    return {
      address: this.address,
      slots: this.#slots.map((slot) => ({ inode: slot.inode, fd: this.#group.isLasting(slot) ? null : copy(slot.fd), generation: this.#occupants.get(slot) ?? null })),
      traffic: { rest: index(rest), favoured: favoured === null ? null : { index: index(favoured.slot), share: favoured.share } },
    };
  }

  /** What was printed is in good hands: nothing is ended any more. */
  handOver(): void {
    this.#handedOver = true;
  }

  /** Leaves everything as it is, for those who live and for the next emperor. */
  leave(): void {
    this.#closeDoors();
    // Closed by our end they would leave gaps, which the kernel fills: then its program would lead elsewhere.
    const idle = this.#handedOver ? [] : this.#slots.filter((slot) => !this.#isNeeded(slot));
    for (const slot of idle) this.#end(slot);
    if (idle.length > 0) this.#turn();
    for (const slot of this.#slots) this.#group.leave(slot);
    this.#slots = [];
  }

  #isNeeded(slot: Slot): boolean {
    return this.#isFed(slot) || this.#occupants.has(slot) || this.#group.isLasting(slot);
  }

  #isFed(slot: Slot): boolean {
    return slot === this.#traffic.rest || slot === this.#traffic.favoured?.slot;
  }

  #open(): Slot {
    const slot = this.#group.open(this.#slots, this.#declared);
    this.#slots = [...this.#slots, slot];
    return slot;
  }

  #turn(): void {
    this.#group.turn(this.#slots, this.#traffic, [...this.#doors].filter(({ slot }) => this.#slots.includes(slot)));
  }

  /** Nobody is led to where nobody lives, but to wait; and what nobody needs is ended. */
  #settle(): void {
    const { rest, favoured } = this.#traffic;
    if (favoured?.share === 1 && !this.#occupants.has(rest)) this.#traffic = { rest: favoured.slot, favoured: null };
    else if (favoured !== null && favoured.share < 1 && !this.#occupants.has(favoured.slot)) this.#traffic = { rest, favoured: null };
    this.#turn();
    for (let last = this.#slots.at(-1); last !== undefined && !this.#isNeeded(last); last = this.#slots.at(-1)) this.#end(last);
    const [first, second] = this.#slots;
    // Between the two calls the program names an index that is not there any more, and the only one that is left gets everything.
    if (this.#slots.length === 2 && first !== undefined && second !== undefined && !this.#isNeeded(first)) {
      this.#end(first);
      this.#turn();
    }
  }

  #end(slot: Slot): void {
    this.#strike(slot);
    this.#group.end(slot);
  }

  /** As the kernel does it: the last one fills the gap. */
  #strike(slot: Slot): void {
    const last = this.#slots.at(-1);
    if (last === undefined) return;
    this.#slots = this.#slots.slice(0, -1).map((each) => (each === slot ? last : each));
  }

  /** Slots that whoever had them before left useless. A server that ends listening by shutdown(2) takes its socket out of the group. */
  #replaceBroken(): void {
    for (const broken of this.#slots.filter((slot) => !this.#occupants.has(slot) && !this.#group.isLasting(slot) && !this.#group.isWhole(slot))) {
      this.#end(broken);
      const { rest, favoured } = this.#traffic;
      if (!this.#isFed(broken)) continue;
      const fresh = this.#open();
      this.#traffic = { rest: rest === broken ? fresh : rest, favoured: favoured?.slot === broken ? { ...favoured, slot: fresh } : favoured };
    }
  }

  #closeDoors(): void {
    for (const door of this.#doors) door.close();
    this.#doors.clear();
  }
}
