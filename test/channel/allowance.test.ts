import { expect, it } from 'vitest';
import { fullAllowance, spend } from '../../src/channel/allowance.ts';

/** How many reads one gets that always has something to say, in so many ms. */
function readsIn(ms: number): number {
  let allowance = fullAllowance(0);
  let nowMs = 0;
  let reads = 0;
  while (nowMs <= ms) {
    const spent = spend(allowance, nowMs);
    ({ allowance } = spent);
    reads += 1;
    nowMs += spent.waitMs;
  }
  return reads;
}

it.each([[0, 64], [1_000, 84], [10_000, 264], [100_000, 2_064]])('one that never pauses is read from in %i ms about %i times', (ms, reads) => {
  expect(Math.abs(readsIn(ms) - reads)).toBeLessThanOrEqual(2);
});

it('one that speaks ten times a second never waits', () => {
  let allowance = fullAllowance(0);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
    const spent = spend(allowance, nowMs);
    ({ allowance } = spent);
    expect(spent.waitMs).toBe(0);
  }
});

it('a clock that stands still or goes back gives nothing', () => {
  expect(spend({ left: 0, atMs: 1_000 }, 0)).toEqual({ allowance: { left: -1, atMs: 0 }, waitMs: 100 });
});
