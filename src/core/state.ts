import type { Code } from '../errors.ts';
import type { Basis } from './basis.ts';
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
  readonly basis?: Basis;
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
  /** The generation that it was started in; all of one generation share their sockets. */
  readonly generation: number;
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
  /** What it says of itself, sd_notify(3), STATUS=; null: nothing. */
  readonly status: string | null;
}

/** How an instance ended. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** It was not our child: nobody could ask. */
  | { readonly kind: 'unknown' };

/** One of the `instances` of a generation: what is, or is to be, in it. Times: monotonic ms. */
export type Place =
  /** Not started yet: only so many starts are judged at one time. */
  | { readonly phase: 'queued'; readonly why: string }
  /** Started and not ready yet. `dueMs`: ready then, if still alive (readiness by time). `failAtMs`: given up then. Both null until it is spawned. */
  | { readonly phase: 'starting'; readonly instance: Instance; readonly dueMs: number | null; readonly failAtMs: number | null; readonly answer: string | null }
  /** Told to reload itself; it has to become ready again. `sinceMs`: when it was told. `awaited`: its readiness means nothing before it has reported on its channel. */
  | { readonly phase: 'refreshing'; readonly instance: Instance; readonly awaited: boolean; readonly dueMs: number | null; readonly failAtMs: number; readonly answer: string | null; readonly sinceMs: number }
  /** `sinceMs`: looked after from then on. `watchdogMs`: it has to speak again by then; null: it need not. `loyalMs`: it is loyal then, and somebody wants to be told; null: nobody does, or it was told. */
  | { readonly phase: 'ready'; readonly instance: Instance; readonly sinceMs: number; readonly watchdogMs: number | null; readonly loyalMs: number | null }
  | { readonly phase: 'backoff'; readonly untilMs: number };

/** The instances of one revision that serve together, on one socket of each address. */
export interface Generation {
  /** Counts up for each vassal. */
  readonly number: number;
  readonly runs: Runnable;
  readonly places: readonly Place[];
  /** All of it was ready at one time. */
  readonly proven: boolean;
}

/** How far an overlap has come. */
export type Stage =
  /** The next generation starts, and no request reaches it; `rolled` instances of it are ready and serve already (`roll`), 0 otherwise. */
  | { readonly kind: 'judging'; readonly rolled: number }
  /** It gets its share of new connections. */
  | { readonly kind: 'canary'; readonly untilMs: number }
  /** It gets them all. The current one serves what it still has, and is there to come back to. `drained`: no connection waits for it. `overdue`: they should have been taken by now. `again`: why one more overlap follows, as the file was touched meanwhile; null: none. */
  | { readonly kind: 'swapped'; readonly untilMs: number; readonly drained: boolean; readonly overdue: boolean; readonly again: string | null };

/** Why a vassal is brought down, and so what comes after. `backoff`: it starts again after a wait. */
export type DownReason = 'restart' | 'stop' | 'sleep' | 'backoff';

/** What a vassal is doing. Each phase carries exactly what is true in it. Times: monotonic ms. */
export type VassalState =
  /** On demand: only its sockets are held. `retryMs`: they could not be opened, and are tried again then. */
  | { readonly phase: 'idle'; readonly retryMs: number | null }
  /** For the vassals that its file names in `after`. `cycle`: they wait for it, too, by these names. */
  | { readonly phase: 'waiting'; readonly cycle: readonly string[] | null }
  /** Not all of its instances have been ready yet. */
  | { readonly phase: 'starting'; readonly current: Generation }
  /** Told to reload itself. `again`: touched meanwhile, so once more after that. */
  | { readonly phase: 'refreshing'; readonly current: Generation; readonly again: boolean }
  | { readonly phase: 'ready'; readonly current: Generation }
  /** Overlap: the current generation is kept until the next one has proved itself. */
  | { readonly phase: 'reloading'; readonly current: Generation; readonly next: Generation; readonly stage: Stage }
  /** What is to run has died, and waits for its next start. */
  | { readonly phase: 'backoff'; readonly current: Generation }
  /** All that it had is leaving. `resumeMs`: when `backoff` is over. */
  | { readonly phase: 'stopping'; readonly why: DownReason; readonly resumeMs: number }
  /** By an operator: its sockets are held, nothing runs. */
  | { readonly phase: 'paused' }
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
  /** Whose failure it was; null: that of the file. */
  readonly instance: InstanceId | null;
  /** The last lines that the instance printed, as far as they are known by now. */
  readonly output: readonly string[];
}

/** What the operator wants. */
export type Want = 'up' | 'down' | 'paused';

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
  /** An older revision that an operator went back to: it counts until the file changes; null: none. */
  readonly pinned: Runnable | null;
  /** Number of instances that an operator asked for; null: what the file says. */
  readonly scale: number | null;
  /** Number of instances that the need has led to, where the file lets it; null: what the file says. `fromMs`: nothing is added before. */
  readonly need: { readonly instances: number; readonly fromMs: number } | null;
  readonly want: Want;
  /** The highest number that a generation of it has had in this life of the emperor. */
  readonly generations: number;
  readonly state: VassalState;
  /** Instances that were told to die. */
  readonly leaving: readonly Leaving[];
  readonly failure: Failure | null;
  /** Starts that were not asked for: after a death. */
  readonly restarts: number;
  /** Deaths since the last loyal instance; decides the wait. */
  readonly deaths: number;
}

/** An instance on its way out: farewell.ts. */
export interface Leaving {
  readonly instance: Instance;
  readonly stage: 'draining' | 'parting' | 'told' | 'killed';
  /** When it is hastened: told, killed, killed again. */
  readonly dueMs: number;
}

/** What the store remembers of a vassal from an earlier life of the emperor. */
export interface Remembered {
  readonly id: VassalId;
  readonly name: string;
  readonly source: string;
  /** Stamp of the file that had been acted upon. */
  readonly stamp: string;
  readonly want: Want;
  readonly scale: number | null;
  /** An older revision that an operator went back to, parsed again. */
  readonly pinned: Runnable | null;
  /** The newest revision was refused. */
  readonly rejected: boolean;
  readonly failure: Failure | null;
  /** A reload was under way, and is to be done again. */
  readonly cutShort: boolean;
  /** How it ended, if its restart policy left it so. */
  readonly exited: ExitStatus | null;
  readonly newest: { readonly number: number; readonly hash: string } | null;
  /** The last good revision, parsed again. */
  readonly good: Runnable | null;
  readonly restarts: number;
  /** Its instances that still live and belong together, proven and watched again by the runner. */
  readonly living: readonly Instance[];
  /** Further instances of it that live: they had been told to die. */
  readonly leaving: readonly Instance[];
  /** And those that had not been told so yet, but are not to live on: users may have been led to them. */
  readonly dismissed: readonly Instance[];
}

/** One place that vassals come from. */
export interface Source {
  readonly name: string;
  /** What it showed last; null before its first look. */
  readonly listing: ReadonlyMap<VassalId, Declaration> | null;
  /** It was once listed to its end. */
  readonly isWhole: boolean;
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
  /** Index: the instances whose start is being judged, and until when (monotonic ms) each counts against `maxStarting`. */
  readonly starting: Table<InstanceId, number>;
  /** The vassals that wait for their turn to start, or for others, first come first. */
  readonly queue: readonly VassalId[];
  /** Starts that are judged at one time. */
  readonly maxStarting: number;
  /** Known from an earlier life, not seen in a listing yet. */
  readonly remembered: ReadonlyMap<VassalId, Remembered>;
  /** The highest revision numbers of forgotten vassals: a file that comes back is numbered on. */
  readonly past: Table<VassalId, number>;
  /** Serial of the next instance. */
  readonly nextSerial: number;
}
