import { describe, expect, it } from 'vitest';
import type { SocketEvent } from '../../src/core/event.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { openPatience, type Patience } from '../../src/emperor/patience.ts';
import { HandClock } from '../fakes/clock.ts';

const SHOP = '/v/shop.toml' as VassalId;

/** Patience with sockets that are as the test says. */
class Stage {
  readonly clock = new HandClock();
  readonly told: SocketEvent[] = [];
  readonly patience: Patience;
  queued = 0;
  sinceUseMs = Infinity;
  looks = 0;

  constructor() {
    this.patience = openPatience({
      clock: this.clock,
      post: (event) => this.told.push(event),
      sockets: {
        awaitKnock: () => () => {},
        queued: () => {
          this.looks += 1;
          return this.queued;
        },
        sinceUse: () => this.sinceUseMs,
      },
    });
  }
}

describe('a crowd', () => {
  it('is told of when it has waited for its time, and again each time that it has', () => {
    const stage = new Stage();
    stage.patience.awaitCrowd(SHOP, 1, 10, 1_000);
    stage.queued = 12;
    stage.clock.advance(1_249);
    expect(stage.told).toEqual([]);
    stage.clock.advance(1);
    expect(stage.told).toEqual([{ type: 'crowded', vassal: SHOP, waiting: 12 }]);
    stage.clock.advance(1_250);
    expect(stage.told).toHaveLength(2);
  });

  it('that was smaller at one look begins anew', () => {
    const stage = new Stage();
    stage.queued = 10;
    stage.patience.awaitCrowd(SHOP, 1, 10, 1_000);
    stage.clock.advance(1_000);
    stage.queued = 9;
    stage.clock.advance(250);
    stage.queued = 10;
    stage.clock.advance(1_249);
    expect(stage.told).toEqual([]);
    stage.clock.advance(1);
    expect(stage.told).toHaveLength(1);
  });

  it.each([[100, 20], [1_000, 4], [60_000, 1]])('for %i ms is looked for %i times a second', (forMs, looks) => {
    const stage = new Stage();
    stage.patience.awaitCrowd(SHOP, 1, 10, forMs);
    stage.clock.advance(1_000);
    expect(stage.looks).toBe(looks);
  });

  it('is looked for no more when nobody wants to know, and by nobody who never asked', () => {
    const stage = new Stage();
    expect(stage.clock.waiting).toBe(0);
    stage.patience.awaitCrowd(SHOP, 1, 10, 1_000);
    stage.patience.awaitCrowd(SHOP, 2, 10, 1_000);
    expect(stage.clock.waiting).toBe(1);
    stage.patience.ignoreCrowd(SHOP);
    expect(stage.clock.waiting).toBe(0);
  });
});

describe('calm', () => {
  it('is told of once, when nobody has connected for its time, and apart from being unused', () => {
    const stage = new Stage();
    stage.patience.awaitCalm(SHOP, 60_000);
    stage.patience.awaitUnused(SHOP, 120_000);
    stage.clock.advance(40_000);
    stage.sinceUseMs = 0;
    stage.clock.advance(20_000);
    stage.sinceUseMs = Infinity;
    expect(stage.told).toEqual([]);
    stage.clock.advance(60_000);
    expect(stage.told).toEqual([{ type: 'calm', vassal: SHOP }]);
    stage.clock.advance(60_000);
    expect(stage.told.map(({ type }) => type)).toEqual(['calm', 'unused']);
  });

  it('is waited for no more when nobody wants to know, or the emperor ends', () => {
    const stage = new Stage();
    stage.patience.awaitCalm(SHOP, 60_000);
    stage.patience.ignoreCalm(SHOP);
    expect(stage.clock.waiting).toBe(0);
    stage.patience.awaitCalm(SHOP, 60_000);
    stage.patience.awaitCrowd(SHOP, 1, 10, 1_000);
    stage.patience[Symbol.dispose]();
    expect(stage.clock.waiting).toBe(0);
  });
});
