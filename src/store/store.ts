import type { Basis } from '../core/basis.ts';
import type { Change, HistoryEntry } from '../core/history.ts';
import type { VassalId } from '../core/listing.ts';
import type { ExitStatus, Failure, InstanceId, Proof, Want } from '../core/state.ts';

/** What the emperor remembers beyond its own life. */
export interface Store extends Disposable {
  /**
   * All that is remembered, for the next life.
   * @throws EmperorError E_STORE
   */
  load(): Memory;
  /**
   * Writes what changed, all of it or nothing, before it is acted upon. The vassals are the truth about their instances: one
   * that its vassal does not hold any more has ended, with the status of its entry `exited`, else with an unknown one.
   * @throws EmperorError E_STORE: nothing of it was written; the same change may be tried again
   */
  record(change: Change): void;
  /**
   * The history, oldest first: the last `limit` entries (of one vassal, by name), or the first `limit` after the entry `after`.
   * @throws EmperorError E_STORE
   */
  history(query: HistoryQuery): readonly StoredEntry[];
  /**
   * The revisions of a vassal, oldest first, also of a forgotten one. Only the last 100 are kept, and those in use.
   * @throws EmperorError E_STORE
   */
  revisions(vassal: VassalId): readonly StoredRevision[];
}

export interface HistoryQuery {
  /** null: of all vassals, and of the emperor itself. */
  readonly name: string | null;
  /** 0 or more. */
  readonly limit: number;
  /** A sequence number; null: from the end. */
  readonly after: number | null;
}

/** A history entry with the number that the store gave it, counting up. */
export interface StoredEntry extends HistoryEntry {
  readonly sequence: number;
}

/** A text that can be read again, with what it was read with. */
export interface StoredText {
  readonly number: number;
  readonly text: string;
  /** Absent: nothing but itself. */
  readonly basis?: Basis;
}

export interface StoredRevision extends StoredText {
  readonly hash: string;
  /** First seen: wall time, ms. */
  readonly at: number;
  /** False if it had faults. */
  readonly runnable: boolean;
}

export interface Memory {
  readonly vassals: readonly StoredVassal[];
  /** Vassals whose file went away. If it comes back, its revisions are numbered on from here. */
  readonly forgotten: readonly ForgottenVassal[];
  /** Serial of the next instance: higher than any before. */
  readonly nextSerial: number;
}

export interface StoredVassal {
  readonly id: VassalId;
  readonly name: string;
  readonly source: string;
  readonly stamp: string;
  readonly want: Want;
  /** Instances that an operator asked for; null: what the file says. */
  readonly scale: number | null;
  /** The revision that an operator went back to. null: none, or its text is not there any more. */
  readonly pinned: StoredText | null;
  /** The newest revision was tried and refused. */
  readonly rejected: boolean;
  /** null: none, or it was written in a form that this emperor does not know. */
  readonly failure: Failure | null;
  /** How it ended, if its restart policy left it so; null: it did not. */
  readonly exited: ExitStatus | null;
  readonly restarts: number;
  readonly newest: { readonly number: number; readonly hash: string } | null;
  /** The last revision that was ready. */
  readonly good: StoredText | null;
  /** The instances whose end was never written, newest first. They may live, or have died with nobody there to see it. */
  readonly instances: readonly StoredInstance[];
}

export interface ForgottenVassal {
  readonly id: VassalId;
  readonly newest: { readonly number: number; readonly hash: string };
}

export interface StoredInstance {
  readonly id: InstanceId;
  readonly serial: number;
  readonly generation: number;
  /** What it runs. The text is empty if it was never written (the store had failed then). */
  readonly revision: StoredText;
  /** null: its start was ordered, and the emperor ended before it heard of the process. There may be one that carries its mark. */
  readonly process: Proof | null;
  readonly bornAt: number;
  readonly readyAt: number | null;
  /** It is not to live on. */
  readonly leaving: boolean;
  /** It had not been told so yet, for the sake of those who wait for it. */
  readonly draining: boolean;
}
