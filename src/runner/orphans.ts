import { readdirSync } from 'node:fs';
import type { Libc } from '../kernel/libc.ts';
import { openPidfds } from '../kernel/pidfd.ts';
import { readProcessStat } from '../kernel/process-stat.ts';
import type { Clock } from '../world/clock.ts';

/** Whoever waits for a child has its end within milliseconds. */
const UNCLAIMED_MS = 1_000;

/** Where the news that a child has ended comes from: `process`. */
export interface ChildSignals {
  on(signal: 'SIGCHLD', listener: () => void): unknown;
  off(signal: 'SIGCHLD', listener: () => void): unknown;
}

/** What it is made of. */
export interface OrphanOptions {
  readonly clock: Clock;
  readonly signals: ChildSignals;
  /** Children of ours of which nothing is left but their exit status. */
  readonly ended: () => readonly number[];
  readonly reap: (pid: number) => void;
}

/**
 * The first process of a pid namespace, as in a container, is given all processes whose parents have ended, and has to take leave of them, or the
 * table of processes fills up: pid_namespaces(7). Those that we started ourselves somebody waits for already; so an orphan is what
 * has ended and is still there a second later.
 */
export function reapOrphans({ clock, signals, ended, reap }: OrphanOptions): Disposable {
  let cancel: (() => void) | null = null;

  const lookIn = (suspects: ReadonlySet<number>): void => {
    cancel = clock.after(UNCLAIMED_MS, () => {
      cancel = null;
      const now = ended();
      for (const pid of now) if (suspects.has(pid)) reap(pid);
      const fresh = now.filter((pid) => !suspects.has(pid));
      if (fresh.length > 0) lookIn(new Set(fresh));
    });
  };
  const onChild = (): void => {
    if (cancel === null) lookIn(new Set(ended()));
  };
  signals.on('SIGCHLD', onChild);
  return {
    [Symbol.dispose]() {
      signals.off('SIGCHLD', onChild);
      cancel?.();
    },
  };
}

/** Those of this process. */
export function orphansOfThisProcess(libc: Libc): Pick<OrphanOptions, 'ended' | 'reap'> {
  const pidfds = openPidfds(libc);
  return {
    ended: () => readdirSync('/proc').map(Number).filter((pid) => {
      const stat = Number.isInteger(pid) ? readProcessStat(pid) : null;
      return stat !== null && stat.state === 'Z' && stat.parent === process.pid;
    }),
    reap: (pid) => pidfds.reapPid(pid),
  };
}
