import type { HistoryEvent } from '../core/history.ts';
import type { LimitName } from '../core/spec.ts';
import type { ExitStatus, Phase, Stage, Want } from '../core/state.ts';
import type { Code } from '../errors.ts';

/** First part of every path on the control socket. A change that breaks old clients gets a new one. */
export const VERSION_PREFIX = '/v1';

/** Header with what the asker claims to be, percent-encoded. It proves nothing, and is only added to what the kernel says of it. */
export const ACTOR_HEADER = 'emperor-actor';

/** How long an acting verb waits for its outcome if it is not told otherwise; what systemd allows a start. */
export const DEFAULT_TIMEOUT = '90s';

/** What `GET /v1/emperor` answers: who holds this socket. Times are RFC 3339. */
export interface EmperorDocument {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  /** `starting`: the files of some source were not all seen yet. `stopping`: every vassal is to end. `leaving`: the emperor goes, the instances stay. */
  readonly life: 'starting' | 'running' | 'stopping' | 'leaving';
  readonly sources: readonly string[];
  /** By what instances are killed. `cgroup`: all that they ever started. `process-group`: their process group, then whoever bears their marks. */
  readonly kills: 'cgroup' | 'process-group';
  /** The keys of `limits` that can be kept here. */
  readonly limits: readonly LimitName[];
  /** Sources that cannot be looked at; what they showed last still stands. */
  readonly blind: readonly { readonly source: string; readonly reason: string; readonly since: string }[];
}

/** What `GET /v1/status` and `GET /v1/status/NAME` answer, and `emperor status --json` prints. */
export interface StatusDocument {
  readonly emperor: EmperorDocument;
  /** By name. */
  readonly vassals: readonly VassalDocument[];
}

/** A vassal's state in one word. */
export type StateWord =
  | 'idle' | 'waiting' | 'starting' | 'ready' | 'reloading' | 'backoff' | 'stopping' | 'paused' | 'stopped' | 'exited' | 'invalid';

export interface VassalDocument {
  readonly name: string;
  readonly file: string;
  readonly state: StateWord;
  /** What the operator wants. */
  readonly want: Want;
  /** What serves; if nothing does, what would. null: the file is gone. */
  readonly revision: number | null;
  /** The older revision that an operator went back to; null: none. */
  readonly pinned: number | null;
  /** Instances that an operator asked for; null: what the file says. */
  readonly scale: number | null;
  /** Where the number of instances follows the need: how many there are to be now, at least and at most; null: it does not. */
  readonly scaling: { readonly wanted: number; readonly min: number; readonly max: number } | null;
  readonly server: string | null;
  readonly listen: readonly string[];
  /** In state `waiting`: the vassals that have to be ready first; none of them: it waits for its turn. */
  readonly waitsFor: readonly string[];
  /** How far an overlap has come; null: there is none. */
  readonly stage: Stage['kind'] | null;
  /** The keys of `limits` that its file has and that cannot be kept here. */
  readonly unlimited: readonly LimitName[];
  readonly instances: readonly InstanceDocument[];
  /** Starts that nobody asked for: after a death. */
  readonly restarts: number;
  /** When the next start after a death is due. */
  readonly nextStartAt: string | null;
  /** What went wrong last with the newest revision; null once it serves. */
  readonly failure: FailureDocument | null;
  /** What uWSGI tells of its workers, where a uwsgi section has `stats`: only for who asks for one vassal; else null. */
  readonly uwsgi: UwsgiDocument | null;
}

/** What a uWSGI master tells on the stats socket of its file. Sums count from the last start of each worker. */
export interface UwsgiDocument {
  readonly address: string;
  /** Why nothing is known; null: it answered. */
  readonly trouble: string | null;
  readonly listenQueue: number | null;
  readonly requests: number;
  readonly exceptions: number;
  readonly harakiri: number;
  readonly workers: readonly {
    readonly id: number;
    readonly pid: number;
    readonly status: string;
    readonly requests: number;
    readonly exceptions: number;
    readonly harakiri: number;
    readonly respawns: number;
  }[];
}

export interface InstanceDocument {
  readonly id: string;
  /** null until the operating system has started it. */
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'stopping';
  readonly revision: number;
  /** Counts up with each reload; those of one generation share their sockets. */
  readonly generation: number;
  readonly startedAt: string;
  readonly readyAt: string | null;
  /** True if an earlier emperor started it. */
  readonly adopted: boolean;
  /** What it says of itself, sd_notify(3), STATUS=; null: nothing. */
  readonly status: string | null;
  /** Memory of all its processes; null: nobody knows, as without cgroups. */
  readonly memoryBytes: number | null;
  /** Time that its processes have spent on the processors since its start, ms; null: nobody knows. */
  readonly cpuMs: number | null;
}

export interface FailureDocument {
  readonly revision: number;
  readonly code: Code;
  readonly message: string;
  readonly at: string;
  /** The last lines that the instance printed whose failure it was. */
  readonly output: readonly string[];
}

/** One line of `GET /v1/events`, and of `emperor events --json`. */
export interface EventDocument {
  /** Counts up; the number that the store gave it. */
  readonly sequence: number;
  readonly at: string;
  readonly event: HistoryEvent;
  /** null where it concerns the emperor itself or a source. */
  readonly name: string | null;
  readonly file: string | null;
  readonly instance: string | null;
  readonly pid: number | null;
  readonly revision: number | null;
  readonly from: Phase | null;
  readonly to: Phase | null;
  readonly why: string;
  readonly actor: string | null;
  readonly status: ExitStatus | null;
}

/**
 * What `GET /v1/history/NAME` answers: the revisions of a vassal that are kept, oldest first. The last 100 are, and those in use;
 * also those of a vassal that is forgotten.
 */
export interface RevisionsDocument {
  readonly name: string;
  readonly file: string;
  readonly revisions: readonly RevisionDocument[];
}

export interface RevisionDocument {
  readonly number: number;
  /** When it was seen first. */
  readonly at: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
  /** False if it had faults. */
  readonly runnable: boolean;
  readonly marks: readonly RevisionMark[];
}

/** `good`: the last one that was ready. `refused`: tried, and failed. `pinned`: an operator went back to it. */
export type RevisionMark = 'serving' | 'newest' | 'pinned' | 'good' | 'refused';

/**
 * What `GET /v1/diff/NAME?from=A&to=B` answers: two revisions with their texts, in which the values of
 * `environment` are replaced by `…hidden`. Whoever asks compares them: long texts take long,
 * and vassals do not wait for that.
 */
export interface DiffDocument {
  readonly name: string;
  readonly file: string;
  readonly from: RevisionText;
  readonly to: RevisionText;
}

export interface RevisionText {
  readonly number: number;
  readonly at: string;
  /** Of the whole text. */
  readonly hash: string;
  readonly text: string;
}

/** What `GET /v1/why/NAME` answers: why a vassal does what it does. */
export interface WhyDocument {
  readonly name: string;
  readonly file: string;
  readonly state: StateWord;
  /** Since when; null: nobody remembers. */
  readonly since: string | null;
  /** What brought it there, a sentence; null: nobody remembers. */
  readonly cause: string | null;
  /** Who asked for that; null: nobody. */
  readonly actor: string | null;
  readonly revision: number | null;
  readonly failure: FailureDocument | null;
  readonly nextStartAt: string | null;
  /** What has to be ready first, and what it does. `state` null: there is no vassal of that name. */
  readonly waitsFor: readonly { readonly name: string; readonly state: StateWord | null }[];
  /** What can be done, a sentence each. */
  readonly advice: readonly string[];
}

/** What an operator can ask of vassals: `POST /v1/VERB?wait=1&timeout=30s` with `{"names":[…]}`, and what {@link Demand} adds. */
export type OrderVerb = 'start' | 'stop' | 'restart' | 'reload' | 'pause' | 'resume' | 'scale' | 'rollback';

/** An order with all that it says. */
export type Demand =
  | { readonly verb: Exclude<OrderVerb, 'scale' | 'rollback'> }
  /** 1 to {@link MAX_INSTANCES}. */
  | { readonly verb: 'scale'; readonly instances: number }
  /** null: the one before what runs. */
  | { readonly verb: 'rollback'; readonly revision: number | null };

/** Instances that an operator can ask for. */
export const MAX_INSTANCES = 1_000;

/** More than any revision ever has. */
export const MAX_REVISION = 999_999_999;

/** One result for each name, in the order of the request. */
export interface OrderReply {
  readonly results: readonly OrderResult[];
}

export interface OrderResult {
  readonly name: string;
  /** `posted`: nobody waited. `fault`: the vassal's file is at fault. */
  readonly outcome: 'done' | 'posted' | 'failed' | 'fault' | 'timeout' | 'no-vassal';
  readonly code: Code | null;
  /** Why it failed, for people; with `done` it is null, or something to be known. */
  readonly message: string | null;
  /** The last lines that the instance printed, or the vassal, that failed. */
  readonly log: readonly string[];
}

/** What `POST /v1/shutdown` answers first. With `wait=1` the reply then stays open until the emperor's process is gone. */
export interface ShutdownReply {
  readonly pid: number;
}

/** What `POST /v1/upgrade` answers: versions. */
export interface UpgradeReply {
  readonly pid: number;
  readonly from: string;
  readonly to: string;
}

/** What every request that fails is answered with. */
export interface ErrorReply {
  readonly error: { readonly code: Code; readonly message: string };
}
