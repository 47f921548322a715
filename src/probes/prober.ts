import type { InstanceId } from '../core/state.ts';
import type { Health, Probe, Readiness } from '../core/spec.ts';

/** What a probe can tell of an instance. */
export type Finding =
  | { readonly type: 'ready'; readonly instance: InstanceId; readonly why: string }
  /** Not ready yet: the last answer, for the message if it never will be. Told when it differs from the one before. */
  | { readonly type: 'unready'; readonly instance: InstanceId; readonly answer: string }
  | { readonly type: 'sick'; readonly instance: InstanceId; readonly answer: string };

/** An answer to one probe. */
export interface Answer {
  readonly good: boolean;
  /** For people: `HTTP 500`, `connection refused`, `no answer within 5 s`. */
  readonly text: string;
}

/** Asks instances how they are. Never decides: it tells what it found. One question at a time for each instance. */
export interface Prober extends AsyncDisposable {
  /** Asks until the instance is ready: one `ready`, then silence. `after` and `notify` are not asked here. */
  judge(instance: InstanceId, readiness: Readiness & { readonly kind: 'probe' | 'log' }): void;
  /** Asks a ready instance again and again; after so many bad answers in a row, one `sick`, then silence. */
  tend(instance: InstanceId, health: Health & { readonly probe: Probe }): void;
  /** Asks no more. */
  forget(instance: InstanceId): void;
}
