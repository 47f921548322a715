import type { Given } from './keys.ts';
import type { Report } from './report.ts';
import type { VassalKeys } from './schema.ts';
import type { Table } from './tree.ts';

/** A vassal section as it could be read: what every rule about more than one key goes by. */
export interface Asked {
  readonly section: Table;
  readonly given: Given<VassalKeys>;
  readonly report: Report;
}

/** Where a key stands, `ready.http` too; null: nowhere. */
export function lineOf(asked: Asked, key: string): number | null {
  const [name = '', inner] = key.split('.');
  const entry = asked.section.entries.get(name);
  const within = inner !== undefined && entry?.value.kind === 'table' ? entry.value.entries.get(inner) : undefined;
  return (within ?? entry)?.line ?? null;
}

/** It is there and could not be read, which was told: a rule about it would only guess. */
export function isUnread(asked: Asked, key: keyof VassalKeys): boolean {
  return asked.section.entries.has(key) && asked.given[key] === undefined;
}

/** Tells that a key does not go with another. @param key the one to change, `ready.http` too */
export function tellConflict(asked: Asked, key: string, message: string, hint: string): undefined {
  return asked.report.tell('E_KEY_CONFLICT', message, { line: lineOf(asked, key), key, hint });
}

/** Of these keys of the table, those that the file has, in its order. */
export function presentIn<K extends string>(asked: Asked, table: keyof VassalKeys, keys: readonly K[]): readonly K[] {
  const node = asked.section.entries.get(table)?.value;
  return node?.kind === 'table' ? [...node.entries.keys()].flatMap((name) => keys.filter((key) => key === name)) : [];
}
