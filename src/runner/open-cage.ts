import type { Libc } from '../kernel/libc.ts';
import { openXattr } from '../kernel/xattr.ts';
import type { Clock } from '../world/clock.ts';
import type { Cage } from './cage.ts';
import { openCgroupCage } from './cgroup-cage.ts';
import { prepareCgroup } from './cgroup-folder.ts';
import { openGroupCage } from './group-cage.ts';

/** What a cage is made of. */
export interface CageOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  /** The emperor's state folder, absolute. */
  readonly state: string;
  /** `auto`, `none`, or the folder of a cgroup v2. */
  readonly cgroup: string;
  /** Told, for people, when something that was asked for cannot be had. */
  readonly onTrouble: (message: string) => void;
}

/** Opens the best cage that there is: cgroups where they may be used, else process groups. Each trouble is told once. */
export function openCage({ libc, clock, state, cgroup, onTrouble }: CageOptions): Cage {
  const told = new Set<string>();
  const once = (message: string): void => {
    if (told.has(message)) return;
    told.add(message);
    onTrouble(message);
  };
  const otherwise = openGroupCage({ libc, clock, state });
  const found = prepareCgroup({ wanted: cgroup, state, isDelegated: (folder) => isDelegated(libc, folder), onTrouble: once });
  const cage = found === null ? otherwise : openCgroupCage({ ...found, clock, otherwise, onTrouble: once });
  return {
    ...cage,
    enter(vassalName, instance) {
      const { cpu, tasks } = instance.runs.spec.limits;
      for (const [name, limit] of [['cpu', cpu], ['tasks', tasks]] as const) {
        if (limit !== null && !cage.keeps.has(name)) once(`limits.${name} of vassal "${vassalName}" cannot be kept here: it needs a cgroup that is delegated to the emperor; it runs without that limit`);
      }
      return cage.enter(vassalName, instance);
    },
  };
}

/**
 * Whether a cgroup that can be written to is ours to use. Who is not root can write only to what was given to it. Root can write to all of them, and goes by
 * the mark of systemd on what it delegates, Delegate= of systemd.resource-control(5).
 */
function isDelegated(libc: Libc, folder: string): boolean {
  if (process.geteuid?.() !== 0) return true;
  const readXattr = openXattr(libc);
  return ['trusted.delegate', 'user.delegate'].some((name) => readXattr(folder, name) === '1');
}
