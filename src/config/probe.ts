import type { Probe } from '../core/spec.ts';
import { presentIn, tellConflict, type Asked } from './asked.ts';
import type { Given } from './keys.ts';
import type { Listening } from './listening.ts';
import type { ProbeKeys } from './probe-keys.ts';
import { targetOf } from './target.ts';

/** The keys that ask, of which a table has one. */
export const QUESTIONS = ['http', 'tcp', 'command'] as const;

const DEFAULT_STATUS: readonly [number, number] = [200, 399];

/** The probe that `question` asks; undefined: it could not be read, or has nobody to ask, which was told. */
export function probeOf(asked: Asked, table: 'ready' | 'health', question: (typeof QUESTIONS)[number], listening: Listening): Probe | undefined {
  const given: Given<ProbeKeys> = asked.given[table] ?? {};
  if (question === 'command') return given.command === undefined ? undefined : { kind: 'command', argv: given.command };
  const address = question === 'http' ? given.http?.address : given.tcp === true ? null : given.tcp;
  if (address === undefined || address === false) return undefined;
  const target = targetOf(asked, `${table}.${question}`, address, listening);
  if (target === undefined) return undefined;
  if (question === 'tcp') return { kind: 'tcp', target };
  return given.http === undefined ? undefined : { kind: 'http', target, path: given.http.path, status: given.status ?? DEFAULT_STATUS, body: given.body ?? null };
}

/** Tells of keys that go with a question that is not asked. @param timed those that go with every question */
export function tellIdle(asked: Asked, table: 'ready' | 'health', question: string | undefined, timed: readonly string[]): void {
  const asks = QUESTIONS.some((each) => each === question);
  for (const key of presentIn(asked, table, ['status', 'body'])) if (question !== 'http') tellConflict(asked, `${table}.${key}`, `"${table}.${key}" is of no use without "${table}.http"`, 'remove it');
  for (const key of presentIn(asked, table, timed)) if (!asks) tellConflict(asked, `${table}.${key}`, `"${table}.${key}" is of no use: nothing is asked`, `it goes with ${QUESTIONS.map((each) => `"${table}.${each}"`).join(', ')}`);
}

/** Tells that one key of a table would do. */
export function tellSeveral(asked: Asked, table: 'ready' | 'health', keys: readonly string[]): void {
  const names = keys.map((key) => `"${table}.${key}"`);
  tellConflict(asked, `${table}.${keys[1] ?? ''}`, `${names.join(' and ')} exclude each other`, 'keep one of them');
}
