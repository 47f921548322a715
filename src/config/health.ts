import type { Health } from '../core/spec.ts';
import { lineOf, presentIn, type Asked } from './asked.ts';
import type { Listening } from './listening.ts';
import { probeOf, QUESTIONS, tellIdle, tellSeveral } from './probe.ts';

const DEFAULTS = { intervalMs: 10_000, timeoutMs: 5000, failures: 3, graceMs: 0 } satisfies Partial<Health>;

/** How a ready instance is seen to be well; null: it is not looked at. */
export function healthOf(asked: Asked, listening: Listening): Health | null {
  const { health } = asked.given;
  if (health === undefined) return null;
  const questions = presentIn(asked, 'health', QUESTIONS).filter((key) => health[key] !== false);
  const [question, another] = questions;
  const watched = presentIn(asked, 'health', ['watchdog']).length > 0;
  if (another !== undefined) tellSeveral(asked, 'health', questions);
  else if (question !== undefined || watched) tellIdle(asked, 'health', question, ['interval', 'timeout', 'failures', 'grace']);
  else asked.report.tell('E_KEY_MISSING', '"health" does not say what is asked', { line: lineOf(asked, 'health'), key: 'health', hint: `with one of ${[...QUESTIONS, 'watchdog'].map((key) => `"${key}"`).join(', ')}` });
  return {
    probe: (question === undefined ? undefined : probeOf(asked, 'health', question, listening)) ?? null,
    intervalMs: health.interval ?? DEFAULTS.intervalMs,
    timeoutMs: health.timeout ?? DEFAULTS.timeoutMs,
    failures: health.failures ?? DEFAULTS.failures,
    graceMs: health.grace ?? DEFAULTS.graceMs,
    watchdogMs: health.watchdog ?? null,
  };
}
