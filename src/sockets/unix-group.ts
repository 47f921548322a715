import { closeSync, fstatSync, linkSync } from 'node:fs';
import type { Address } from '../core/address.ts';
import { EmperorError, errnoOf } from '../errors.ts';
import { unixAddress } from '../kernel/sockaddr.ts';
import type { UserDatabase } from '../kernel/user.ts';
import type { Declared, Group, Slot } from './group.ts';
import { inUse, meaningOf, refusal } from './refusal.ts';
import type { Calls } from './tcp-group.ts';
import { answers, besideOf, closeToOthers, grant, isSame, lookAt, numberBeside, removeIf, showAt, sweepBeside, type FileId, type Permissions } from './unix-file.ts';

type UnixAddress = Extract<Address, { readonly kind: 'unix' }>;

/** A socket of a slot, and the file that it is bound to. */
interface Bound extends Slot {
  readonly number: number;
  readonly path: string;
  readonly file: FileId;
}

const DEFAULT_MODE = 0o660;
/** Of the slot of a socket unit: that is bound to the path that people know, and gets a second name as well. */
const UNIT_NUMBER = 999;
/** The kernel tells 32 bits of an inode. */
const TOLD_INODES = 2n ** 32n;

/**
 * The path of a unix socket. Each slot is bound to a hidden path beside it; whose turn it is has a second name, a hard link: the path that people know.
 * The hidden path is the door. Parts of the connections cannot be divided off.
 * @param name of the vassal, for messages
 */
export function unixGroup(name: string, address: UnixAddress, { sockets, diag, holders, neighbours }: Calls, users: UserDatabase): Group {
  const applicant = { name, address };
  const bounds = new Map<Slot, Bound>();
  /** Numbers that others have sockets with. */
  let foreign: ReadonlySet<number> = new Set();
  let claimed = false;

  /** Turns the error of a file into one of the address. */
  function attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof EmperorError || errnoOf(error) === '') throw error;
      throw refusal(applicant, meaningOf(errnoOf(error), address), error);
    }
  }

  /** The path is free, or has a socket that nobody listens on. */
  function claim(): void {
    const found = lookAt(address.path);
    if (found !== null && !found.isSocket) throw refusal(applicant, 'something else is there, and is not removed; choose another path, or remove it');
    // Later it is we who have it.
    const vassal = claimed ? null : holders.vassalAt(address.path);
    if (vassal !== null) throw inUse(applicant, `vassal "${vassal}"`);
    if (found !== null && answers(sockets, address.path)) throw inUse(applicant, holders.unix(address.path));
    foreign = sweepBeside(sockets, address.path, neighbours.hidden(address.path));
    claimed = true;
  }

  function bind(fd: number, slots: readonly Slot[], declared: Declared): Bound {
    const numbers = new Set([...foreign, ...slots.flatMap((slot) => bounds.get(slot)?.number ?? [])]);
    let number = 0;
    while (numbers.has(number)) number += 1;
    const path = besideOf(address.path, number);
    const place = unixAddress(path);
    if (place === null) throw refusal(applicant, meaningOf('ENAMETOOLONG', address));
    closeToOthers(fd);
    const errno = sockets.bind(fd, place);
    if (errno === 'EADDRINUSE') throw inUse(applicant, holders.unix(path));
    if (errno !== null) throw refusal(applicant, meaningOf(errno, address), errno);
    let file: FileId | null = null;
    try {
      file = grant(path, permissionsOf(name, declared, users));
      const failed = sockets.listen(fd, declared.listen.backlog);
      if (failed !== null) throw refusal(applicant, meaningOf(failed, address), failed);
      return { fd, inode: fstatSync(fd).ino, number, path, file };
    } catch (error) {
      removeIf(path, (found) => file === null || isSame(found, file));
      throw error;
    }
  }

  /** The socket of a socket unit: its file is at the path that people know, or has given way there to one of ours. @param inode of that file */
  function boundByUnit(slot: Slot, inode: number | null): Bound {
    const path = besideOf(address.path, UNIT_NUMBER);
    const isIt = (file: FileId | null): boolean => file !== null && inode !== null && file.inode % TOLD_INODES === BigInt(inode);
    return attempt(() => {
      if (!isIt(lookAt(path)) && isIt(lookAt(address.path))) {
        removeIf(path, () => true);
        linkSync(address.path, path);
      }
      const file = lookAt(path);
      if (file === null || !isIt(file)) throw refusal(applicant, 'the socket of a socket unit has lost its file; restart that unit');
      return { ...slot, number: UNIT_NUMBER, path, file };
    });
  }

  const boundOf = (slot: Slot): Bound => {
    const bound = bounds.get(slot);
    if (bound === undefined) throw new Error(`${address.path} has no slot ${slot.fd}`);
    return bound;
  };

  return {
    open(slots, declared) {
      return attempt(() => {
        if (slots.length === 0) claim();
        const fd = sockets.open('unix');
        try {
          const bound = bind(fd, slots, declared);
          bounds.set(bound, bound);
          return bound;
        } catch (error) {
          closeSync(fd);
          throw error;
        }
      });
    },
    listening: () => new Set(neighbours.listeningAt(address.path).map(({ inode }) => inode)),
    takeOver(slot) {
      const found = neighbours.listening(slot.inode);
      const path = found?.path ?? null;
      if (found !== undefined && path === address.path) {
        bounds.set(slot, boundByUnit(slot, found.file));
        claimed = true;
        return;
      }
      const number = path === null ? null : numberBeside(address.path, path);
      const file = path === null ? null : lookAt(path);
      if (path === null || number === null || file === null) throw refusal(applicant, 'the socket of an earlier emperor has lost its file');
      bounds.set(slot, { ...slot, number, path, file });
      claimed = true;
    },
    isLasting: () => false,
    renew(slot, declared) {
      const { path, number } = boundOf(slot);
      sockets.block(slot.fd);
      sockets.listen(slot.fd, declared.listen.backlog);
      // Whose the socket of a unit is, that has said: SocketUser= and others of systemd.socket(5).
      if (number !== UNIT_NUMBER) attempt(() => grant(path, permissionsOf(name, declared, users)));
    },
    // shutdown(2) leaves a unix socket listening to nobody, which cannot be seen from here.
    isWhole: (slot) => isSame(lookAt(boundOf(slot).path), boundOf(slot).file),
    turn(_slots, { rest, favoured }) {
      const { path, file } = boundOf(favoured?.share === 1 ? favoured.slot : rest);
      attempt(() => {
        if (!isSame(lookAt(address.path), file)) showAt(address.path, path);
      });
    },
    door: (slot) => ({ connect: { path: boundOf(slot).path }, port: null, slot, close: () => {} }),
    queued: (slot) => diag.unixWaiting(slot.inode),
    sinceUse(slots, doors) {
      const waiting = slots.reduce((sum, slot) => sum + diag.unixWaiting(slot.inode), 0);
      const paths = new Set<string | null>([address.path, ...slots.map((slot) => boundOf(slot).path)]);
      const accepted = diag.unix(['established']).filter(({ path }) => paths.has(path)).length;
      return waiting + accepted > doors.length ? 0 : Infinity;
    },
    end(slot) {
      const { path, file } = boundOf(slot);
      removeIf(path, (found) => isSame(found, file));
      sockets.stop(slot.fd);
      closeSync(slot.fd);
      bounds.delete(slot);
    },
    vanish(slots) {
      for (const path of [address.path, ...slots.map((slot) => boundOf(slot).path)]) {
        removeIf(path, (found) => slots.some((slot) => isSame(found, boundOf(slot).file)));
      }
    },
    leave: (slot) => closeSync(slot.fd),
  };
}

/** @throws E_USER */
function permissionsOf(name: string, { listen: { mode, user, group }, owner }: Declared, users: UserDatabase): Permissions {
  const found = user === null ? { uid: owner.uid } : users.user(user);
  if (found === null) throw new EmperorError('E_USER', `the user "${user}" of a socket of vassal "${name}" does not exist`);
  const gid = group === null ? owner.gid : users.group(group);
  if (gid === null) throw new EmperorError('E_USER', `the group "${group}" of a socket of vassal "${name}" does not exist`);
  return { mode: mode ?? DEFAULT_MODE, uid: found.uid, gid };
}
