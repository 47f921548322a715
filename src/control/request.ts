import { EmperorError, unreachable } from '../errors.ts';
import { parseDuration } from '../core/duration.ts';
import { MAX_INSTANCES, MAX_REVISION, type Demand, type OrderVerb } from './protocol.ts';

/** Vassals that one order may name. */
export const MAX_NAMES = 100_000;

/** The parameters of a query, each given once, and none but those. @throws E_REQUEST */
export function queryOf<K extends string>(query: unknown, known: readonly K[]): Readonly<Partial<Record<K, string>>> {
  const parsed: Partial<Record<K, string>> = {};
  for (const [key, value] of Object.entries(record(query))) {
    const name = known.find((each) => each === key);
    if (name === undefined) throw malformed(`unknown parameter ${JSON.stringify(key)}; there is ${known.join(', ')}`);
    if (typeof value !== 'string') throw malformed(`the parameter ${key} is given twice`);
    parsed[name] = value;
  }
  return parsed;
}

/** The vassal name in a path. @throws E_REQUEST */
export function nameOf(params: unknown): string {
  return text(record(params)['name'], 'the name of a vassal');
}

/** The names in the body of an order: `{"names":["shop"]}`. @throws E_REQUEST */
export function namesOf(body: unknown): readonly string[] {
  const names = record(body)['names'];
  if (!Array.isArray(names) || names.length === 0) throw malformed('the body has to be {"names":["…"]} with at least one name');
  if (names.length > MAX_NAMES) throw malformed(`at most ${MAX_NAMES} names at once`);
  return names.map((name: unknown) => text(name, 'the name of a vassal'));
}

/** What an order says beyond its names: `{"names":["shop"],"instances":3}`, `{"names":["shop"],"revision":2}`. @throws E_REQUEST */
export function demandOf(verb: OrderVerb, body: unknown): Demand {
  const { instances, revision } = record(body);
  switch (verb) {
    case 'scale':
      return { verb, instances: wholeNumber(instances, 'instances', MAX_INSTANCES) };
    case 'rollback':
      return { verb, revision: revision === undefined || revision === null ? null : wholeNumber(revision, 'revision', MAX_REVISION) };
    case 'start':
    case 'stop':
    case 'restart':
    case 'reload':
    case 'pause':
    case 'resume':
      return { verb };
    default:
      return unreachable(verb);
  }
}

/** The number of a revision in a query; null: none is given. @throws E_REQUEST */
export function revisionNumber(value: string | undefined, name: string): number | null {
  return value === undefined ? null : wholeNumber(/^\d{1,9}$/.test(value) ? Number(value) : value, name, MAX_REVISION);
}

/** A yes or no, `1` or `0`, in a query. @throws E_REQUEST */
export function flag(value: string | undefined, name: string): boolean {
  if (value === undefined || value === '0') return false;
  if (value === '1') return true;
  throw malformed(`${name} has to be 0 or 1`);
}

/** A count in a query, from 0. @throws E_REQUEST */
export function count(value: string | undefined, name: string, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= most)) throw malformed(`${name} has to be a whole number from 0 to ${most}`);
  return number;
}

/** A duration in a query, in ms: more than nothing, at most a day. @throws E_REQUEST */
export function durationMs(value: string, name: string): number {
  const ms = parseDuration(value);
  if (ms === null || ms <= 0 || ms > 86_400_000) throw malformed(`${name} has to be a duration like 500ms, 30s or 5m, at most 24h`);
  return ms;
}

/** An error that says what is wrong with a request. */
export function malformed(message: string): EmperorError {
  return new EmperorError('E_REQUEST', message);
}

function wholeNumber(value: unknown, name: string, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) throw malformed(`${name} has to be a whole number from 1 to ${most}`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw malformed(`${what} has to be a text that is not empty`);
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
