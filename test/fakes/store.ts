import type { Change } from '../../src/core/history.ts';
import { living } from '../../src/core/lifecycle.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { Instance, Runnable, Vassal } from '../../src/core/state.ts';
import { EmperorError } from '../../src/errors.ts';
import type { HistoryQuery, Memory, Store, StoredEntry, StoredInstance, StoredRevision, StoredVassal, StoredText } from '../../src/store/store.ts';

/** A store in memory. It outlives its closing: what a later emperor would load can be loaded from the same object. */
export class FakeStore implements Store {
  /** Every change that was recorded, for tests that look at what was written and when. */
  readonly changes: Change[] = [];
  /** While true, the disk is full: nothing can be written. */
  broken = false;
  closed = false;

  readonly #now: () => number;
  readonly #vassals = new Map<VassalId, Kept>();
  readonly #entries: StoredEntry[] = [];
  #highestSerial = 0;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  record(change: Change): void {
    if (this.broken) throw new EmperorError('E_STORE', 'cannot write to the database: the disk is full (by order of the test)');
    this.changes.push(change);
    for (const [id, vassal] of change.vassals) {
      const kept = this.#vassals.get(id);
      if (vassal !== null) this.#vassals.set(id, keep(vassal, kept, this.#now()));
      else if (kept !== undefined) this.#vassals.set(id, { ...kept, forgotten: true, alive: [] });
      for (const { serial } of vassal === null ? [] : living(vassal)) this.#highestSerial = Math.max(this.#highestSerial, serial);
    }
    for (const entry of change.history) {
      this.#entries.push({ ...entry, sequence: this.#entries.length + 1 });
      if (entry.instance !== null) this.#highestSerial = Math.max(this.#highestSerial, Number(entry.instance.split('#').at(-1)));
    }
  }

  load(): Memory {
    const sorted = [...this.#vassals.values()].sort((a, b) => (a.vassal.id < b.vassal.id ? -1 : 1));
    return {
      vassals: sorted.filter((each) => !each.forgotten).map(storedVassal),
      forgotten: sorted.filter((each) => each.forgotten).flatMap(({ vassal: { id }, revisions }) => {
        const newest = revisions.at(-1);
        return newest === undefined ? [] : [{ id, newest: { number: newest.number, hash: newest.hash } }];
      }),
      nextSerial: this.#highestSerial + 1,
    };
  }

  history({ name, limit, after }: HistoryQuery): readonly StoredEntry[] {
    const matching = this.#entries.filter((entry) => (name === null || entry.name === name) && (after === null || entry.sequence > after));
    return after === null ? matching.slice(Math.max(0, matching.length - limit)) : matching.slice(0, limit);
  }

  revisions(vassal: VassalId): readonly StoredRevision[] {
    return this.#vassals.get(vassal)?.revisions ?? [];
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

interface Kept {
  readonly vassal: Vassal;
  readonly forgotten: boolean;
  readonly revisions: readonly StoredRevision[];
  readonly alive: readonly Instance[];
}

function keep(vassal: Vassal, kept: Kept | undefined, now: number): Kept {
  const known = kept?.revisions ?? [];
  const alive = living(vassal).toSorted((a, b) => b.serial - a.serial);
  const { newest } = vassal;
  if (newest === null) return { vassal, forgotten: false, revisions: known, alive };
  const { number, hash, text, basis } = newest;
  const at = known.find((each) => each.number === number && each.hash === hash)?.at ?? now;
  const others = known.filter((each) => each.number !== number);
  const revisions = [...others, { number, hash, text, ...(basis === undefined ? {} : { basis }), at, runnable: newest.outcome.ok }].sort((a, b) => a.number - b.number);
  return { vassal, forgotten: false, revisions, alive };
}

function storedVassal({ vassal, revisions, alive }: Kept): StoredVassal {
  const { id, name, source, stamp, want, scale, rejected, failure, restarts } = vassal;
  const textOf = (number: number): StoredText | null => {
    const found = revisions.find((each) => each.number === number);
    return found === undefined ? null : { number, text: found.text, ...(found.basis === undefined ? {} : { basis: found.basis }) };
  };
  const withText = (runs: Runnable | null): StoredVassal['good'] => (runs === null ? null : textOf(runs.number));
  const newest = revisions.at(-1);
  const instances = alive.map((instance): StoredInstance => ({
    id: instance.id,
    serial: instance.serial,
    generation: instance.generation,
    revision: textOf(instance.runs.number) ?? { number: instance.runs.number, text: '' },
    process: instance.process,
    bornAt: instance.bornAt,
    readyAt: instance.readyAt,
    leaving: vassal.leaving.some((each) => each.instance === instance),
    draining: vassal.leaving.some((each) => each.instance === instance && each.stage === 'draining'),
  }));
  return {
    id, name, source, stamp, want, scale, rejected, failure, restarts, instances,
    exited: vassal.state.phase === 'exited' ? vassal.state.status : null,
    newest: newest === undefined ? null : { number: newest.number, hash: newest.hash },
    good: withText(vassal.good),
    pinned: withText(vassal.pinned),
  };
}
