import type { Change, HistoryEntry } from '../core/history.ts';
import type { VassalId } from '../core/listing.ts';
import type { InstanceId, Proof } from '../core/state.ts';

/** What the emperor remembers beyond its own life. */
export interface Store extends Disposable {
  /** All that is remembered, for the next life. */
  load(): Memory;
  /** Writes what changed, all of it or nothing, before it is acted upon. Throws E_STORE. */
  record(change: Change): void;
  /** The history, oldest first: the last `limit` entries (of one vassal, by name), or those after the entry `after`. */
  history(query: HistoryQuery): readonly StoredEntry[];
  /** The revisions of a vassal, oldest first. */
  revisions(vassal: VassalId): readonly StoredRevision[];
}

export interface HistoryQuery {
  readonly name: string | null;
  readonly limit: number;
  readonly after: number | null;
}

/** A history entry with the number that the store gave it, counting up. */
export interface StoredEntry extends HistoryEntry {
  readonly sequence: number;
}

export interface StoredRevision {
  readonly number: number;
  readonly hash: string;
  readonly text: string;
  /** First seen: wall time, ms. */
  readonly at: number;
  /** False if it had faults. */
  readonly runnable: boolean;
}

export interface Memory {
  readonly vassals: readonly StoredVassal[];
  /** Serial of the next instance: higher than any before. */
  readonly nextSerial: number;
}

export interface StoredVassal {
  readonly id: VassalId;
  readonly name: string;
  readonly source: string;
  readonly stamp: string;
  readonly want: 'up' | 'down';
  readonly restarts: number;
  readonly newest: { readonly number: number; readonly hash: string } | null;
  /** The last revision that was ready. */
  readonly good: { readonly number: number; readonly text: string } | null;
  /** The instance that served, or was starting, when it was last written, with the text that it runs. */
  readonly instance: StoredInstance | null;
}

export interface StoredInstance {
  readonly id: InstanceId;
  readonly serial: number;
  readonly revision: { readonly number: number; readonly text: string };
  readonly process: Proof;
  readonly bornAt: number;
  readonly readyAt: number | null;
}
