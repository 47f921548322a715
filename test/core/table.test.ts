import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Table } from '../../src/core/table.ts';

it('holds what a Map would hold, and leaves the older tables as they were', () => {
  const change = fc.tuple(fc.stringMatching(/^[a-d]{1,3}$/), fc.option(fc.nat()));
  fc.assert(fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 30 }), (batches) => {
    let table = Table.empty<string, number>();
    const map = new Map<string, number>();
    const past: [Table<string, number>, Map<string, number>][] = [];
    for (const batch of batches) {
      past.push([table, new Map(map)]);
      table = table.with(batch);
      for (const [key, value] of batch) {
        if (value === null) map.delete(key);
        else map.set(key, value);
      }
    }
    for (const [each, expected] of [...past, [table, map] as const]) {
      expect(new Map(each)).toEqual(expected);
      expect(each.size).toBe(expected.size);
      expect([...each.keys()].every((key) => each.has(key) && each.get(key) === expected.get(key))).toBe(true);
      expect([...each.values()].toSorted(ascending)).toEqual([...expected.values()].toSorted(ascending));
    }
  }));
});

it('is itself when nothing changes', () => {
  const table = Table.empty<string, number>().with([['a', 1]]);
  expect(table.with([])).toBe(table);
});

function ascending(a: number, b: number): number {
  return a - b;
}
