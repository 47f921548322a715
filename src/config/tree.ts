import type { Fault } from '../core/fault.ts';

/** What every syntax is read into. Lines count from 1. */
export type Node = Scalar | List | Table;

/** One value. */
export interface Scalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written in the file, without quotes: keeps `022` and `1.10` apart from 22 and 1.1. */
  readonly source: string;
  readonly line: number;
}

/** Several values. */
export interface List {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly line: number;
  /** True if the file has no list but the same key several times, as ini and xml allow. */
  readonly repeated: boolean;
}

/** Keys in the order of the file. A Map: keys like `__proto__` mean nothing to it. */
export interface Table {
  readonly kind: 'table';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly line: number;
}

/** A key of a table. */
export interface Entry {
  /** Where the key stands. */
  readonly line: number;
  readonly value: Node;
}

/** What a reader of a syntax answers: the tree, or every fault that it found. It never throws. */
export type Reading =
  | { readonly ok: true; readonly tree: Table }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads a text. `file` only goes into the faults. */
export type Reader = (text: string, file: string) => Reading;

/** The section that belongs to uWSGI: readers note that it is there and leave its content alone. */
export const FOREIGN = 'uwsgi';

/** Deepest nesting that a reader follows. */
export const DEEPEST = 64;

/** @param source defaults to the value as text */
export function scalar(value: Scalar['value'], line: number, source: string = String(value)): Scalar {
  return { kind: 'scalar', value, source, line };
}

export function list(items: readonly Node[], line: number, repeated = false): List {
  return { kind: 'list', items, line, repeated };
}

export function table(entries: ReadonlyMap<string, Entry>, line: number): Table {
  return { kind: 'table', entries, line };
}
