import { list, table, type Entry, type Node, type Table } from './tree.ts';

/** Builds a table in a syntax where a key may come again: its values then become a list. */
export interface Gathering {
  add(key: string, value: Node, line: number): void;
  /** The table under `key`, made at its first mention. */
  inside(key: string, line: number): Gathering;
  /** The table that is this item of the list under `key`, counted from 0, made at its first mention. */
  item(key: string, index: number, line: number): Gathering;
  finish(): Table;
}

/** @param line where the table begins */
export function gather(line: number): Gathering {
  const found = new Map<string, { readonly line: number; readonly values: Node[]; inner: Gathering | null; readonly items: Gathering[] }>();
  const at = (key: string, line: number) => {
    const known = found.get(key) ?? { line, values: [], inner: null, items: [] };
    found.set(key, known);
    return known;
  };
  return {
    add: (key, value, line) => void at(key, line).values.push(value),
    inside(key, line) {
      const known = at(key, line);
      return (known.inner ??= gather(line));
    },
    item: (key, index, line) => (at(key, line).items[index] ??= gather(line)),
    finish() {
      const entries = new Map<string, Entry>();
      for (const [key, { line, values, inner, items }] of found) {
        const all = [...values, ...(inner === null ? [] : [inner.finish()]), ...items.map((item) => item.finish())];
        const [only] = all;
        entries.set(key, { line, value: only !== undefined && all.length === 1 && items.length === 0 ? only : list(all, line, items.length === 0) });
      }
      return table(entries, line);
    },
  };
}
