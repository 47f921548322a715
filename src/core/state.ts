import type { Code } from '../errors.ts';
import type { Declaration, Outcome, VassalId } from './listing.ts';
import type { VassalSpec } from './spec.ts';
import type { Table } from './table.ts';

declare const instanceId: unique symbol;
/** `shop#12`: the vassal's name and a serial that no other instance of this state folder ever had. */
export type InstanceId = string & { readonly [instanceId]: true };

/** A numbered text of a vassal file, good or at fault. Numbers count from 1 for each vassal. */
export interface Revision {
  readonly number: number;
  readonly hash: string;
  readonly text: string;
  readonly outcome: Outcome;
}

/** A revision that can be run. */
export interface Runnable {
  readonly number: number;
  readonly spec: VassalSpec;
}

/** What tells a process from a later one with the same pid. */
export interface Proof {
  readonly pid: number;
  /** Start time in clock ticks after boot: /proc/PID/stat, field 22, proc_pid_stat(5). */
  readonly startTicks: number;
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
}

/** One started process (group) of a vassal. */
export interface Instance {
  readonly id: InstanceId;
  readonly serial: number;
  /** What it was started with, or last reloaded itself with. */
  readonly runs: Runnable;
  /** null until the operating system has started it. */
  readonly process: Proof | null;
  /** When its start was ordered. */
  readonly bornMs: number;
  readonly bornAt: number;
  /** When it became ready; null before. `…Ms` is monotonic, `…At` is wall time for people. */
  readonly readyMs: number | null;
  readonly readyAt: number | null;
  /** True if an earlier emperor started it. */
  readonly adopted: boolean;
}

/** How an instance ended. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** It was not our child: nobody could ask. */
  | { readonly kind: 'unknown' };

/** What a vassal is doing. Each phase carries exactly what is true in it. Times: monotonic ms. */
export type VassalState =
  /** Started and not ready yet. `dueMs`: ready then, if still alive; null until it is spawned. */
  | { readonly phase: 'starting'; readonly instance: Instance; readonly dueMs: number | null }
  /** Told by a signal to reload itself; ready again at `dueMs`, if still alive. `again`: touched meanwhile, so once more after that. */
  | { readonly phase: 'refreshing'; readonly instance: Instance; readonly dueMs: number; readonly again: boolean }
  | { readonly phase: 'ready'; readonly instance: Instance }
  /** Overlap: the current instance serves, the next one has to prove itself. */
  | { readonly phase: 'reloading'; readonly current: Instance; readonly next: Instance; readonly dueMs: number | null }
  | { readonly phase: 'backoff'; readonly untilMs: number }
  /** Told to die. At `killAtMs` the whole group is killed; `killed` says that this was done. `why` is only for people. */
  | { readonly phase: 'stopping'; readonly cursed: Instance; readonly killAtMs: number; readonly killed: boolean; readonly why: 'restart' | 'stop' }
  /** By an operator; a start or a touch ends it. */
  | { readonly phase: 'stopped' }
  /** It ended and its restart policy says to leave it. */
  | { readonly phase: 'exited'; readonly status: ExitStatus }
  /** Nothing runs and nothing can: see `failure`. */
  | { readonly phase: 'invalid' };

export type Phase = VassalState['phase'];

/** What went wrong last with the newest revision. */
export interface Failure {
  readonly revision: number;
  readonly code: Code;
  readonly message: string;
  /** Wall time, ms. */
  readonly at: number;
}

export interface Vassal {
  readonly id: VassalId;
  readonly name: string;
  /** The source that shows the file. */
  readonly source: string;
  /** What the file says now; null: the file is gone and the vassal is forgotten as soon as nothing runs. */
  readonly newest: Revision | null;
  /** The highest number that a revision of it has had; 0: none. */
  readonly numbered: number;
  /** Stamp of the file that has been acted upon. */
  readonly stamp: string;
  /** Its file is there and cannot be read: what it said last stands. */
  readonly unread: boolean;
  /** The newest revision was tried and refused: it is not tried again until it is touched. */
  readonly rejected: boolean;
  /** The last revision that was ready; what goes on when the newest cannot. */
  readonly good: Runnable | null;
  /** What the operator wants. */
  readonly want: 'up' | 'down';
  readonly state: VassalState;
  /** Cursed instances beside the one in `state`: the old ones of finished overlaps. */
  readonly leaving: readonly Leaving[];
  readonly failure: Failure | null;
  /** Starts that were not asked for: after a death. */
  readonly restarts: number;
  /** Deaths since the last loyal instance; decides the wait. */
  readonly deaths: number;
}

/** An instance that was told to die while another one serves. */
export interface Leaving {
  readonly instance: Instance;
  readonly killAtMs: number;
  readonly killed: boolean;
}

/** What the store remembers of a vassal from an earlier life of the emperor. */
export interface Remembered {
  readonly id: VassalId;
  readonly name: string;
  readonly source: string;
  /** Stamp of the file that had been acted upon; empty if that was cut short. */
  readonly stamp: string;
  readonly want: 'up' | 'down';
  readonly newest: { readonly number: number; readonly hash: string } | null;
  /** The last good revision, parsed again. */
  readonly good: Runnable | null;
  readonly restarts: number;
  /** Its instance that still lives, proven and watched again by the runner. */
  readonly living: Instance | null;
  /** Further instances of it that live: they had been told to die. */
  readonly leaving: readonly Instance[];
}

/** One place that vassals come from. */
export interface Source {
  readonly name: string;
  /** What it showed last; null before its first look. */
  readonly listing: ReadonlyMap<VassalId, Declaration> | null;
  /** Set while it cannot be looked at. `since`: wall time, ms. */
  readonly blind: { readonly reason: string; readonly since: number } | null;
}

export interface EmperorState {
  /** `stopping`: every vassal is to end. `leaving`: the emperor goes, the instances stay. */
  readonly life: 'running' | 'stopping' | 'leaving';
  /** In the order of the command line: where two files have one name, the earlier source wins. */
  readonly sources: readonly Source[];
  readonly vassals: Table<VassalId, Vassal>;
  /** Index: the vassal of each instance that lives, or is being started. */
  readonly instances: Table<InstanceId, VassalId>;
  /** Index: the vassals that wait for a moment, and which (monotonic ms). */
  readonly timed: Table<VassalId, number>;
  /** Index: the files of each name that some source shows. More than one: a clash. */
  readonly names: Table<string, readonly VassalId[]>;
  /** Known from an earlier life, not seen in a listing yet. */
  readonly remembered: ReadonlyMap<VassalId, Remembered>;
  /** The highest revision numbers of forgotten vassals: a file that comes back is numbered on. */
  readonly past: Table<VassalId, number>;
  /** Serial of the next instance. */
  readonly nextSerial: number;
}
