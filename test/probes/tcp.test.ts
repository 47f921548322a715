import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/probes/prober.ts';
import { askTcp } from '../../src/probes/tcp.ts';
import type { Way } from '../../src/probes/way.ts';
import { HandClock } from '../fakes/clock.ts';
import { until } from '../until.ts';
import { serve } from './stage.ts';

interface Asking {
  readonly clock: HandClock;
  readonly answer: Promise<Answer>;
  /** How many wait; null until it was asked for. */
  looks: number;
  over(): void;
}

/** @param waiting how many connections wait at each look; the last one stays */
function ask(way: Way, waiting: readonly number[] | null): Asking {
  const clock = new HandClock();
  const control = new AbortController();
  const asking: Asking = {
    clock,
    looks: 0,
    over: () => control.abort(),
    answer: askTcp({
      way,
      clock,
      signal: control.signal,
      timeoutMs: 250,
      pending: waiting === null ? null : () => waiting[Math.min(asking.looks++, waiting.length - 1)] ?? 0,
    }),
  };
  return asking;
}

const GOOD: Answer = { good: true, text: 'accepted a connection' };

describe('a question by TCP', () => {
  it.each(['tcp', 'unix'] as const)('is answered by a connection, over %s', async (kind) => {
    await using place = await serve(() => {}, kind);
    const asking = ask(place.way, null);
    expect(await asking.answer).toEqual(GOOD);
    expect(asking.clock.waiting).toBe(0);
    await until(() => expect(place.connections.every(({ destroyed }) => destroyed)).toBe(true));
  });

  it.each([
    ['nothing waits', [0]],
    ['it was the only one that waited', [1, 1, 0]],
    ['as many were taken as had waited, while others came', [3, 3, 2, 4, 2]],
  ])('where the emperor holds the socket, is answered when %s', async (_, waiting) => {
    await using place = await serve(() => {});
    const asking = ask(place.way, waiting);
    // One look is two calls at the beginning, and one every 10 ms.
    for (let look = 2; look <= waiting.length; look++) {
      await until(() => expect(asking.looks).toBe(look));
      asking.clock.advance(10);
    }
    expect(await asking.answer).toEqual(GOOD);
    expect(asking.clock.waiting).toBe(0);
  });

  it('is not answered while it may still wait', async () => {
    await using place = await serve(() => {});
    const asking = ask(place.way, [3, 3, 2, 5, 4]);
    await until(() => expect(asking.looks).toBe(2));
    asking.clock.advance(200);
    asking.over();
    expect(await asking.answer).toEqual({ good: false, text: 'it did not accept a connection within 250 ms' });
    expect(asking.clock.waiting).toBe(0);
  });

  it.each<[string, (socket: Socket) => void]>([['something is said', (socket) => socket.write('220 hello\r\n')], ['it is ended', (socket) => socket.end()]])(
    'where the emperor holds the socket, is answered when %s', async (_, act) => {
      await using place = await serve(act);
      expect(await ask(place.way, [1]).answer).toEqual(GOOD);
    });

  it('is badly answered by a reset', async () => {
    const place = await serve((socket) => void socket.resetAndDestroy());
    expect(await ask(place.way, [1]).answer).toEqual({ good: false, text: 'connection reset' });
    await place[Symbol.asyncDispose]();
    expect(await ask(place.way, null).answer).toEqual({ good: false, text: 'connection refused' });
  });
});
