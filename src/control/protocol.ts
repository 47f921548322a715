import type { HistoryEvent } from '../core/history.ts';
import type { ExitStatus, Phase } from '../core/state.ts';
import type { Code } from '../errors.ts';

/** First part of every path on the control socket. A change that breaks old clients gets a new one. */
export const VERSION_PREFIX = '/v1';

/** Header with the name of who asks, percent-encoded; for the history only, it proves nothing. */
export const ACTOR_HEADER = 'emperor-actor';

/** How long an acting verb waits for its outcome if it is not told otherwise; what systemd allows a start. */
export const DEFAULT_TIMEOUT = '90s';

/** What `GET /v1/emperor` answers: who holds this socket. Times are RFC 3339. */
export interface EmperorDocument {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  /** `stopping`: every vassal is to end. `leaving`: the emperor goes, the instances stay. */
  readonly life: 'running' | 'stopping' | 'leaving';
  readonly sources: readonly string[];
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
  | 'idle' | 'waiting' | 'starting' | 'ready' | 'reloading' | 'backoff' | 'stopping' | 'stopped' | 'exited' | 'invalid';

export interface VassalDocument {
  readonly name: string;
  readonly file: string;
  readonly state: StateWord;
  /** What the operator wants. */
  readonly want: 'up' | 'down';
  /** What serves; if nothing does, what would. null: the file is gone. */
  readonly revision: number | null;
  readonly server: string | null;
  readonly listen: readonly string[];
  readonly instances: readonly InstanceDocument[];
  /** Starts that nobody asked for: after a death. */
  readonly restarts: number;
  /** When the next start is due, in state `backoff`. */
  readonly nextStartAt: string | null;
  /** What went wrong last with the newest revision; null once it serves. */
  readonly failure: FailureDocument | null;
}

export interface InstanceDocument {
  readonly id: string;
  /** null until the operating system has started it. */
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'stopping';
  readonly revision: number;
  readonly startedAt: string;
  readonly readyAt: string | null;
  /** True if an earlier emperor started it. */
  readonly adopted: boolean;
}

export interface FailureDocument {
  readonly revision: number;
  readonly code: Code;
  readonly message: string;
  readonly at: string;
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

/** What an operator can ask of vassals: `POST /v1/VERB?wait=1&timeout=30s` with `{"names":[…]}`. */
export type OrderVerb = 'start' | 'stop' | 'restart' | 'reload';

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
  /** The last lines that a failed vassal printed. */
  readonly log: readonly string[];
}

/** What `POST /v1/shutdown` answers first. With `wait=1` the reply then stays open until the emperor's process is gone. */
export interface ShutdownReply {
  readonly pid: number;
}

/** What every request that fails is answered with. */
export interface ErrorReply {
  readonly error: { readonly code: Code; readonly message: string };
}
