import { closeSync, fstatSync } from 'node:fs';
import { keyOf, printAddress, sameAddress, type Address, type Listen } from '../core/address.ts';
import type { VassalId } from '../core/listing.ts';
import { EmperorError, errnoOf } from '../errors.ts';
import { openEpoll } from '../kernel/epoll.ts';
import type { Libc } from '../kernel/libc.ts';
import { openSockDiag } from '../kernel/sock-diag.ts';
import { openSocketAddresses } from '../kernel/sockaddr.ts';
import { openStreamSockets } from '../kernel/sockets.ts';
import { openTakeDescriptor } from '../kernel/take-descriptor.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { keptName, NO_KEEPER, type Keeper } from '../world/keeper.ts';
import { Estate } from './estate.ts';
import { Held, type Resident } from './held.ts';
import type { Declared, Group, Slot } from './group.ts';
import { openHolders } from './holders.ts';
import { KnownPaths } from './known-paths.ts';
import { keptGroup } from './kept-group.ts';
import { takeFrom } from './living.ts';
import { openNeighbours } from './neighbours.ts';
import { refusal } from './refusal.ts';
import type { Door, Handed, Lent, Living, Owner, Sockets } from './sockets.ts';
import { tcpGroup, type Calls } from './tcp-group.ts';
import { unixGroup } from './unix-group.ts';

/** What is held for one vassal. */
interface Holding {
  readonly name: string;
  readonly addresses: readonly Held[];
}

/** Descriptors that are watched until one of them can be accepted from. */
type Knock = number[];

/** What was there before this emperor. */
export interface Legacy {
  /** What the emperor before us, in the same process, left open. */
  readonly handed: readonly Handed[];
  /** What an emperor before us gave to the keeper, or left open behind which somebody lived. */
  readonly kept: readonly number[];
  /** What socket units listen on. */
  readonly lasting: readonly number[];
}

const NO_LEGACY: Legacy = { handed: [], kept: [], lasting: [] };

/** Sockets of this host. Disposing closes them, and removes nothing: instances may go on with theirs, and the next emperor with all. */
export function openSockets(libc: Libc, legacy: Legacy = NO_LEGACY, keeper: Keeper = NO_KEEPER): Sockets {
  const heirlooms = new Map(legacy.handed.map((each) => [keyOf(each.address), each]));
  const estate = new Estate(keeper, legacy.kept, legacy.lasting);
  const holdings = new Map<VassalId, Holding>();
  const paths = new KnownPaths();
  const knocks = new Map<VassalId, Knock>();
  const epoll = openEpoll(libc);
  const users = openUserDatabase(libc);
  const diag = openSockDiag(libc);
  const take = openTakeDescriptor(libc);
  const addresses = openSocketAddresses(libc);
  const holderWith = (has: (held: Held) => boolean): string | null => [...holdings.values()].find((holding) => holding.addresses.some(has))?.name ?? null;
  const holders = openHolders(diag, addresses, {
    socket: (inode) => holderWith(({ slots }) => slots.some((slot) => slot.inode === inode)),
    unix: (path) => paths.vassalAt(path),
  });
  const calls: Calls = { sockets: openStreamSockets(libc), addresses, diag, holders, neighbours: openNeighbours(diag) };

  const heldBy = (vassal: VassalId): readonly Held[] => holdings.get(vassal)?.addresses ?? [];
  const heldAt = (vassal: VassalId, address: Address): Held | undefined => heldBy(vassal).find((held) => sameAddress(held.address, address));

  function groupOf(name: string, address: Address): Group {
    return keptGroup(address.kind === 'tcp' ? tcpGroup(name, address, calls) : unixGroup(name, address, calls, users), estate, keeper);
  }

  function open(name: string, listen: Listen, owner: Owner): Held {
    const group = groupOf(name, listen.address);
    const declared = { listen, owner };
    return inherit(name, group, declared) ?? new Held(group, declared, passedFor(name, listen.address, group, null));
  }

  /**
   * The sockets of an address that were passed to us, as they are to be held: that of a socket unit first, as it has listened before all others, then the one that
   * serves or, if nobody lives, that in which most connections wait. The rest is ended: in which order the kernel has them cannot be told.
   * @param heir the one that serves; null: nobody lives
   * @throws E_ADDRESS where the socket unit does not let others listen beside it
   */
  function passedFor(name: string, address: Address, group: Group, heir: Resident | null): readonly Resident[] {
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

  function listeningOn(group: Group): ReadonlySet<number> {
    return asTold(new Set<number>(), () => group.listening());
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

  /** null: there is nothing to inherit, or it is of no use. */
  function inherit(name: string, group: Group, declared: Declared): Held | null {
    const heirloom = heirlooms.get(keyOf(declared.listen.address));
    if (heirloom === undefined) return null;
    heirlooms.delete(keyOf(heirloom.address));
    const { fd } = heirloom;
    try {
      const heir = { generation: null, slot: { fd, inode: fstatSync(fd).ino } };
      if (calls.sockets.listens(fd)) return new Held(group, declared, passedFor(name, heirloom.address, group, heir));
    } catch (error) {
      if (!(error instanceof EmperorError) && errnoOf(error) === '') throw error;
    }
    discard(heirloom);
    return null;
  }

  function discard(heirloom: Handed): void {
    heirlooms.delete(keyOf(heirloom.address));
    try {
      closeSync(heirloom.fd);
    } catch (error) {
      if (errnoOf(error) !== 'EBADF') throw error;
    }
  }

  /** One address, as those who live on it have it. null: none of them has it any more, or we may not have it. */
  function residentsOf(name: string, declared: Declared, living: readonly Living[]): Held | null {
    const group = groupOf(name, declared.listen.address);
    try {
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
      return new Held(group, declared, passedFor(name, declared.listen.address, group, { generation: serving, slot }));
    } catch (error) {
      if (error instanceof EmperorError) return null;
      throw error;
    }
  }

  /** Of an instance that we may not look into: if one socket alone was passed to us for its address, it is that. */
  function onlyOne(listening: ReadonlySet<number>): Slot | undefined {
    const [slot, ...more] = estate.among(listening).filter((each) => !estate.isLasting(each));
    if (slot === undefined || more.length > 0) return undefined;
    estate.take(slot.inode);
    return slot;
  }

  function set(vassal: VassalId, name: string, addresses: readonly Held[]): void {
    const before = heldBy(vassal);
    for (const held of before) if (!addresses.includes(held)) paths.remove(held);
    for (const held of addresses) if (!before.includes(held)) paths.add(held, name);
    if (addresses.length === 0) holdings.delete(vassal);
    else holdings.set(vassal, { name, addresses });
  }

  /** Opens what is missing, and then does the work. If something fails it is as if nothing had been tried. */
  function withOpen(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner, work: () => void): void {
    const before = heldBy(vassal);
    try {
      for (const each of listen) {
        if (heldAt(vassal, each.address) === undefined) set(vassal, name, [...heldBy(vassal), open(name, each, owner)]);
      }
      work();
    } catch (error) {
      for (const held of heldBy(vassal)) if (!before.includes(held)) held.release();
      set(vassal, name, before);
      throw error;
    }
  }

  /** Ends a wait, whether or not it is the one that is under way. */
  function endKnock(vassal: VassalId, knock: Knock | undefined = knocks.get(vassal)): void {
    for (const fd of knock?.splice(0) ?? []) epoll.unwatch(fd);
    if (knocks.get(vassal) === knock) knocks.delete(vassal);
  }

  return {
    hold: (vassal, name, listen, owner) => withOpen(vassal, name, listen, owner, () => {}),
    takeBack(vassal, name, listen, owner, living) {
      const lost: string[] = [];
      for (const each of listen) {
        const held = residentsOf(name, { listen: each, owner }, living);
        if (held === null) lost.push(printAddress(each.address));
        else set(vassal, name, [...heldBy(vassal), held]);
      }
      return lost;
    },
    lend(vassal, name, generation, listen, owner) {
      const lent: Lent[] = [];
      const fresh: Held[] = [];
      try {
        withOpen(vassal, name, listen, owner, () => {
          for (const each of listen) {
            const held = heldAt(vassal, each.address);
            if (held === undefined) continue;
            if (held.slotOf(generation) === undefined) fresh.push(held);
            lent.push({ address: each.address, fd: held.lend(generation, { listen: each, owner }).fd });
          }
        });
      } catch (error) {
        for (const held of fresh) held.retire(generation);
        throw error;
      }
      return lent;
    },
    steer(vassal, generation, share) {
      for (const held of heldBy(vassal)) held.steer(generation, share);
    },
    queued: (vassal, generation) => asTold(0, () => heldBy(vassal).reduce((sum, held) => sum + held.queued(generation), 0)),
    door(vassal, generation, address): Door {
      const door = heldAt(vassal, address)?.door(generation);
      if (door === undefined || door === null) throw new Error(`generation ${generation} of ${vassal} has no socket to knock at`);
      return door;
    },
    awaitKnock(vassal, onKnock) {
      endKnock(vassal);
      const knock: Knock = heldBy(vassal).map(({ steered }) => steered.fd);
      knocks.set(vassal, knock);
      for (const fd of knock) {
        epoll.watch(fd, () => {
          endKnock(vassal);
          onKnock();
        });
      }
      return () => endKnock(vassal, knock);
    },
    // Who is not known to be unused must not be stopped for it.
    sinceUse: (vassal) => asTold(0, () => heldBy(vassal).reduce((least, held) => Math.min(least, held.sinceUse()), Infinity)),
    retire(vassal, generation) {
      for (const held of heldBy(vassal)) held.retire(generation);
    },
    handOver: (copy) => [...holdings.values()].flatMap(({ addresses: all }) => all.filter(({ isEmpty, steered }) => isEmpty && !estate.isLasting(steered)).map(({ address, steered }) => ({ address, fd: copy(steered.fd) }))),
    handOverServing: (copy) => [...holdings.values()].flatMap(({ addresses: all }) => all.flatMap(({ isEmpty, slots }) => (isEmpty ? [] : slots.filter((slot) => !estate.isLasting(slot)).map(({ fd }) => copy(fd))))),
    handOverLasting: (copy) => estate.handOver(copy, [...holdings.values()].flatMap(({ addresses: all }) => all.flatMap(({ slots }) => slots))),
    disinherit(wanted) {
      const asked = new Set(wanted.map(keyOf));
      for (const [key, each] of heirlooms) if (!asked.has(key)) discard(each);
      if (!estate.isEmpty) estate.discard(new Set(wanted.flatMap((address) => [...listeningOn(groupOf('', address))])));
    },
    release(vassal, keep) {
      const holding = holdings.get(vassal);
      if (holding === undefined) return;
      const kept = holding.addresses.filter((held) => keep.some(({ address }) => sameAddress(address, held.address)));
      for (const held of holding.addresses.filter((each) => !kept.includes(each))) {
        for (const { fd } of held.slots) epoll.unwatch(fd);
        held.release();
      }
      set(vassal, holding.name, kept);
    },
    [Symbol.dispose]() {
      epoll[Symbol.dispose]();
      for (const { addresses } of holdings.values()) for (const held of addresses) held.leave();
      holdings.clear();
      estate.close();
    },
  };
}

/** @param otherwise the answer where the kernel cannot tell: a minimal one may lack sock_diag(7) */
function asTold<T>(otherwise: T, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof EmperorError && error.code === 'E_KERNEL') return otherwise;
    throw error;
  }
}
