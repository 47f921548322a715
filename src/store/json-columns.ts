import type { Basis } from '../core/basis.ts';
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

/** What a text was read with, as the property that it is in; none: nothing but itself. What cannot be understood is left out, and a text that needed it is refused. */
export function basisIn(row: unknown, column: string): { readonly basis?: Basis } {
  const { owner, defaults, printed, address } = parsed(row, column) ?? {};
  const basis: Basis = { ...(isOwner(owner) ? { owner } : {}), ...(isDefaults(defaults) ? { defaults } : {}), ...(printed === true ? { printed } : {}), ...(typeof address === 'string' ? { address } : {}) };
  return Object.keys(basis).length === 0 ? {} : { basis };
}

function isOwner(value: unknown): value is NonNullable<Basis['owner']> {
  return typeof value === 'object' && value !== null && 'uid' in value && isCount(value.uid) && 'gid' in value && isCount(value.gid);
}

function isDefaults(value: unknown): value is NonNullable<Basis['defaults']> {
  return typeof value === 'object' && value !== null && 'file' in value && typeof value.file === 'string' && 'text' in value && typeof value.text === 'string';
}

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
