import { describe, expect, it } from 'vitest';
import { Losses, type Loss } from '../../src/logs/losses.ts';
import { HandClock } from '../fakes/clock.ts';

function open(): { clock: HandClock; losses: Losses; told: Loss[] } {
  const clock = new HandClock(Date.UTC(2026, 0, 1));
  const told: Loss[] = [];
  return { clock, told, losses: new Losses(clock, (loss) => told.push(loss)) };
}

describe('lost output', () => {
  it('is told of at once, then at intervals with the sum, then finally', () => {
    const { clock, losses, told } = open();
    losses.add(1, 10, 'ENOSPC');
    for (let second = 1; second <= 9; second++) {
      clock.advance(1_000);
      losses.add(1, 10, 'ENOSPC');
    }
    clock.advance(1_000);
    losses.works();
    clock.advance(60_000);
    expect(told).toEqual([
      { lines: 1, bytes: 10, reason: 'ENOSPC', over: false },
      { lines: 5, bytes: 50, reason: 'ENOSPC', over: false },
      { lines: 10, bytes: 100, reason: 'ENOSPC', over: false },
      { lines: 10, bytes: 100, reason: 'ENOSPC', over: true },
    ]);
    expect(clock.waiting).toBe(0);
  });

  it('is told of at most once in 5 s, however often writing works and fails', () => {
    const { clock, losses, told } = open();
    for (let tenth = 0; tenth < 100; tenth++) {
      losses.add(1, 1, 'ENOSPC');
      losses.works();
      clock.advance(100);
    }
    expect(told.length).toBeLessThanOrEqual(3);
    clock.advance(60_000);
    expect(told.filter((loss) => loss.over).reduce((sum, loss) => sum + loss.lines, 0)).toBe(100);
  });

  it('is not told of again while nothing more is lost, until it is over', () => {
    const { clock, losses, told } = open();
    losses.add(1, 1, 'EIO');
    clock.advance(3_600_000);
    expect(told).toHaveLength(1);
    losses.works();
    expect(told.at(-1)).toEqual({ lines: 1, bytes: 1, reason: 'EIO', over: true });
  });

  it('starts to count anew after it was over', () => {
    const { clock, losses, told } = open();
    losses.add(7, 70, 'EIO');
    losses.works();
    clock.advance(60_000);
    losses.add(1, 1, 'EROFS');
    expect(told.at(-1)).toEqual({ lines: 1, bytes: 1, reason: 'EROFS', over: false });
  });

  it('is told of when the log is closed', () => {
    const { clock, losses, told } = open();
    losses.add(1, 1, 'EIO');
    losses.add(1, 1, 'EIO');
    losses.close();
    expect(told.at(-1)).toMatchObject({ lines: 2, over: false });
    expect(clock.waiting).toBe(0);
  });

  it('is no matter while writing works', () => {
    const { clock, losses, told } = open();
    losses.works();
    losses.close();
    expect([told, clock.waiting]).toEqual([[], 0]);
  });
});
