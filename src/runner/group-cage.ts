import { closeSync } from 'node:fs';
import type { LimitName } from '../core/spec.ts';
import type { InstanceId } from '../core/state.ts';
import type { Libc } from '../kernel/libc.ts';
import { openPidfds } from '../kernel/pidfd.ts';
import type { Clock } from '../world/clock.ts';
import { NO_USAGE, type Cage } from './cage.ts';
import { signalNumber } from './exit-status.ts';
import { findMarked, instanceMarkOf } from './strays.ts';

/** What a cage without cgroups is made of. */
export interface GroupCageOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  /** The emperor's state folder, absolute: the mark of all that it started. */
  readonly state: string;
}

/** Looking at all processes of a busy host takes long (20 µs each), so for each ms of it so many ms are left for other things. */
const REST = 4;
/** Whoever is killed may have started another one meanwhile. */
const MOST_ROUNDS = 10;
const KEEPS: ReadonlySet<LimitName> = new Set(['memory', 'files']);

/**
 * Opens the cage for where there are no cgroups. Process groups are the runner's own; this finds what has left them, by the marks in its environment. When many
 * instances end at one time, one look is for all of them, and it may come later. Not found is who gave up its environment.
 */
export function openGroupCage({ libc, clock, state }: GroupCageOptions): Cage {
  const pidfds = openPidfds(libc);
  const ended = new Set<string>();
  let restUntilMs = 0;
  let cancel: (() => void) | null = null;

  function look(): void {
    cancel?.();
    cancel = null;
    const beganMs = clock.now().ms;
    killMarked((instance) => ended.has(instance));
    ended.clear();
    const nowMs = clock.now().ms;
    restUntilMs = nowMs + REST * (nowMs - beganMs);
  }

  function killMarked(doomed: (instance: string) => boolean): void {
    const killed = new Set<string>();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const found = findMarked(state).filter(({ instance, process }) => doomed(instance) && !killed.has(`${process.pid} ${process.startTicks}`));
      if (found.length === 0) return;
      for (const { instance, process } of found) {
        killed.add(`${process.pid} ${process.startTicks}`);
        killProven(process.pid, instance);
      }
    }
  }

  /** First the handle, then the proof: what the handle means cannot change any more. */
  function killProven(pid: number, instance: string): void {
    const pidfd = pidfds.open(pid);
    if (pidfd === null) return;
    if (instanceMarkOf(pid, state) === instance) pidfds.signal(pidfd, signalNumber('SIGKILL'));
    closeSync(pidfd);
  }

  return {
    kills: 'process-group',
    keeps: KEEPS,
    enter: (_vassalName, { runs }) => ({ cgroup: null, addressSpace: runs.spec.limits.memoryBytes }),
    // Its group is killed by who knows its number; the rest of it when its first process has ended.
    kill() {},
    clear(instance) {
      ended.add(instance);
      const waitMs = restUntilMs - clock.now().ms;
      if (waitMs <= 0) look();
      else cancel ??= clock.after(waitMs, look);
      return { outOfMemory: false };
    },
    usage: () => NO_USAGE,
    sweep: (living) => killMarked((instance) => !living.has(instance as InstanceId)),
    [Symbol.dispose]() {
      if (ended.size > 0) look();
    },
  };
}
