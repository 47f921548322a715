import { closeSync, fstatSync } from 'node:fs';
import { keyOf, type Address } from '../core/address.ts';
import { EmperorError, errnoOf } from '../errors.ts';
import type { TakeDescriptor } from '../kernel/take-descriptor.ts';
import { keptName, type Keeper } from '../world/keeper.ts';
import { asTold } from './as-told.ts';
import type { Estate } from './estate.ts';
import type { Declared, Group, Slot } from './group.ts';
import { Held, type Resident } from './held.ts';
import { takeFrom } from './living.ts';
import { refusal } from './refusal.ts';
import type { Handed, Living } from './sockets.ts';
import type { Calls } from './tcp-group.ts';

/** What was there before this emperor. */
export interface Legacy {
  /** Addresses as the emperor before us, in the same process, has left them. */
  readonly handed: readonly Handed[];
  /** What an emperor before us gave to the keeper. */
  readonly kept: readonly number[];
  /** What socket units listen on. */
  readonly lasting: readonly number[];
}

/** Nothing. */
export const NO_LEGACY: Legacy = { handed: [], kept: [], lasting: [] };

/** What it takes to have it. */
export interface InheritanceParts {
  readonly handed: readonly Handed[];
  /** The rest of the {@link Legacy}. */
  readonly estate: Estate;
  readonly keeper: Keeper;
  readonly calls: Calls;
  readonly take: TakeDescriptor;
}

/** How addresses come into our hands. */
export interface Inheritance {
  /** An address behind which nobody lives: with what was left to us for it, else it is opened. @throws E_ADDRESS_IN_USE, E_ADDRESS, E_USER */
  claim(name: string, group: Group, declared: Declared): Held;
  /** An address behind which these live; the first of them serves. null: none of them has it any more, or we may not have it. */
  takeBack(name: string, group: Group, declared: Declared, living: readonly Living[]): Held | null;
  /** Closes what was left to us and is for none of these addresses. */
  renounce(wanted: readonly Address[], groupOf: (address: Address) => Group): void;
}

/**
 * Opens the inheritance. There are three ways to a socket of an earlier emperor, and the first that there is counts: handed over within the process, kept by the
 * service manager, taken out of an instance that has it. Only the first one tells the order that the kernel has them in, and what became of the connections.
 */
export function openInheritance({ handed, estate, keeper, calls, take }: InheritanceParts): Inheritance {
  const heirlooms = new Map(handed.map((each) => [keyOf(each.address), each]));

  /** An address as the emperor before us had it. null: there is nothing to inherit, or it is of no use. */
  function inherit(group: Group, declared: Declared, living: readonly number[]): Held | null {
    const heirloom = heirlooms.get(keyOf(declared.listen.address));
    if (heirloom === undefined) return null;
    heirlooms.delete(keyOf(heirloom.address));
    const residents = heirloom.slots.flatMap(({ inode, fd, generation }): Resident[] => {
      const own = fd ?? estate.take(inode);
      return own === null || inodeOf(own) !== inode ? [] : [{ generation, slot: { fd: own, inode } }];
    });
    try {
      if (residents.length > 0 && residents.length === heirloom.slots.length) {
        const held = new Held(group, declared, residents, heirloom.traffic);
        // Those have ended while no emperor was there.
        for (const each of held.generations) if (!living.includes(each)) held.retire(each);
        return held;
      }
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
    }
    // What has failed may have closed them.
    for (const { slot } of residents) if (inodeOf(slot.fd) === slot.inode) estate.giveBack(slot);
    return null;
  }

  /**
   * The sockets of an address that were kept for us, as they are to be held: that of a socket unit first, as it has listened before all others, then the one that
   * serves or, if nobody lives, that in which most connections wait. The rest is ended: in which order the kernel has them cannot be told.
   * @param heir the one that serves; null: nobody lives
   * @throws E_ADDRESS where the socket unit does not let others listen beside it
   */
  function keptFor(name: string, address: Address, group: Group, heir: Resident | null): readonly Resident[] {
    if (estate.isEmpty) return heir === null ? [] : [heir];
    const found = estate.among(listeningOn(group));
    const lasting = found.filter((slot) => estate.isLasting(slot));
    if (address.kind === 'tcp' && lasting.some(({ fd }) => !calls.sockets.isOn(fd, 'reuse-port'))) {
      throw refusal({ name, address }, 'a socket unit of systemd listens there alone; say ReusePort=yes in it');
    }
    const [first, ...rest] = found.filter((slot) => !lasting.includes(slot)).sort((a, b) => group.queued(b) - group.queued(a));
    for (const { inode } of found) estate.take(inode);
    for (const slot of first === undefined || heir === null ? rest : [first, ...rest]) end(group, slot);
    const idle = (slot: Slot): Resident => ({ generation: null, slot });
    return [...lasting.map(idle), ...(heir === null ? (first === undefined ? [] : [idle(first)]) : [heir])];
  }

  /** One address, as those who live on it have it. */
  function takeFromLiving(name: string, group: Group, declared: Declared, living: readonly Living[]): Held | null {
    const listening = group.listening();
    const found = new Map<number, Slot>();
    for (const { generation, pid } of living) {
      if (found.has(generation)) continue;
      const [slot, ...more] = takeFrom(pid, listening, take, estate);
      for (const each of more) estate.giveBack(each);
      if (slot !== undefined) found.set(generation, slot);
    }
    // In which order the kernel has several cannot be told: free ones have closed with the emperor that held them, and others took their places.
    // With only one left there is no question; those of the others, who were told to end, accept no more.
    const serving = living[0]?.generation;
    for (const [generation, slot] of found) {
      if (generation === serving) continue;
      if (estate.isLasting(slot)) estate.giveBack(slot);
      else end(group, slot);
    }
    const slot = serving === undefined ? undefined : (found.get(serving) ?? onlyOne(listening));
    if (serving === undefined || slot === undefined) return null;
    return new Held(group, declared, keptFor(name, declared.listen.address, group, { generation: serving, slot }));
  }

  /** Of an instance that we may not look into: if one socket alone was passed to us for its address, it is that. */
  function onlyOne(listening: ReadonlySet<number>): Slot | undefined {
    const [slot, ...more] = estate.among(listening).filter((each) => !estate.isLasting(each));
    if (slot === undefined || more.length > 0) return undefined;
    estate.take(slot.inode);
    return slot;
  }

  /** With the file that it may have. */
  function end(group: Group, slot: Slot): void {
    try {
      group.takeOver(slot);
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      keeper.drop(keptName('socket', slot.inode));
      calls.sockets.stop(slot.fd);
      closeSync(slot.fd);
      return;
    }
    group.end(slot);
  }

  return {
    claim: (name, group, declared) => inherit(group, declared, []) ?? new Held(group, declared, keptFor(name, declared.listen.address, group, null)),
    takeBack(name, group, declared, living) {
      const [first] = living;
      try {
        const held = inherit(group, declared, living.map(({ generation }) => generation));
        if (held === null) return takeFromLiving(name, group, declared, living);
        if (first !== undefined) held.steer(first.generation, 1);
        return held;
      } catch (error) {
        if (error instanceof EmperorError) return null;
        throw error;
      }
    },
    renounce(wanted, groupOf) {
      const asked = new Set(wanted.map(keyOf));
      for (const [key, { slots }] of heirlooms) {
        if (asked.has(key)) continue;
        heirlooms.delete(key);
        for (const { fd } of slots) if (fd !== null && inodeOf(fd) !== null) closeSync(fd);
      }
      if (!estate.isEmpty) estate.discard(new Set(wanted.flatMap((address) => [...listeningOn(groupOf(address))])));
    },
  };
}

function listeningOn(group: Group): ReadonlySet<number> {
  return asTold(new Set<number>(), () => group.listening());
}

/** null: it is not open. */
function inodeOf(fd: number): number | null {
  try {
    return fstatSync(fd).ino;
  } catch (error) {
    if (errnoOf(error) !== 'EBADF') throw error;
    return null;
  }
}
