import type { Code } from '../errors.ts';
import type { Declaration, VassalId } from './listing.ts';
import type { ExitStatus, InstanceId, Proof } from './state.ts';

/** Anything that reaches the core. Results of effects come back only as events, too. */
export type Event =
  /** A monitor's full look at its source. */
  | { readonly type: 'listed'; readonly source: string; readonly declarations: readonly Declaration[] }
  | { readonly type: 'blind'; readonly source: string; readonly reason: string }
  | InstanceEvent
  | OrderEvent
  /** Time is due: some deadline has passed. */
  | { readonly type: 'alarm' }
  /** End. `keep`: the instances stay for the next emperor. A second one hurries: what lives is killed. */
  | { readonly type: 'shutdown'; readonly keep: boolean; readonly actor: string };

/** What the runner tells of an instance. */
export type InstanceEvent =
  | { readonly type: 'spawned'; readonly instance: InstanceId; readonly process: Proof }
  /** The operating system refused to start it; it never lived. `lasting`: trying again is of no use before something is mended. */
  | { readonly type: 'unlaunchable'; readonly instance: InstanceId; readonly code: Code; readonly reason: string; readonly lasting: boolean }
  | { readonly type: 'exited'; readonly instance: InstanceId; readonly status: ExitStatus };

/** What an operator asks of a vassal. */
export interface OrderEvent {
  readonly type: 'order';
  readonly verb: 'start' | 'stop' | 'restart' | 'reload';
  readonly vassal: VassalId;
  /** Who asked, for the history. */
  readonly actor: string;
}

/** One moment, on both clocks. */
export interface Now {
  /** Monotonic: for rules. */
  readonly ms: number;
  /** Wall time in ms: for people. */
  readonly at: number;
}
