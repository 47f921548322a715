import type { Now } from '../core/event.ts';
import type { Outcome, VassalId } from '../core/listing.ts';
import type { Instance, Remembered, Runnable } from '../core/state.ts';
import type { Memory, StoredInstance, StoredVassal } from '../store/store.ts';

/** What it takes to bring what was stored back to life. */
export interface Recollection {
  readonly now: Now;
  readonly parse: (file: { readonly id: VassalId; readonly text: string }) => Outcome;
  /** Watches a process of an earlier emperor; false: it is gone. */
  readonly adopt: (vassalName: string, instance: Instance) => boolean;
}

/** What an earlier life of the emperor has left, as the core knows it. */
export interface Recalled {
  readonly remembered: readonly Remembered[];
  /** Highest revision numbers of forgotten vassals. */
  readonly past: ReadonlyMap<VassalId, number>;
  readonly adopted: number;
}

/** Turns what was stored into what is remembered: texts are parsed again, and what still lives is adopted. */
export function recall(memory: Memory, recollection: Recollection): Recalled {
  const remembered = memory.vassals.map((vassal) => recallVassal(vassal, recollection));
  const past = new Map(memory.forgotten.map((each) => [each.id, each.newest.number]));
  const adopted = remembered.reduce((sum, each) => sum + each.leaving.length + (each.living === null ? 0 : 1), 0);
  return { remembered, past, adopted };
}

function recallVassal(vassal: StoredVassal, recollection: Recollection): Remembered {
  const { id, name, source, stamp, want, restarts, newest } = vassal;
  const good = vassal.good === null ? null : runnable(id, vassal.good, recollection);
  const alive = vassal.instances.flatMap((stored) => {
    const instance = recallInstance(id, stored, good, recollection);
    return instance !== null && recollection.adopt(name, instance) ? [{ instance, cursed: stored.leaving }] : [];
  });
  const candidates = alive.filter((each) => !each.cursed).map((each) => each.instance);
  // In a reload that was cut short, the one that had proved itself serves on: the other one never did.
  const living = candidates.find((each) => each.readyMs !== null) ?? candidates[0] ?? null;
  const leaving = alive.map((each) => each.instance).filter((each) => each !== living);
  return { id, name, source, stamp, want, restarts, newest, good, living, leaving };
}

/** null: it never had a process, or nobody knows any more how it is to be stopped. */
function recallInstance(id: VassalId, stored: StoredInstance, good: Runnable | null, recollection: Recollection): Instance | null {
  const runs = runnable(id, stored.revision, recollection) ?? good;
  if (runs === null || stored.process === null) return null;
  const { now } = recollection;
  const onOurClock = (at: number): number => now.ms - (now.at - at);
  return {
    id: stored.id,
    serial: stored.serial,
    runs: { number: stored.revision.number, spec: runs.spec },
    process: stored.process,
    bornMs: onOurClock(stored.bornAt),
    bornAt: stored.bornAt,
    readyMs: stored.readyAt === null ? null : onOurClock(stored.readyAt),
    readyAt: stored.readyAt,
    adopted: true,
  };
}

function runnable(id: VassalId, revision: { readonly number: number; readonly text: string }, { parse }: Recollection): Runnable | null {
  const outcome = parse({ id, text: revision.text });
  return outcome.ok ? { number: revision.number, spec: outcome.spec } : null;
}
