import type { LimitName } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';

/**
 * Keeps together what belongs to an instance, wherever its processes went: so that all of it can be killed, limited and measured. Nothing in it
 * throws: an instance runs and ends without its cage, too.
 */
export interface Cage extends Disposable {
  /** By what an instance is killed. `cgroup`: all that it ever started, at once. `process-group`: its process group, then whoever bears its marks. */
  readonly kills: 'cgroup' | 'process-group';
  /** The limits that can be kept here. */
  readonly keeps: ReadonlySet<LimitName>;
  /** Makes room for an instance that is about to be launched. */
  enter(vassalName: string, instance: Instance): Entrance;
  /** SIGKILL to all of an instance that lives. */
  kill(instance: InstanceId): void;
  /**
   * Its first process has ended: what is left of it is killed, and its room is given back.
   * @returns whether the kernel, and not {@link kill}, had killed a process of it for lack of memory
   */
  clear(instance: InstanceId): { readonly outOfMemory: boolean };
  /** What an instance uses. */
  usage(instance: InstanceId): Usage;
  /** Kills what is left of instances that an earlier emperor started. @param living those that go on */
  sweep(living: ReadonlySet<InstanceId>): void;
}

/** How a process gets in. */
export interface Entrance {
  /** The folder of the cgroup that it has to be in before it can fork, cgroups(7); null: there is no such room. */
  readonly cgroup: string | null;
  /** What it has to limit its address space to, in bytes, because nobody else counts its memory; null: nothing. */
  readonly addressSpace: number | null;
}

/** What an instance uses; null: nobody knows. */
export interface Usage {
  readonly memoryBytes: number | null;
  /** Time that it has spent on the processors, in ms, since its start. */
  readonly cpuMs: number | null;
}

/** No room: for what is not to be kept together. */
export const OUTSIDE: Entrance = { cgroup: null, addressSpace: null };

/** Nobody knows. */
export const NO_USAGE: Usage = { memoryBytes: null, cpuMs: null };
