import type { Now } from '../core/event.ts';
import type { VassalId } from '../core/listing.ts';
import type { VassalSpec } from '../core/spec.ts';
import type { Instance, InstanceId, Proof, Remembered, Runnable } from '../core/state.ts';
import type { Memory, StoredInstance, StoredText, StoredVassal } from '../store/store.ts';
import type { Parse } from './parse-once.ts';

/** What it takes to bring what was stored back to life. */
export interface Recollection {
  readonly now: Now;
  readonly parse: Parse;
  /** Watches a process of an earlier emperor; false: it is gone. */
  readonly adopt: (vassalName: string, instance: Instance) => boolean;
  /** It is gone: what is left of what it printed is to be read. */
  readonly ended: (vassalName: string, instance: Instance) => void;
  /** The instances that run, by the marks that they bear: some may never have been recorded. */
  readonly found: ReadonlyMap<InstanceId, Found>;
  /** How an instance is stopped of which nothing else is known. */
  readonly unknown: VassalSpec;
}

/** An instance that was found by its marks. */
export interface Found {
  readonly process: Proof;
  readonly vassalName: string;
  readonly ageMs: number;
}

/** What an earlier life of the emperor has left, as the core knows it. */
export interface Recalled {
  readonly remembered: readonly Remembered[];
  /** Highest revision numbers of forgotten vassals. */
  readonly past: ReadonlyMap<VassalId, number>;
  /** Instances that ran when something was stored last, and strays. */
  readonly known: number;
  /** Those of them that live. */
  readonly adopted: number;
  /** Serial of the next instance: higher than any that was stored or found. */
  readonly nextSerial: number;
}

/**
 * Turns what was stored into what is remembered: texts are parsed again, and what still lives is adopted. Strays are adopted,
 * too, each as a vassal without a file, so that the rules end them.
 */
export function recall(memory: Memory, recollection: Recollection): Recalled {
  const strays = [...recollection.found].filter(([id]) => serialOf(id) >= memory.nextSerial);
  const remembered = [
    ...memory.vassals.map((vassal) => recallVassal(vassal, recollection)),
    ...strays.flatMap(([id, found]) => recallStray(id, found, recollection)),
  ];
  const past = new Map(memory.forgotten.map((each) => [each.id, each.newest.number]));
  const adopted = remembered.reduce((sum, each) => sum + each.leaving.length + each.dismissed.length + each.living.length, 0);
  const known = strays.length + memory.vassals.reduce((sum, { instances }) => sum + instances.length, 0);
  const nextSerial = strays.reduce((next, [id]) => Math.max(next, serialOf(id) + 1), memory.nextSerial);
  return { remembered, past, known, adopted, nextSerial };
}

/**
 * An instance of which the store knows nothing: the store was lost, or could not be written then. Which text it runs cannot be told,
 * so it is ended, and its vassal starts anew.
 */
function recallStray(id: InstanceId, { process, vassalName, ageMs }: Found, { now, adopt, unknown }: Recollection): readonly Remembered[] {
  const instance: Instance = {
    id, serial: serialOf(id), generation: 1, status: null, runs: { number: 0, spec: unknown }, process,
    bornMs: now.ms - ageMs, bornAt: now.at - ageMs, readyMs: null, readyAt: null, adopted: true,
  };
  if (!adopt(vassalName, instance)) return [];
  return [{
    id: `stray:${id}` as VassalId, name: id, source: '', stamp: '', want: 'up', scale: null, pinned: null, rejected: false, failure: null, exited: null, cutShort: false,
    newest: null, good: null, restarts: 0, living: [instance], leaving: [], dismissed: [],
  }];
}

/** The serial in the id of an instance: `shop#12` → 12 */
export function serialOf(id: InstanceId): number {
  return Number(id.slice(id.lastIndexOf('#') + 1));
}

function recallVassal(vassal: StoredVassal, recollection: Recollection): Remembered {
  const { id, name, source, stamp, want, scale, rejected, failure, exited, restarts, newest } = vassal;
  const good = vassal.good === null ? null : runnable(id, vassal.good, recollection);
  const alive = vassal.instances.flatMap((stored) => {
    const instance = recallInstance(id, stored, good, recollection);
    if (instance === null) return [];
    if (recollection.adopt(name, instance)) return [{ instance, leaving: stored.leaving, told: stored.leaving && !stored.draining }];
    recollection.ended(name, instance);
    return [];
  });
  const candidates = alive.filter((each) => !each.leaving).map((each) => each.instance);
  const serves = servingOf(candidates, scale);
  const living = candidates.filter((each) => each.generation === serves?.generation);
  const leaving = alive.filter(({ told }) => told).map(({ instance }) => instance);
  const dismissed = alive.filter(({ instance, told }) => !told && !living.includes(instance)).map(({ instance }) => instance);
  // Then its file has not been acted upon to the end.
  const overlapped = serves !== undefined && vassal.instances.some((each) => !each.leaving && each.generation > serves.generation);
  // One that reloads in place may not have been told yet: what it is to run has never been seen to be ready.
  const refreshed = serves !== undefined && serves.readyMs !== null && serves.runs.spec.reload.kind === 'channel' && good !== null && good.number !== serves.runs.number;
  const cutShort = overlapped || refreshed;
  const pinned = vassal.pinned === null ? null : runnable(id, vassal.pinned, recollection);
  return { id, name, source, stamp, cutShort, want, scale, pinned, rejected, failure, exited, restarts, newest, good, living, leaving, dismissed };
}

/**
 * In a reload that was cut short, the generation that had proved itself serves on: the newest of which all were ready and that was no canary, else the oldest.
 * @param candidates those that live and were not told to die
 */
function servingOf(candidates: readonly Instance[], scale: number | null): Instance | undefined {
  const ready = candidates.filter((each) => each.readyMs !== null).sort((a, b) => b.generation - a.generation);
  const proven = ready.find(({ generation, runs: { spec } }) => {
    const whole = ready.filter((each) => each.generation === generation).length >= (scale ?? spec.instances);
    return whole && (spec.canary === null || spec.roll);
  });
  return proven ?? ready.at(-1) ?? candidates[0];
}

/** null: it has no process. One that was started and not recorded any more is found by its marks. */
function recallInstance(id: VassalId, stored: StoredInstance, good: Runnable | null, recollection: Recollection): Instance | null {
  const { now, found, unknown } = recollection;
  const process = stored.process ?? found.get(stored.id)?.process ?? null;
  if (process === null) return null;
  const { spec } = runnable(id, stored.revision, recollection) ?? good ?? { spec: unknown };
  const onOurClock = (at: number): number => now.ms - (now.at - at);
  return {
    id: stored.id,
    serial: stored.serial,
    generation: stored.generation,
    status: null,
    runs: { number: stored.revision.number, spec },
    process,
    bornMs: onOurClock(stored.bornAt),
    bornAt: stored.bornAt,
    readyMs: stored.readyAt === null ? null : onOurClock(stored.readyAt),
    readyAt: stored.readyAt,
    adopted: true,
  };
}

function runnable(id: VassalId, { number, ...read }: StoredText, { parse }: Recollection): Runnable | null {
  const outcome = parse({ id, ...read });
  return outcome.ok ? { number, spec: outcome.spec } : null;
}
