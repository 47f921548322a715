import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../src/runner/refusal.ts';
import type { Begin } from '../../../src/runner/unit/begin.ts';
import { openStarts, type Starts } from '../../../src/runner/unit/starts.ts';
import { HandClock } from '../../fakes/clock.ts';
import { instanceOf } from '../../fakes/instance.ts';
import { until } from '../../until.ts';

interface Stage {
  readonly starts: Starts;
  readonly clock: HandClock;
  /** Units whose start was begun. */
  readonly begun: string[];
  readonly refused: (readonly [instance: string, reason: string])[];
  readonly discarded: string[];
}

/** systemd never starts anything. */
function stage(): Stage {
  const clock = new HandClock();
  const begun: string[] = [];
  const refused: (readonly [string, string])[] = [];
  const discarded: string[] = [];
  const begin: Begin = ({ unit, givenUp }) => {
    begun.push(unit);
    return new Promise<Refusal>((resolve) => givenUp.addEventListener('abort', () => resolve({ code: 'E_UNIT', reason: 'given up', lasting: false })));
  };
  const starts = openStarts({
    clock,
    plan: (vassalName, instance) => ({ vassalName, instance, unit: instance.id, properties: [], descriptors: [], perl: '/usr/bin/perl', errand: { file: '/bin/true', argv: ['true'], environment: {}, tellsPid: false } }),
    output: { open: () => ({ writeFd: openSync('/dev/null', 'r') }), reopen: () => {}, finished: () => {} },
    begin,
    identify: () => Promise.resolve(null),
    discard: (unit) => Promise.resolve(void discarded.push(unit)),
    onStarted: () => {},
    onRefused: (instance, { reason }) => void refused.push([instance, reason]),
  });
  return { starts, clock, begun, refused, discarded };
}

describe('starts of units', () => {
  it('are few at a time', async () => {
    const { starts, clock, begun } = stage();
    for (let serial = 1; serial <= 6; serial += 1) starts.add({ vassalName: 'shop', instance: instanceOf(serial), sockets: [], channel: [] });
    await until(() => expect(begun).toEqual(['shop#1', 'shop#2', 'shop#3', 'shop#4']));
    const gone = starts[Symbol.asyncDispose]();
    clock.advance(10_000);
    await gone;
    expect(begun).toHaveLength(4);
  });

  it('that are not wanted any more are given up when systemd holds them up, and what may be left of them is discarded', async () => {
    const { starts, clock, begun, refused, discarded } = stage();
    const instance = instanceOf(1);
    starts.add({ vassalName: 'shop', instance, sockets: [], channel: [] });
    await until(() => expect(begun).toHaveLength(1));
    starts.hurry(instance.id);
    expect(refused).toEqual([]);
    clock.advance(3_000);
    await until(() => expect([refused, discarded]).toEqual([[['shop#1', 'given up']], ['shop#1']]));
    await starts[Symbol.asyncDispose]();
  });

  it('that wait for others are given up as well', async () => {
    const { starts, clock, begun, refused } = stage();
    const all = [1, 2, 3, 4, 5].map((serial) => instanceOf(serial));
    for (const instance of all) starts.add({ vassalName: 'shop', instance, sockets: [], channel: [] });
    await until(() => expect(begun).toHaveLength(4));
    starts.hurry(all[4]!.id);
    clock.advance(3_000);
    expect(refused).toEqual([['shop#5', expect.stringContaining('it is not wanted any more')]]);
    const gone = starts[Symbol.asyncDispose]();
    clock.advance(3_000);
    await gone;
    expect(begun).toHaveLength(4);
  });

  it('hold up no end for long', async () => {
    const { starts, clock, begun, refused } = stage();
    starts.add({ vassalName: 'shop', instance: instanceOf(1), sockets: [], channel: [] });
    await until(() => expect(begun).toHaveLength(1));
    const gone = starts[Symbol.asyncDispose]();
    clock.advance(3_000);
    await gone;
    expect(refused).toEqual([['shop#1', 'given up']]);
    expect(clock.waiting).toBe(0);
  });
});
