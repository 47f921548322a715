import type { ExitStatus, Failure, InstanceId } from '../core/state.ts';
import { CODES, type Code } from '../errors.ts';
import { orNull, text, type Reader } from './columns.ts';

/** A failure as JSON; null: there is none, or it is in a form that this emperor does not know. It is shown to people, nothing is decided by it. */
export const failure: Reader<Failure | null> = (row, column) => {
  const value = parsed(row, column);
  const { revision, code, message, at, instance, output } = value ?? {};
  if (!isCount(revision) || !isCode(code) || typeof message !== 'string' || !isCount(at)) return null;
  return {
    revision, code, message, at,
    instance: typeof instance === 'string' ? (instance as InstanceId) : null,
    output: Array.isArray(output) ? output.filter((line) => typeof line === 'string') : [],
  };
};

/** How something ended, as JSON; null: it did not, or it is in a form that this emperor does not know. */
export const ending: Reader<ExitStatus | null> = (row, column) => {
  const { kind, code, signal } = parsed(row, column) ?? {};
  if (kind === 'exited' && isCount(code)) return { kind, code };
  if (kind === 'killed' && typeof signal === 'string') return { kind, signal };
  return kind === 'unknown' ? { kind } : null;
};

function parsed(row: unknown, column: string): Readonly<Record<string, unknown>> | null {
  const json = orNull(text)(row, column);
  if (json === null) return null;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(CODES, value);
}
