import type { Code } from '../errors.ts';
import type { HookName } from './hook.ts';
import type { Declaration, VassalId } from './listing.ts';
import type { ExitStatus, InstanceId, Proof, Runnable } from './state.ts';

/** Anything that reaches the core. Results of effects come back only as events, too. */
export type Event =
  /** A monitor's full look at its source. */
  | { readonly type: 'listed'; readonly source: string; readonly declarations: readonly Declaration[] }
  /** Some files of a long listing that is being read: what is not among them was told of before, or may come yet. */
  | { readonly type: 'showing'; readonly source: string; readonly declarations: readonly Declaration[] }
  | { readonly type: 'blind'; readonly source: string; readonly reason: string }
  | InstanceEvent
  | ReportEvent
  | SocketEvent
  | OrderEvent
  | HookedEvent
  /** Time is due: some deadline has passed. */
  | { readonly type: 'alarm' }
  /** End. `keep`: the instances stay for the next emperor. A second one hurries: what lives is killed. */
  | { readonly type: 'shutdown'; readonly keep: boolean; readonly actor: string };

/** What the runner tells of an instance. */
export type InstanceEvent =
  | { readonly type: 'spawned'; readonly instance: InstanceId; readonly process: Proof }
  /** Another process of it is its first one from now on, as it has said, MAINPID of sd_notify(3). */
  | { readonly type: 'followed'; readonly instance: InstanceId; readonly process: Proof }
  /** The operating system refused to start it; it never lived. `lasting`: trying again is of no use before something is mended. */
  | { readonly type: 'unlaunchable'; readonly instance: InstanceId; readonly code: Code; readonly reason: string; readonly lasting: boolean }
  /** `outOfMemory`: the kernel had killed a process of it for lack of memory, and that was its end. */
  | { readonly type: 'exited'; readonly instance: InstanceId; readonly status: ExitStatus; readonly outOfMemory?: boolean }
  /** Its probe was answered. */
  | { readonly type: 'ready'; readonly instance: InstanceId; readonly why: string }
  /** It was not, yet. */
  | { readonly type: 'unready'; readonly instance: InstanceId; readonly answer: string }
  /** It fails its health probe. */
  | { readonly type: 'sick'; readonly instance: InstanceId; readonly answer: string }
  /** It has more to do than it can: uWSGI's sos, byte 30 of the protocol of its Emperor. */
  | { readonly type: 'pressed'; readonly instance: InstanceId }
  | { readonly type: 'said'; readonly instance: InstanceId; readonly said: Said }
  /** The last lines that it printed, as was asked for. */
  | { readonly type: 'quoted'; readonly instance: InstanceId; readonly vassal: VassalId; readonly lines: readonly string[] };

/** What an instance says of itself: one datagram of sd_notify(3). */
export interface Said {
  readonly ready: boolean;
  readonly reloading: boolean;
  readonly stopping: boolean;
  readonly status: string | null;
  readonly watchdog: 'ping' | 'trigger' | null;
  /** Asks for so much more time, ms. */
  readonly extendMs: number | null;
  readonly mainPid: number | null;
}

/** What an instance says on its channel: the protocol of the uWSGI Emperor. */
export interface ReportEvent {
  readonly type: 'reported';
  readonly instance: InstanceId;
  readonly report: Report;
}

export type Report =
  /** It takes requests: after its start, after a reload, and whenever it begins to again. */
  | { readonly kind: 'accepting' }
  /** It has answered its first request. */
  | { readonly kind: 'loyal' }
  /** It has had nothing to do for long, and waits to be stopped. */
  | { readonly kind: 'idle' }
  /** It is well; who has said so once has to go on saying so. */
  | { readonly kind: 'heartbeat' }
  /** It asks for help, having more to do than it can; so often by now. */
  | { readonly kind: 'sos'; readonly times: number }
  /** What it is to reload was tried, and is good: now it is told. */
  | { readonly kind: 'rehearsed' }
  /** What it was to reload was tried, and is no good: it was not told. `output`: what that printed last. */
  | { readonly kind: 'refused'; readonly code: Code; readonly message: string; readonly output: readonly string[] }
  /** It was to be told something and has no channel (any more). */
  | { readonly kind: 'deaf' };

/** The commands for a point have ended. */
export interface HookedEvent {
  readonly type: 'hooked';
  readonly at: HookName;
  readonly vassal: VassalId;
  readonly name: string;
  readonly instance: InstanceId | null;
  readonly revision: number;
  /** What went wrong, a sentence; null: nothing. */
  readonly failure: string | null;
}

/** What is told of the sockets of a vassal. */
export type SocketEvent =
  /** Someone connects to an idle vassal. */
  | { readonly type: 'knocked'; readonly vassal: VassalId }
  /** The sockets of a vassal of which nothing runs are open. */
  | { readonly type: 'held'; readonly vassal: VassalId }
  /** They cannot be opened. */
  | { readonly type: 'unholdable'; readonly vassal: VassalId; readonly code: Code; readonly reason: string }
  /** Nobody has connected for its idle timeout, and no connection is open. */
  | { readonly type: 'unused'; readonly vassal: VassalId }
  /** So many connections waited for it for as long as `scale-up` says. */
  | { readonly type: 'crowded'; readonly vassal: VassalId; readonly waiting: number }
  /** Nobody has connected for as long as `scale-down` says. */
  | { readonly type: 'calm'; readonly vassal: VassalId }
  /** No connection waits for that generation any more. */
  | { readonly type: 'drained'; readonly vassal: VassalId; readonly generation: number };

/** What an operator asks of a vassal. */
export type OrderEvent = Order & {
  readonly type: 'order';
  readonly vassal: VassalId;
  /** Who asked, for the history. */
  readonly actor: string;
};

export type Order =
  | { readonly verb: 'start' | 'stop' | 'restart' | 'reload' | 'pause' | 'resume' }
  | { readonly verb: 'scale'; readonly instances: number }
  | { readonly verb: 'rollback'; readonly to: Runnable };

/** One moment, on both clocks. */
export interface Now {
  /** Monotonic: for rules. */
  readonly ms: number;
  /** Wall time in ms: for people. */
  readonly at: number;
}
