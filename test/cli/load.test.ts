import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { startLoad, type LoadResult } from '../../src/cli/load.ts';
import { until } from '../until.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Loads a server of which each connection treats its n-th request, counted from 0, in that way. */
async function load(treat: (socket: Socket, nth: number) => void, keepAlive: boolean, enough: (result: LoadResult) => boolean): Promise<LoadResult> {
  await using server = await serve(treat);
  const { port } = server.address() as AddressInfo;
  const running = startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 2, keepAlive, timeoutMs: 10_000 }, () => performance.now());
  await until(() => expect(enough(running.result())).toBe(true));
  return await running.end();
}

async function serve(treat: (socket: Socket, nth: number) => void): Promise<Server> {
  const server = createServer((socket) => {
    let requests = 0;
    socket.on('error', () => undefined).on('data', () => treat(socket, requests++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

it.each([true, false])('counts answers (connections kept: %s)', async (keepAlive) => {
  const result = await load((socket) => socket.write(ANSWER), keepAlive, ({ answered }) => answered > 20);
  expect(result).toMatchObject({ lost: new Map(), resent: 0 });
});

it('asks again what a kept connection was closed under, and counts it', async () => {
  const result = await load((socket, nth) => (nth < 3 ? socket.write(ANSWER) : socket.resetAndDestroy()), true, ({ resent }) => resent > 3);
  expect(result.lost).toEqual(new Map());
  expect(result.answered).toBeGreaterThan(9);
});

it.each<[string, RegExp, (socket: Socket, nth: number) => unknown]>([
  ['a new connection that is reset', /ECONNRESET|connection closed/, (socket) => socket.resetAndDestroy()],
  ['a new connection that is closed', /ECONNRESET|connection closed/, (socket) => socket.destroy()],
  ['an answer that is cut off', /connection closed/, (socket, nth) => (nth === 0 ? socket.write(ANSWER) : socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'))],
  ['an answer of 500', /HTTP 500/, (socket) => socket.write('HTTP/1.1 500 Oh No\r\nContent-Length: 0\r\n\r\n')],
])('counts as lost %s', async (_what, reason, treat) => {
  const result = await load(treat, true, (now) => [...now.lost.values()].some((times) => times > 3));
  for (const each of result.lost.keys()) expect(each).toMatch(reason);
  expect(result.resent).toBe(0);
});
