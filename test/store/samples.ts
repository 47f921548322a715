import type { Change, HistoryEntry } from '../../src/core/history.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { Instance, InstanceId, Proof, Revision, Vassal } from '../../src/core/state.ts';
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
    runs: { number: 1, spec: specOf() },
    process: proofOf(serial),
    bornMs: 10.5,
    bornAt: SOME_TIME,
    readyMs: null,
    readyAt: null,
    adopted: false,
    ...changes,
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
    want: 'up',
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
