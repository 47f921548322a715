import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Listen } from '../../src/core/address.ts';
import type { Door } from '../../src/sockets/sockets.ts';
import { SELF, SHOP } from '../contracts/sockets.ts';
import { until } from '../until.ts';
import { KINDS, RealStage, wayTo } from './stage.ts';

async function connected(way: Door['connect']): Promise<Socket> {
  const client = connect(way);
  await once(client, 'connect');
  return client;
}

describe('a door', () => {
  it.each(KINDS)('leads to its generation and nowhere else while others connect without pause (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const { sockets } = stage;
    const http = await stage.free();
    sockets.lend(SHOP, 'shop', 1, [http], SELF);
    sockets.lend(SHOP, 'shop', 2, [http], SELF);
    const others = Promise.all(Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 100; count += 1) (await connected(wayTo(http.address))).destroy();
    }));
    for (let count = 0; count < 50; count += 1) {
      using first = sockets.door(SHOP, 1, http.address);
      using second = sockets.door(SHOP, 2, http.address);
      for (const door of [first, second]) (await connected(door.connect)).destroy();
    }
    await others;
    await until(() => expect([sockets.queued(SHOP, 1), sockets.queued(SHOP, 2)]).toEqual([450, 50]));
  });

  it.each(['127.0.0.1', '::1'] as const)('can be opened thousands of times, though the kernel remembers each connection (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const { sockets } = stage;
    const http = await stage.free();
    sockets.lend(SHOP, 'shop', 1, [http], SELF);
    sockets.lend(SHOP, 'shop', 2, [http], SELF);
    for (let count = 0; count < 3_000; count += 1) {
      using door = sockets.door(SHOP, 2, http.address);
      const client = await connected(door.connect);
      client.end();
      client.destroy();
    }
    await until(() => expect([sockets.queued(SHOP, 1), sockets.queued(SHOP, 2)]).toEqual([0, 3_000]));
  });

  it('is not found by who connects from another address, though from its port', async () => {
    await using stage = new RealStage('0.0.0.0');
    const { sockets } = stage;
    const http = await stage.free();
    sockets.lend(SHOP, 'shop', 1, [http], SELF);
    sockets.lend(SHOP, 'shop', 2, [http], SELF);
    using door = sockets.door(SHOP, 2, http.address);
    if (!('localPort' in door.connect)) throw new Error('a door of TCP has a port');
    const { port, localPort } = door.connect;
    const stranger = await connected({ host: '127.0.0.1', port, localAddress: '127.0.0.7', localPort });
    await until(() => expect([sockets.queued(SHOP, 1), sockets.queued(SHOP, 2)]).toEqual([1, 0]));
    (await connected(door.connect)).destroy();
    stranger.destroy();
    await until(() => expect([sockets.queued(SHOP, 1), sockets.queued(SHOP, 2)]).toEqual([1, 1]));
  });

  it('keeps its port from everybody else while it is open', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    const doors = Array.from({ length: 500 }, () => stage.sockets.door(SHOP, 1, http.address));
    const ports = doors.map(({ connect: way }) => ('localPort' in way ? (way.localPort ?? null) : null));
    expect(new Set(ports).size).toBe(500);
    const clients = await Promise.all(Array.from({ length: 200 }, () => connected(wayTo(http.address))));
    expect(clients.filter(({ localPort }) => ports.includes(localPort ?? null))).toEqual([]);
    for (const client of clients) client.destroy();
    for (const door of doors) door[Symbol.dispose]();
  });

  it('is no door any more after it was closed, twice as well', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    stage.sockets.lend(SHOP, 'shop', 2, [http], SELF);
    const door = stage.sockets.door(SHOP, 2, http.address);
    door[Symbol.dispose]();
    door[Symbol.dispose]();
    (await connected(door.connect)).destroy();
    await until(() => expect([stage.sockets.queued(SHOP, 1), stage.sockets.queued(SHOP, 2)]).toEqual([1, 0]));
  });
});

describe('a share', () => {
  it.each([0.05, 0.5])('of %d of the connections, more or less, comes to the next generation', async (share) => {
    await using stage = new RealStage();
    const { sockets } = stage;
    const http = await stage.free();
    sockets.lend(SHOP, 'shop', 1, [http], SELF);
    sockets.lend(SHOP, 'shop', 2, [http], SELF);
    sockets.steer(SHOP, 2, share);
    await visits(http, 2_000);
    const expected = 2_000 * share;
    // Six standard deviations: one run in 500 million is outside.
    const tolerance = 6 * Math.sqrt(2_000 * share * (1 - share));
    await until(() => expect(sockets.queued(SHOP, 1) + sockets.queued(SHOP, 2)).toBe(2_000));
    expect(Math.abs(sockets.queued(SHOP, 2) - expected)).toBeLessThan(tolerance);
  });

  it('less than all of the connections of a unix socket is none', async () => {
    await using stage = new RealStage('unix');
    const http = await stage.free();
    stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    stage.sockets.lend(SHOP, 'shop', 2, [http], SELF);
    stage.sockets.steer(SHOP, 2, 0.9);
    await visits(http, 100);
    expect([stage.sockets.queued(SHOP, 1), stage.sockets.queued(SHOP, 2)]).toEqual([100, 0]);
  });
});

async function visits(http: Listen, count: number): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, async () => {
    for (let each = 0; each < count / 10; each += 1) (await connected(wayTo(http.address))).destroy();
  }));
}
