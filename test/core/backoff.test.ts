import { expect, it } from 'vitest';
import { respite } from '../../src/core/backoff.ts';

const policy = { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0, resetAfterMs: 60_000 };

it.each([
  { deaths: 0, ready: 5_000, waits: 0, counts: 1, name: 'the first death of a ready instance is answered at once' },
  { deaths: 1, ready: 5_000, waits: 250, counts: 2, name: 'the second one waits' },
  { deaths: 2, ready: 5_000, waits: 500, counts: 3, name: 'the third one waits twice as long' },
  { deaths: 0, ready: null, waits: 250, counts: 2, name: 'a death before readiness always waits' },
  { deaths: 4, ready: null, waits: 2_000, counts: 5, name: 'early deaths wait longer and longer' },
  { deaths: 40, ready: null, waits: 60_000, counts: 41, name: 'no wait is longer than the greatest' },
  { deaths: 9, ready: 59_999, waits: 60_000, counts: 10, name: 'an instance that is not loyal yet clears nothing' },
  { deaths: 9, ready: 60_000, waits: 0, counts: 1, name: 'a loyal one clears what was before it' },
])('$name', ({ deaths, ready, waits, counts }) => {
  expect(respite(policy, deaths, ready, 'shop')).toEqual({ waitMs: waits, deaths: counts });
});

it('spreads vassals that die together, within the jitter', () => {
  const waits = Array.from({ length: 200 }, (_, each) => respite({ ...policy, jitter: 0.2 }, 3, null, `shop${each}`).waitMs);
  expect(new Set(waits).size).toBeGreaterThan(50);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(800);
  expect(Math.max(...waits)).toBeLessThanOrEqual(1_200);
});
