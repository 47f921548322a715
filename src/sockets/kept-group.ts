import { keptName, type Keeper } from '../world/keeper.ts';
import type { Estate } from './estate.ts';
import type { Group, Slot } from './group.ts';

/** A group whose sockets outlive this emperor: the keeper has a copy of each for as long as it is held, and those of socket units are never ended. */
export function keptGroup(group: Group, estate: Estate, keeper: Keeper): Group {
  const lasts = (slot: Slot): boolean => estate.isLasting(slot);
  const keep = (slot: Slot): void => {
    if (!lasts(slot)) keeper.keep(keptName('socket', slot.inode), slot.fd);
  };
  const drop = ({ inode }: Slot): void => keeper.drop(keptName('socket', inode));
  return {
    ...group,
    isLasting: lasts,
    open(slots, declared) {
      const slot = group.open(slots, declared);
      keep(slot);
      return slot;
    },
    takeOver(slot) {
      group.takeOver(slot);
      keep(slot);
    },
    end(slot) {
      if (lasts(slot)) {
        estate.giveBack(slot);
        return;
      }
      drop(slot);
      group.end(slot);
    },
    leave(slot) {
      if (lasts(slot)) estate.giveBack(slot);
      else group.leave(slot);
    },
    vanish(slots) {
      const lasting = slots.find(lasts);
      // From now on connections wait for whoever the socket unit belongs to next.
      if (lasting !== undefined) group.turn(slots, { rest: lasting, favoured: null }, []);
      const ours = slots.filter((slot) => !lasts(slot));
      for (const slot of ours) drop(slot);
      group.vanish(ours);
    },
  };
}
