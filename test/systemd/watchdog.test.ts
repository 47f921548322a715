import { describe, expect, it } from 'vitest';
import { keepAlive, watchdogPeriodMs } from '../../src/systemd/watchdog.ts';
import { HandClock } from '../fakes/clock.ts';

describe('the watchdog', () => {
  it.each([
    ['half of what systemd says', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '42' }, 15_000],
    ['also where it does not say for whom', { WATCHDOG_USEC: '3000000' }, 1_500],
    ['never, without it', {}, null],
    ['never, where it means another process', { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '41' }, null],
    ['never, for what is no number', { WATCHDOG_USEC: '0' }, null],
  ])('is spoken to: %s', (_what, environment, expected) => {
    expect(watchdogPeriodMs(environment, 42)).toBe(expected);
  });

  it('hears of the loop at once, in each period, and as the last thing', () => {
    const clock = new HandClock();
    const said: string[] = [];
    const alive = keepAlive({ say: (lines) => said.push(...lines) }, clock, 1_500);
    expect(said).toHaveLength(1);
    clock.advance(3_000);
    expect(said).toEqual(Array.from({ length: 3 }, () => 'WATCHDOG=1'));
    alive[Symbol.dispose]();
    expect(said).toHaveLength(4);
    clock.advance(10_000);
    expect(said).toHaveLength(4);
  });
});
