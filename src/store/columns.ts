import type { ExitStatus } from '../core/state.ts';
import { EmperorError, unreachable } from '../errors.ts';

/** Reads one column of a row as one type. Rows come from a file that anybody may have edited: nothing is taken on trust. */
export type Reader<T> = (row: unknown, column: string) => T;

/** @throws EmperorError E_STORE if the column holds anything else */
export const text: Reader<string> = (row, column) => {
  const value = valueOf(row, column);
  return typeof value === 'string' ? value : refuse(column, value, 'a text');
};

/** @throws EmperorError E_STORE if the column holds anything else */
export const integer: Reader<number> = (row, column) => {
  const value = valueOf(row, column);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(column, value, 'an integer');
};

/** Zero or one, as SQLite keeps truth. */
export const flag: Reader<boolean> = (row, column) => integer(row, column) === 1;

/** NULL, or what another reader reads. */
export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (row, column) => (valueOf(row, column) === null ? null : read(row, column));
}

/** One of some words. */
export function oneOf<const Words extends readonly string[]>(words: Words): Reader<Words[number]> {
  return (row, column) => words.find((word) => word === valueOf(row, column)) ?? refuse(column, valueOf(row, column), `one of ${words.join(', ')}`);
}

/** The columns `exit_kind`, `exit_code` and `exit_signal` together; null: it did not end. */
export function exitStatus(row: unknown): ExitStatus | null {
  const kind = orNull(oneOf(['exited', 'killed', 'unknown']))(row, 'exit_kind');
  switch (kind) {
    case null:
      return null;
    case 'exited':
      return { kind, code: integer(row, 'exit_code') };
    case 'killed':
      return { kind, signal: text(row, 'exit_signal') };
    case 'unknown':
      return { kind };
    default:
      return unreachable(kind);
  }
}

/** The same the other way round: what to bind to the three columns. */
export function exitColumns(status: ExitStatus | null): readonly [kind: string | null, code: number | null, signal: string | null] {
  return [status?.kind ?? null, status?.kind === 'exited' ? status.code : null, status?.kind === 'killed' ? status.signal : null];
}

function valueOf(row: unknown, column: string): unknown {
  return typeof row === 'object' && row !== null ? (row as Readonly<Record<string, unknown>>)[column] : undefined;
}

function refuse(column: string, value: unknown, wanted: string): never {
  throw new EmperorError('E_STORE', `cannot read the database: column ${column} holds ${JSON.stringify(value)} and not ${wanted}`);
}
