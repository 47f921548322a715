import type { Change, HistoryEntry } from '../../src/core/history.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { Failure, Generation, Instance, InstanceId, Leaving, Place, Proof, Revision, Vassal, VassalState } from '../../src/core/state.ts';
import { specOf } from '../fakes/declaration.ts';

/** A wall time like any other: 2026-11-21T08:50:00Z. */
export const SOME_TIME = 1_795_251_000_000;

export function idOf(name: string): VassalId {
  return `/v/${name}.toml` as VassalId;
}

export function revisionOf(number: number, text = `text ${number}`, runnable = true): Revision {
  return { number, hash: `hash of ${text}`, text, outcome: runnable ? { ok: true, spec: specOf() } : { ok: false, faults: [] } };
}

export function proofOf(serial: number): Proof {
  return { pid: 4_000 + serial, startTicks: 10_000_000_000 + serial, bootId: 'b00t' };
}

export function instanceOf(name: string, serial: number, changes: Partial<Instance> = {}): Instance {
  return {
    id: `${name}#${serial}` as InstanceId,
    serial,
    generation: 1,
    runs: { number: 1, spec: specOf() },
    process: proofOf(serial),
    bornMs: 10.5,
    bornAt: SOME_TIME,
    readyMs: null,
    readyAt: null,
    adopted: false,
    status: null,
    ...changes,
  };
}

/** The generation of these instances, each of which is ready, or `starting`. */
export function generationOf(instances: readonly Instance[], phase: 'ready' | 'starting' = 'ready'): Generation {
  const [first] = instances;
  const places = instances.map((instance): Place => (
    phase === 'ready' ? { phase, instance, sinceMs: 0, watchdogMs: null, loyalMs: null } : { phase, instance, dueMs: null, failAtMs: null, answer: null }
  ));
  return { number: first?.generation ?? 1, runs: first?.runs ?? { number: 1, spec: specOf() }, places, proven: phase === 'ready' };
}

/** The state of a vassal in which these instances are ready. */
export function readyWith(...instances: readonly Instance[]): VassalState {
  return { phase: 'ready', current: generationOf(instances) };
}

/** An overlap: `next` is started beside `current`. */
export function reloadingWith(current: Instance, next: Instance): VassalState {
  return { phase: 'reloading', current: generationOf([current]), next: generationOf([next], 'starting'), stage: { kind: 'judging', rolled: 0 } };
}

export function leaverOf(instance: Instance): Leaving {
  return { instance, stage: 'told', dueMs: 1 };
}

export function failureOf(changes: Partial<Failure> = {}): Failure {
  return {
    revision: 1, code: 'E_EXITED', message: 'it exited with code 3', at: SOME_TIME, instance: 'shop#1' as InstanceId, output: ['no module "shop"', '☃ \u0000'], ...changes,
  };
}

/** A vassal of which nothing runs. */
export function vassalOf(name: string, changes: Partial<Vassal> = {}): Vassal {
  return {
    id: idOf(name),
    name,
    source: 'dir:///v',
    newest: revisionOf(1),
    numbered: 1,
    unread: false,
    stamp: 'stamp 1',
    rejected: false,
    good: null,
    pinned: null,
    scale: null,
    need: null,
    want: 'up',
    generations: 1,
    state: { phase: 'stopped' },
    leaving: [],
    failure: null,
    restarts: 0,
    deaths: 0,
    ...changes,
  };
}

export function entryOf(name: string, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    at: SOME_TIME,
    vassal: idOf(name),
    name,
    instance: null,
    pid: null,
    revision: 1,
    event: 'touched',
    from: 'ready',
    to: null,
    why: 'its file was touched',
    actor: null,
    status: null,
    ...changes,
  };
}

export function changeOf(vassals: readonly Vassal[], history: readonly HistoryEntry[] = []): Change {
  return { vassals: new Map(vassals.map((vassal) => [vassal.id, vassal])), history };
}

export function forgetting(name: string, history: readonly HistoryEntry[] = []): Change {
  return { vassals: new Map([[idOf(name), null]]), history };
}
