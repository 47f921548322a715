import { printAddress, sameAddress, type Address, type Listen } from '../../src/core/address.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { EmperorError } from '../../src/errors.ts';
import type { Group, Opened, Slot, Traffic } from '../../src/sockets/group.ts';
import { Held } from '../../src/sockets/held.ts';
import type { Door, Handed, Lent, Living, Owner, Sockets } from '../../src/sockets/sockets.ts';

/** A group of sockets that does what the kernel does: a connection goes to an index, and a gap is filled with the last one. */
export class FakeGroup implements Group {
  /** As the kernel has them. */
  readonly kernel: Slot[] = [];
  /** Connections that wait for whoever has the slot. */
  readonly waiting: Map<Slot, number> = new Map();
  /** Slots that whoever had them ended by shutdown(2). */
  readonly broken: Set<Slot> = new Set();
  /** Slots that socket units listen on for ever. */
  readonly lasting: Set<Slot> = new Set();
  #nextFd: number;
  #program: { readonly rest: number; readonly favoured: number | null; readonly doors: ReadonlyMap<number, number> } = { rest: 0, favoured: null, doors: new Map() };
  #nextPort = 1;

  constructor(firstFd: number = 100) {
    this.#nextFd = firstFd;
  }

  open(): Slot {
    const slot = { fd: this.#nextFd, inode: this.#nextFd };
    this.#nextFd += 1;
    this.kernel.push(slot);
    this.waiting.set(slot, 0);
    return slot;
  }

  listening(): ReadonlySet<number> {
    return new Set(this.kernel.map(({ inode }) => inode));
  }

  takeOver(slot: Slot): void {
    this.kernel.push(slot);
    this.waiting.set(slot, 0);
  }

  turn(slots: readonly Slot[], { rest, favoured }: Traffic, doors: readonly Opened[]): void {
    const all = favoured?.share === 1 ? favoured.slot : rest;
    this.#program = {
      rest: slots.indexOf(all),
      favoured: favoured === null ? null : slots.indexOf(favoured.slot),
      doors: new Map(doors.map(({ port, slot }): [number, number] => [port ?? 0, slots.indexOf(slot)])),
    };
  }

  door(slot: Slot): Opened {
    const port = this.#nextPort;
    this.#nextPort += 1;
    return { connect: { host: '127.0.0.1', port: 1, localAddress: '127.0.0.1', localPort: port }, port, slot, close: () => {} };
  }

  /** Somebody connects. @param port of a door; `favoured`: one of those whom a share of less than all means. @returns where it waits */
  visit(from: number | 'favoured' | null = null): Slot {
    const { rest, favoured, doors } = this.#program;
    const index = from === 'favoured' ? (favoured ?? rest) : (doors.get(from ?? -1) ?? rest);
    // An index that is not there means a choice by hash: with only one left there is none.
    const slot = this.kernel[index] ?? (this.kernel.length === 1 ? this.kernel[0] : undefined);
    if (slot === undefined) throw new Error(`the kernel would choose by hash: there is no socket ${index}`);
    this.waiting.set(slot, this.queued(slot) + 1);
    return slot;
  }

  queued(slot: Slot): number {
    return this.waiting.get(slot) ?? 0;
  }

  sinceUse(slots: readonly Slot[]): number {
    return slots.some((slot) => this.queued(slot) > 0) ? 0 : Infinity;
  }

  end(slot: Slot): void {
    this.waiting.delete(slot);
    const index = this.kernel.indexOf(slot);
    const last = this.kernel.pop();
    if (last !== undefined && last !== slot) this.kernel[index] = last;
  }

  isLasting(slot: Slot): boolean {
    return this.lasting.has(slot);
  }

  renew(): void {}
  leave(): void {}
  vanish(): void {}
  isWhole(slot: Slot): boolean {
    return !this.broken.has(slot);
  }
}

interface FakeAddress {
  readonly vassal: VassalId;
  readonly held: Held;
  readonly group: FakeGroup;
}

/** Sockets of a host that does not exist. They keep the port's promises and write down what they were asked for, in our words. */
export class FakeSockets implements Sockets {
  /** `hold shop`, `lend shop 2`, `steer shop 2 0.05`, `retire shop 1`, `release shop but 127.0.0.1:80` … in order. */
  readonly orders: string[] = [];
  /** Addresses that another program has, as they are printed. */
  readonly foreign: Set<string> = new Set();
  /** How long nobody has used a vassal, ms; by name. Without an entry the connections that wait decide. */
  readonly unusedMs: Map<string, number> = new Map();
  readonly #names: Map<VassalId, string> = new Map();
  readonly #knocks: Map<VassalId, () => void> = new Map();
  #addresses: FakeAddress[] = [];
  #nextFd = 100;

  hold(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner): void {
    this.#names.set(vassal, name);
    this.orders.push(`hold ${name}`);
    this.#open(vassal, name, listen, owner);
  }

  takeBack(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner, living: readonly Living[]): readonly string[] {
    this.#names.set(vassal, name);
    this.orders.push(`take back ${name} ${living.map(({ generation }) => generation).join(' ')}`);
    this.#open(vassal, name, listen, owner);
    for (const each of listen) for (const { generation } of living) this.#at(vassal, each.address).held.lend(generation, { listen: each, owner });
    return [];
  }

  handOver(copy: (fd: number) => number): readonly Handed[] {
    return this.#addresses.map(({ held }) => held.print(copy));
  }

  handOverLasting(): readonly number[] {
    return [];
  }

  disinherit(): void {}

  lend(vassal: VassalId, name: string, generation: number, listen: readonly Listen[], owner: Owner): readonly Lent[] {
    this.#names.set(vassal, name);
    this.orders.push(`lend ${name} ${generation}`);
    this.#open(vassal, name, listen, owner);
    return listen.map((each) => ({ address: each.address, fd: this.#at(vassal, each.address).held.lend(generation, { listen: each, owner }).fd }));
  }

  steer(vassal: VassalId, generation: number, share: number): void {
    this.orders.push(`steer ${this.#nameOf(vassal)} ${generation} ${share}`);
    for (const { held } of this.#of(vassal)) held.steer(generation, share);
  }

  queued(vassal: VassalId, generation: number): number {
    return this.#of(vassal).reduce((sum, { held }) => sum + held.queued(generation), 0);
  }

  door(vassal: VassalId, generation: number, address: Address): Door {
    const door = this.#at(vassal, address).held.door(generation);
    if (door === null) throw new Error(`generation ${generation} has no socket of ${printAddress(address)}`);
    return door;
  }

  awaitKnock(vassal: VassalId, onKnock: () => void): () => void {
    this.orders.push(`await knock ${this.#nameOf(vassal)}`);
    this.#knocks.set(vassal, onKnock);
    if (this.#of(vassal).some(({ held, group }) => group.queued(held.steered) > 0)) setImmediate(() => this.#knock(vassal, onKnock));
    return () => {
      if (this.#knocks.get(vassal) === onKnock) this.#knocks.delete(vassal);
    };
  }

  sinceUse(vassal: VassalId): number {
    return this.unusedMs.get(this.#nameOf(vassal)) ?? Math.min(Infinity, ...this.#of(vassal).map(({ held }) => held.sinceUse()));
  }

  retire(vassal: VassalId, generation: number): void {
    this.orders.push(`retire ${this.#nameOf(vassal)} ${generation}`);
    for (const { held } of this.#of(vassal)) held.retire(generation);
  }

  release(vassal: VassalId, keep: readonly Listen[]): void {
    this.orders.push(`release ${this.#nameOf(vassal)}${keep.length === 0 ? '' : ` but ${keep.map(({ address }) => printAddress(address)).join(' ')}`}`);
    const released = this.#of(vassal).filter(({ held }) => !keep.some(({ address }) => sameAddress(address, held.address)));
    for (const { held } of released) held.release();
    this.#addresses = this.#addresses.filter((each) => !released.includes(each));
  }

  [Symbol.dispose](): void {
    for (const { held } of this.#addresses) held.leave();
    this.#addresses = [];
    this.#knocks.clear();
  }

  /** Somebody connects, and waits. @param door through which he comes */
  visit(address: Address, door: Door | null = null): void {
    const found = this.#addresses.find(({ held }) => sameAddress(held.address, address));
    if (found === undefined) throw new Error(`connection refused by ${printAddress(address)}`);
    found.group.visit(door !== null && 'localPort' in door.connect ? (door.connect.localPort ?? null) : null);
    const onKnock = this.#knocks.get(found.vassal);
    if (onKnock !== undefined) setImmediate(() => this.#knock(found.vassal, onKnock));
  }

  /** The instances of a generation accept all that waits for them. */
  accept(vassal: VassalId, generation: number): void {
    for (const { held, group } of this.#of(vassal)) {
      const slot = held.slotOf(generation);
      if (slot !== undefined) group.waiting.set(slot, 0);
    }
  }

  #knock(vassal: VassalId, onKnock: () => void): void {
    if (this.#knocks.get(vassal) !== onKnock) return;
    this.#knocks.delete(vassal);
    onKnock();
  }

  #open(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner): void {
    const missing = listen.filter(({ address }) => !this.#of(vassal).some(({ held }) => sameAddress(held.address, address)));
    for (const { address } of missing) {
      const other = this.#addresses.find(({ held }) => sameAddress(held.address, address));
      const holder = other === undefined ? (this.foreign.has(printAddress(address)) ? 'another program' : null) : `vassal "${this.#nameOf(other.vassal)}"`;
      if (holder !== null) throw new EmperorError('E_ADDRESS_IN_USE', `cannot listen on ${printAddress(address)} for vassal "${name}": ${holder} has it`);
    }
    for (const each of missing) {
      const group = new FakeGroup(this.#nextFd);
      this.#nextFd += 10;
      this.#addresses.push({ vassal, group, held: new Held(group, { listen: each, owner }) });
    }
  }

  #of(vassal: VassalId): readonly FakeAddress[] {
    return this.#addresses.filter((each) => each.vassal === vassal);
  }

  #at(vassal: VassalId, address: Address): FakeAddress {
    const found = this.#of(vassal).find(({ held }) => sameAddress(held.address, address));
    if (found === undefined) throw new Error(`${printAddress(address)} is not held for ${vassal}`);
    return found;
  }

  #nameOf(vassal: VassalId): string {
    return this.#names.get(vassal) ?? vassal;
  }
}

/** An address as a vassal file without more words asks for it. */
export function listenOf(address: Address): Listen {
  return { address, backlog: 4096, mode: null, user: null, group: null };
}
