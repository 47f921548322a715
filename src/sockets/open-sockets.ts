import { printAddress, sameAddress, type Address, type Listen } from '../core/address.ts';
import type { VassalId } from '../core/listing.ts';
import { openEpoll } from '../kernel/epoll.ts';
import type { Libc } from '../kernel/libc.ts';
import { openSockDiag } from '../kernel/sock-diag.ts';
import { openSocketAddresses } from '../kernel/sockaddr.ts';
import { openStreamSockets } from '../kernel/sockets.ts';
import { openTakeDescriptor } from '../kernel/take-descriptor.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { NO_KEEPER, type Keeper } from '../world/keeper.ts';
import { asTold } from './as-told.ts';
import { Estate } from './estate.ts';
import type { Group } from './group.ts';
import type { Held } from './held.ts';
import { openHolders } from './holders.ts';
import { NO_LEGACY, openInheritance, type Legacy } from './inheritance.ts';
import { KnownPaths } from './known-paths.ts';
import { keptGroup } from './kept-group.ts';
import { openNeighbours } from './neighbours.ts';
import type { Door, Lent, Owner, Sockets } from './sockets.ts';
import { tcpGroup, type Calls } from './tcp-group.ts';
import { unixGroup } from './unix-group.ts';

/** What is held for one vassal. */
interface Holding {
  readonly name: string;
  readonly addresses: readonly Held[];
}

/** Descriptors that are watched until one of them can be accepted from. */
type Knock = number[];

/** Sockets of this host. Disposing closes them, and removes nothing: instances may go on with theirs, and the next emperor with all. */
export function openSockets(libc: Libc, legacy: Legacy = NO_LEGACY, keeper: Keeper = NO_KEEPER): Sockets {
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
  const inheritance = openInheritance({ estate, keeper, calls, take, handed: legacy.handed });

  const heldBy = (vassal: VassalId): readonly Held[] => holdings.get(vassal)?.addresses ?? [];
  const heldAt = (vassal: VassalId, address: Address): Held | undefined => heldBy(vassal).find((held) => sameAddress(held.address, address));

  function groupOf(name: string, address: Address): Group {
    return keptGroup(address.kind === 'tcp' ? tcpGroup(name, address, calls) : unixGroup(name, address, calls, users), estate, keeper);
  }

  function open(name: string, listen: Listen, owner: Owner): Held {
    return inheritance.claim(name, groupOf(name, listen.address), { listen, owner });
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
        const held = inheritance.takeBack(name, groupOf(name, each.address), { listen: each, owner }, living);
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
    handOver(copy) {
      const all = [...holdings.values()].flatMap((holding) => holding.addresses);
      const handed = all.map((held) => held.print(copy));
      for (const held of all) held.handOver();
      return handed;
    },
    handOverLasting: (copy) => estate.handOver(copy, [...holdings.values()].flatMap(({ addresses: all }) => all.flatMap(({ slots }) => slots))),
    disinherit: (wanted) => inheritance.renounce(wanted, (address) => groupOf('', address)),
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

