import type { Now } from './event.ts';
import type { Effect } from './effect.ts';
import type { HistoryEntry, HistoryEvent } from './history.ts';
import type { EmperorState, ExitStatus, Instance, Vassal } from './state.ts';

/**
 * What the rules write down while one event is handled: orders to the world, and the record of what happened.
 * It lives as long as one step, so that the step as a whole stays a pure function.
 */
export interface Turn {
  readonly now: Now;
  readonly life: EmperorState['life'];
  /** Who asked for what happens in this turn; null: nobody, it follows from the rules. */
  readonly actor: string | null;
  readonly effects: Effect[];
  readonly history: HistoryEntry[];
  /** The serial of the next instance, counted on by whoever takes it. */
  nextSerial: number;
}

/** A turn with nothing written yet. */
export function openTurn(state: EmperorState, now: Now, actor: string | null): Turn {
  return { now, life: state.life, actor, effects: [], history: [], nextSerial: state.nextSerial };
}

/** What a history entry may say beyond the vassal and the sentence. */
export interface Details {
  readonly instance?: Instance;
  /** The vassal as it is after the change; absent if its phase stays. */
  readonly after?: Vassal;
  readonly revision?: number;
  readonly status?: ExitStatus;
}

/** Writes one history entry about a vassal. `before` is the vassal as it was before the change. */
export function note(turn: Turn, before: Vassal, event: HistoryEvent, why: string, details: Details = {}): void {
  const { instance, after, status } = details;
  const revision = details.revision ?? instance?.runs.number ?? before.newest?.number ?? null;
  turn.history.push({
    at: turn.now.at,
    vassal: before.id,
    name: before.name,
    instance: instance?.id ?? null,
    pid: instance?.process?.pid ?? null,
    revision,
    event,
    from: before.state.phase,
    to: after === undefined ? null : after.state.phase,
    why,
    actor: turn.actor,
    status: status ?? null,
  });
}
