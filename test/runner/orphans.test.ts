import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { reapOrphans } from '../../src/runner/orphans.ts';
import { HandClock } from '../fakes/clock.ts';

function nursery(): { readonly clock: HandClock; readonly signals: EventEmitter; readonly zombies: Set<number>; readonly reaped: number[]; readonly end: Disposable } {
  const [clock, signals, zombies, reaped] = [new HandClock(0), new EventEmitter(), new Set<number>(), [] as number[]];
  const end = reapOrphans({ clock, signals, ended: () => [...zombies], reap: (pid) => { reaped.push(pid); zombies.delete(pid); } });
  return { clock, signals, zombies, reaped, end };
}

it('takes leave of what has ended and is still there a second later', () => {
  const { clock, signals, zombies, reaped } = nursery();
  zombies.add(7);
  signals.emit('SIGCHLD');
  clock.advance(999);
  expect(reaped).toEqual([]);
  clock.advance(1);
  expect(reaped).toEqual([7]);
});

it('leaves those alone for whom somebody waits', () => {
  const { clock, signals, zombies, reaped } = nursery();
  zombies.add(7);
  signals.emit('SIGCHLD');
  clock.advance(500);
  zombies.delete(7);
  clock.advance(10_000);
  expect(reaped).toEqual([]);
  expect(clock.waiting).toBe(0);
});

it('forgets none that ends while it waits: one signal may stand for several', () => {
  const { clock, signals, zombies, reaped } = nursery();
  zombies.add(7);
  signals.emit('SIGCHLD');
  clock.advance(500);
  zombies.add(8);
  clock.advance(500);
  expect(reaped).toEqual([7]);
  clock.advance(1_000);
  expect(reaped).toEqual([7, 8]);
  expect(clock.waiting).toBe(0);
});

it('ends with its owner', () => {
  const { clock, signals, end } = nursery();
  end[Symbol.dispose]();
  expect(signals.eventNames()).toEqual([]);
  expect(clock.waiting).toBe(0);
});
