import { describe, expect, it } from 'vitest';
import { ENTRIES_KEPT } from '../../src/store/history.ts';
import { REVISIONS_KEPT } from '../../src/store/revisions.ts';
import { KEPT_MS } from '../../src/store/sqlite-store.ts';
import { openStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { changeOf, entryOf, forgetting, idOf, instanceOf, readyWith, revisionOf, SOME_TIME, vassalOf } from './samples.ts';

const all = { name: null, limit: ENTRIES_KEPT, after: null };

function openAt(at: number, folder: string): Store {
  return openStore(folder, { now: () => at, onTrouble: () => expect.unreachable() });
}

describe('what a store lets go of', () => {
  it('is the oldest history, when it has grown long', () => {
    using store = openQuietly(temporaryFolder());
    const thousand = Array.from({ length: 1_000 }, () => entryOf('shop'));
    for (let sent = 0; sent < ENTRIES_KEPT + 5_000; sent += thousand.length) store.record(changeOf([], thousand));
    const kept = store.history({ ...all, limit: 1, after: 0 });
    expect(kept[0]?.sequence).toBeGreaterThan(1_000);
    expect(kept[0]?.sequence).toBeLessThanOrEqual(5_001);
    expect(store.history({ ...all, limit: 1 })[0]?.sequence).toBe(ENTRIES_KEPT + 5_000);
  });

  it('is history of more than 90 days ago, with the first change of a new life', () => {
    const folder = temporaryFolder();
    const before = openAt(SOME_TIME, folder);
    before.record(changeOf([vassalOf('shop')], [entryOf('shop', { at: SOME_TIME - KEPT_MS }), entryOf('shop')]));
    before[Symbol.dispose]();
    using later = openAt(SOME_TIME + 1, folder);
    later.record(changeOf([vassalOf('shop')]));
    expect(later.history(all).map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('is a vassal that was forgotten more than 90 days ago, but not the numbers of its instances', () => {
    const folder = temporaryFolder();
    const before = openAt(SOME_TIME, folder);
    before.record(changeOf([vassalOf('shop', { state: readyWith(instanceOf('shop', 9)) })]));
    before.record(forgetting('shop'));
    before[Symbol.dispose]();
    const later = openAt(SOME_TIME + KEPT_MS, folder);
    later.record(changeOf([]));
    expect(later.load().forgotten).toHaveLength(1);
    later[Symbol.dispose]();
    using latest = openAt(SOME_TIME + KEPT_MS + 1, folder);
    latest.record(changeOf([]));
    expect(latest.load()).toEqual({ vassals: [], forgotten: [], nextSerial: 10 });
    expect(latest.revisions(idOf('shop'))).toEqual([]);
  });

  it('is the oldest revisions of a vassal, but neither the good one, nor the one that an operator went back to, nor one that runs', () => {
    using store = openQuietly(temporaryFolder());
    const runs = instanceOf('shop', 1, { runs: { ...instanceOf('shop', 1).runs, number: 2 } });
    const good = { ...runs.runs, number: 3 };
    const pinned = { ...runs.runs, number: 5 };
    const last = REVISIONS_KEPT + 10;
    for (let number = 1; number <= last; number += 1) {
      store.record(changeOf([vassalOf('shop', { newest: revisionOf(number), good, pinned, state: readyWith(runs) })]));
    }
    const kept = store.revisions(idOf('shop')).map(({ number }) => number);
    expect(kept).toEqual([2, 3, 5, ...Array.from({ length: REVISIONS_KEPT }, (_, index) => 11 + index)]);
    expect(store.load().vassals).toMatchObject([{ good: { number: 3, text: 'text 3' }, pinned: { number: 5, text: 'text 5' }, instances: [{ revision: { text: 'text 2' } }] }]);
  });
});
