import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitName } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';
import { errnoOf, reasonOf } from '../errors.ts';
import type { Clock } from '../world/clock.ts';
import { makeFolder } from '../world/make-folder.ts';
import { NO_USAGE, type Cage, type Entrance } from './cage.ts';
import { limitFiles, numberOf, type Controller } from './limit-files.ts';

/** What a cage of cgroups is made of. */
export interface CgroupCageOptions {
  /** The cgroup (v2) whose leaves are the instances; nothing else is in it. */
  readonly folder: string;
  /** The controllers that its leaves have. */
  readonly controllers: ReadonlySet<Controller>;
  readonly clock: Clock;
  /** For instances that have no leaf: one could not be made, or an emperor without cgroups started them. */
  readonly otherwise: Cage;
  /** Told, for people, when a leaf cannot be had. */
  readonly onTrouble: (message: string) => void;
}

/** A leaf is looked at again after this when its last processes are still dying, then ever later. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 10_000;

/** Opens the cage of cgroups: one leaf for each instance, named by its number, so that the next emperor knows whose it is. cgroups(7) */
export function openCgroupCage({ folder, controllers, clock, otherwise, onTrouble }: CgroupCageOptions): Cage {
  const emptying = new Set<string>();
  /** What we have killed ourselves did not end for lack of memory, whatever happened in it before. */
  const killed = new Set<InstanceId>();
  let retryMs = FIRST_RETRY_MS;
  let cancel: (() => void) | null = null;

  const leafOf = (instance: InstanceId): string => join(folder, instance.slice(instance.lastIndexOf('#') + 1));

  function enter(vassalName: string, instance: Instance): Entrance {
    const leaf = leafOf(instance.id);
    const { limits } = instance.runs.spec;
    try {
      makeFolder(leaf, 0o755);
    } catch (error) {
      onTrouble(`cannot make a cgroup for instances: ${reasonOf(error)}; they are kept together by their process groups alone`);
      return otherwise.enter(vassalName, instance);
    }
    emptying.delete(leaf);
    let addressSpace = controllers.has('memory') ? null : limits.memoryBytes;
    for (const { name, value, optional } of limitFiles(limits, controllers)) {
      const trouble = write(join(leaf, name), value);
      if (trouble === null || optional) continue;
      onTrouble(`cannot limit vassal "${vassalName}" by ${name}: ${trouble}; it runs without that limit`);
      if (name === 'memory.max') addressSpace = limits.memoryBytes;
    }
    return { cgroup: leaf, addressSpace };
  }

  function killIn(leaf: string): void {
    const trouble = write(join(leaf, 'cgroup.kill'), '1');
    if (trouble !== null) onTrouble(`cannot kill what is in ${leaf}: ${trouble}; only its process group was killed`);
  }

  function remove(leaf: string): void {
    if (isRemoved(leaf)) emptying.delete(leaf);
    else emptying.add(leaf);
    if (emptying.size > 0) cancel ??= clock.after(retryMs, retry);
  }

  function retry(): void {
    cancel = null;
    const before = emptying.size;
    for (const leaf of emptying) if (isRemoved(leaf)) emptying.delete(leaf);
    retryMs = emptying.size < before ? FIRST_RETRY_MS : Math.min(2 * retryMs, LAST_RETRY_MS);
    if (emptying.size > 0) cancel = clock.after(retryMs, retry);
  }

  const keeps: LimitName[] = ['memory', 'files'];
  if (controllers.has('cpu')) keeps.push('cpu');
  if (controllers.has('pids')) keeps.push('tasks');
  return {
    kills: 'cgroup',
    keeps: new Set(keeps),
    enter,
    kill(instance) {
      const leaf = leafOf(instance);
      if (!existsSync(leaf)) return otherwise.kill(instance);
      killed.add(instance);
      killIn(leaf);
    },
    clear(instance) {
      const leaf = leafOf(instance);
      if (!existsSync(leaf)) return otherwise.clear(instance);
      const outOfMemory = !killed.delete(instance) && (numberOf(read(join(leaf, 'memory.events')), 'oom_kill') ?? 0) > 0;
      killIn(leaf);
      retryMs = FIRST_RETRY_MS;
      remove(leaf);
      return { outOfMemory };
    },
    usage(instance) {
      const leaf = leafOf(instance);
      const usageUs = numberOf(read(join(leaf, 'cpu.stat')), 'usage_usec');
      if (usageUs === null) return NO_USAGE;
      const memory = read(join(leaf, 'memory.current'));
      return { memoryBytes: memory === null ? null : Number(memory), cpuMs: Math.round(usageUs / 1_000) };
    },
    sweep(living) {
      const known = new Set([...living].map(leafOf));
      for (const leaf of childrenOf(folder).filter((each) => !known.has(each))) {
        killIn(leaf);
        remove(leaf);
      }
      otherwise.sweep(living);
    },
    [Symbol.dispose]() {
      cancel?.();
      for (const leaf of emptying) isRemoved(leaf);
      // It stays as long as there are instances, for the next emperor.
      isRemoved(folder, false);
      otherwise[Symbol.dispose]();
    },
  };
}

/** @returns why not, in words; null: it is written. */
function write(path: string, value: string): string | null {
  try {
    writeFileSync(path, value);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // No such controller, or no such leaf any more.
    return null;
  }
}

function childrenOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Removes a cgroup, and those that its processes made in it. False: somebody is left in it. */
function isRemoved(folder: string, deeply = true): boolean {
  try {
    if (deeply) for (const child of childrenOf(folder)) isRemoved(child);
    rmdirSync(folder);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
