import type { VassalId } from './listing.ts';
import type { ExitStatus, InstanceId, Phase, Vassal } from './state.ts';

/** The record of one change, for people and for the database. */
export interface HistoryEntry {
  /** Wall time, ms. */
  readonly at: number;
  /** null where it concerns the emperor itself or a source. */
  readonly vassal: VassalId | null;
  readonly name: string | null;
  readonly instance: InstanceId | null;
  readonly pid: number | null;
  readonly revision: number | null;
  /** The kind of change, stable for scripts. */
  readonly event: HistoryEvent;
  readonly from: Phase | null;
  /** null: the vassal is forgotten, or the phase does not change. */
  readonly to: Phase | null;
  /** For people: one sentence. */
  readonly why: string;
  /** Who asked for it; null: nobody, it follows from the rules. */
  readonly actor: string | null;
  /** How an instance ended, in entries `exited`. */
  readonly status: ExitStatus | null;
}

export type HistoryEvent =
  | 'appeared' | 'edited' | 'touched' | 'vanished' | 'forgotten' | 'fault'
  | 'launch' | 'spawned' | 'unlaunchable' | 'ready' | 'rejected' | 'exited' | 'quoted' | 'backoff' | 'cursed' | 'killed' | 'adopted'
  | 'answered' | 'loyal' | 'sos' | 'idle' | 'knocked' | 'waiting' | 'canary' | 'swapped' | 'sick' | 'scaled' | 'paused' | 'hook'
  | 'order' | 'stopped' | 'blind' | 'sighted' | 'shutdown';

/** What one or several events changed: written to the store, then told to the observers. */
export interface Change {
  readonly history: readonly HistoryEntry[];
  /** The vassals that changed, as they are now; null: forgotten. */
  readonly vassals: ReadonlyMap<VassalId, Vassal | null>;
}
