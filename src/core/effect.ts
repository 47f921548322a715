import type { Listen } from './address.ts';
import type { HookName } from './hook.ts';
import type { VassalId } from './listing.ts';
import type { Health, Probe, Readiness, SignalName } from './spec.ts';
import type { Instance, InstanceId, Runnable } from './state.ts';

/** An order to an adapter. */
export type Effect =
  /** With its sockets, which are opened if they are not. */
  | { readonly type: 'launch'; readonly vassal: VassalId; readonly name: string; readonly instance: Instance }
  /** `main`: its first process. `group`: its whole process group. */
  | { readonly type: 'signal'; readonly instance: InstanceId; readonly signal: SignalName; readonly whom: 'main' | 'group' }
  /** To be told on its channel, as soon as it listens; one without a channel is told to stop by a signal. */
  | { readonly type: 'ask'; readonly instance: InstanceId; readonly what: 'reload' | 'stop' }
  /** The file's program could not be started: check the file against this host again, and wait for what is missing. */
  | { readonly type: 'recheck'; readonly vassal: VassalId }
  /** Another process of the instance is its first one from now on: signals go to it, and its end is the end. */
  | { readonly type: 'follow'; readonly instance: InstanceId; readonly pid: number }
  /** Tell what an instance printed last. */
  | { readonly type: 'quote'; readonly vassal: VassalId; readonly instance: InstanceId }
  | HookEffect
  | StandingEffect;

/** Run the commands that the spec has for a point: see hooks.ts. */
export interface HookEffect {
  readonly type: 'hook';
  readonly vassal: VassalId;
  readonly name: string;
  readonly at: HookName;
  /** Whose hooks they are, and as whom and where they run. */
  readonly runs: Runnable;
  /** null: it concerns the vassal as a whole. */
  readonly instance: InstanceId | null;
  /** null: there is no process. */
  readonly pid: number | null;
  /** The revision that it is about. */
  readonly revision: number;
  /** For people: one sentence. */
  readonly reason: string;
}

/** What follows from the state alone: see standing.ts. */
export type StandingEffect =
  /** Ask an instance until it is ready. */
  | { readonly type: 'judge'; readonly instance: InstanceId; readonly readiness: Readiness & { readonly kind: 'probe' | 'log' } }
  /** Ask a ready instance whether it is well. */
  | { readonly type: 'tend'; readonly instance: InstanceId; readonly health: Health & { readonly probe: Probe } }
  /** Ask it no more. */
  | { readonly type: 'disregard'; readonly instance: InstanceId }
  /** That share of new connections goes to the generation. */
  | { readonly type: 'steer'; readonly vassal: VassalId; readonly generation: number; readonly share: number }
  /** Tell when no connection waits for that generation. */
  | { readonly type: 'await-drained'; readonly vassal: VassalId; readonly generation: number }
  /** Nothing of that generation lives. */
  | { readonly type: 'retire'; readonly vassal: VassalId; readonly generation: number }
  /** Open the sockets and tell of the first connection. */
  | { readonly type: 'await-knock'; readonly vassal: VassalId; readonly name: string; readonly listen: readonly Listen[]; readonly user: string | null; readonly group: string | null }
  | { readonly type: 'ignore-knock'; readonly vassal: VassalId }
  /** Tell when it is unused. */
  | { readonly type: 'await-unused'; readonly vassal: VassalId; readonly idleMs: number }
  | { readonly type: 'ignore-unused'; readonly vassal: VassalId }
  /** Tell each time that so many connections have waited for that generation, for so long. */
  | { readonly type: 'await-crowd'; readonly vassal: VassalId; readonly generation: number; readonly connections: number; readonly forMs: number }
  | { readonly type: 'ignore-crowd'; readonly vassal: VassalId }
  /** Tell when nobody has connected for so long: it has more instances than it needs then. */
  | { readonly type: 'await-calm'; readonly vassal: VassalId; readonly idleMs: number }
  | { readonly type: 'ignore-calm'; readonly vassal: VassalId }
  /** Close the sockets of all other addresses. */
  | { readonly type: 'release'; readonly vassal: VassalId; readonly keep: readonly Listen[] };
