import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { openSockets } from '../../src/sockets/open-sockets.ts';
import type { Door } from '../../src/sockets/sockets.ts';
import { BLOG, SELF, SHOP } from '../contracts/sockets.ts';
import { until } from '../until.ts';
import { KINDS, RealStage, wayTo, type Kind } from './stage.ts';

const TCP = KINDS.filter((kind) => kind !== 'unix');
const libc = openLibc();
const raw = openStreamSockets(libc);
const duplicate = libc.bind<(fd: number) => number>('int dup(int fd)');

/** A connection to a server, which is ended by one side first. */
async function talk(way: Door['connect'], first: 'client' | 'server'): Promise<void> {
  const client = connect(way);
  client.on('error', () => {});
  await once(client, 'connect');
  if (first === 'client') client.end();
  client.resume();
  await once(client, 'close');
}

/** In this process, on a lent socket. It ends a connection at once, or when the client does. */
async function serveHere(fd: number, first: 'client' | 'server'): Promise<AsyncDisposable> {
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    socket.on('error', () => {}).resume();
    if (first === 'server') socket.end();
  }).listen({ fd });
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the sockets of this host', () => {
  it.each(KINDS)('leave no descriptor behind (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const [http, other] = [await stage.free(), await stage.free()];
    const before = readdirSync('/proc/self/fd').length;
    const sockets = openSockets(openLibc());
    for (let generation = 1; generation < 4; generation += 1) sockets.lend(SHOP, 'shop', generation, [http, other], SELF);
    sockets.door(SHOP, 3, http.address);
    sockets.steer(SHOP, 3, 0.5);
    sockets.retire(SHOP, 1);
    sockets.awaitKnock(SHOP, () => {});
    sockets.release(SHOP, [other]);
    sockets[Symbol.dispose]();
    await until(() => expect(readdirSync('/proc/self/fd')).toHaveLength(before));
  });

  it('are lent as blocking sockets to each generation, whatever the one before did', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    const program = 'import fcntl,os; f=fcntl.fcntl(3,fcntl.F_GETFL); print(bool(f & os.O_NONBLOCK)); os.set_blocking(3, False)';
    for (const generation of [1, 2]) {
      const [lent] = stage.sockets.lend(SHOP, 'shop', generation, [http], SELF);
      const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit', lent?.fd ?? -1] });
      let said = '';
      child.stdout?.on('data', (data: Buffer) => (said += data.toString()));
      await once(child, 'close');
      expect(said).toBe('False\n');
      stage.sockets.retire(SHOP, generation);
    }
  });

  it.each(TCP)('are opened anew when a server has ended them for all by shutdown (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const [lent] = stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    raw.stop(lent?.fd ?? -1);
    stage.sockets.retire(SHOP, 1);
    stage.sockets.lend(SHOP, 'shop', 2, [http], SELF);
    await stage.visit(http.address);
    await until(() => expect(stage.sockets.queued(SHOP, 2)).toBe(1));
  });

  it('reset who waits for a generation that has ended and nobody replaces, rather than let him wait for ever', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    stage.sockets.lend(SHOP, 'shop', 2, [http], SELF);
    using door = stage.sockets.door(SHOP, 2, http.address);
    const client = connect(door.connect);
    await once(client, 'connect');
    const error = once(client, 'error');
    await until(() => expect(stage.sockets.queued(SHOP, 2)).toBe(1));
    stage.sockets.retire(SHOP, 2);
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('refuse who comes to an address that was given up while an instance still has it only for unix sockets', async () => {
    await using stage = new RealStage('unix');
    const http = await stage.free();
    stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    stage.sockets.release(SHOP, []);
    await expect(stage.visit(http.address)).rejects.toMatchObject({ code: 'ENOENT' });
    stage.sockets.hold(BLOG, 'blog', [http], SELF);
  });

  it('can be closed by who they are lent to without harm', async () => {
    await using stage = new RealStage();
    const http = await stage.free();
    const [lent] = stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    const child = spawn('python3', ['-c', 'import socket; s=socket.socket(fileno=3); s.close()'], { stdio: ['ignore', 'inherit', 'inherit', lent?.fd ?? -1] });
    await once(child, 'exit');
    await stage.visit(http.address);
    await until(() => expect(stage.sockets.queued(SHOP, 1)).toBe(1));
  });
});

describe('the time since a vassal was used', () => {
  interface Place extends AsyncDisposable {
    readonly stage: RealStage;
    readonly way: Door['connect'];
    readonly door: () => Door;
  }

  async function opened(kind: Kind, first: 'client' | 'server'): Promise<Place> {
    const stage = new RealStage(kind);
    const http = await stage.free();
    const [lent] = stage.sockets.lend(SHOP, 'shop', 1, [http], SELF);
    // A server of Node closes its descriptor at its end.
    const server = await serveHere(duplicate(lent?.fd ?? -1), first);
    return {
      stage,
      way: wayTo(http.address),
      door: () => stage.sockets.door(SHOP, 1, http.address),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await stage[Symbol.asyncDispose]();
      },
    };
  }

  it.each(TCP.flatMap((kind) => [[kind, 'client'], [kind, 'server']] as const))('is known after the last connection was closed, whoever closed it (%s, %s)', async (kind, first) => {
    await using place = await opened(kind, first);
    const startMs = performance.now();
    await talk(place.way, first);
    await until(() => {
      const sinceMs = place.stage.sockets.sinceUse(SHOP);
      expect(sinceMs).toBeGreaterThan(0);
      expect(sinceMs).toBeLessThan(performance.now() - startMs + 50);
    });
  });

  it.each(KINDS)('is no time while a connection is open (%s)', async (kind) => {
    await using place = await opened(kind, 'client');
    const client = connect(place.way);
    await once(client, 'connect');
    expect(place.stage.sockets.sinceUse(SHOP)).toBe(0);
    client.destroy();
    await until(() => expect(place.stage.sockets.sinceUse(SHOP)).toBeGreaterThan(0));
  });

  it.each(KINDS.flatMap((kind) => [[kind, 'client'], [kind, 'server']] as const))('does not count probes, which come through doors (%s, %s)', async (kind, first) => {
    await using place = await opened(kind, first);
    for (let count = 0; count < 3; count += 1) {
      using door = place.door();
      const talked = talk(door.connect, first);
      await until(() => expect(place.stage.sockets.sinceUse(SHOP)).toBe(Infinity));
      await talked;
    }
    await until(() => expect(place.stage.sockets.sinceUse(SHOP)).toBe(Infinity));
  });
});
