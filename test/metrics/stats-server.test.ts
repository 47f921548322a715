import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { openStatsServer } from '../../src/metrics/stats-server.ts';
import { askUwsgi } from '../../src/metrics/uwsgi-workers.ts';
import { systemClock } from '../../src/world/clock.ts';
import { HandClock } from '../fakes/clock.ts';
import { until } from '../until.ts';

function place(): Address & { readonly kind: 'unix' } {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-stats-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { kind: 'unix', path: join(folder, 'stats') };
}

async function read(address: Address & { readonly kind: 'unix' }, request = ''): Promise<string> {
  const socket = connect({ path: address.path, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (request !== '') socket.write(request);
  await once(socket, 'end');
  socket.end();
  return Buffer.concat(chunks).toString();
}

it('tells the document to each who connects, without being asked, and makes it anew when it is old', async () => {
  const address = place();
  const clock = new HandClock();
  let made = 0;
  await using _server = await openStatsServer({ address, http: false, clock, document: () => ({ made: (made += 1) }) });
  expect(await read(address)).toBe('{\n\t"made": 1\n}\n');
  expect(await read(address)).toBe('{\n\t"made": 1\n}\n');
  clock.advance(201);
  expect(await read(address)).toBe('{\n\t"made": 2\n}\n');
  expect(statSync(address.path).mode & 0o777).toBe(0o660);
});

it('answers by HTTP where that was asked for', async () => {
  const address = place();
  await using _server = await openStatsServer({ address, http: true, clock: new HandClock(), document: () => ({}) });
  expect(await read(address, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.0 200 OK\r\n(?:[\w-]+: .*\r\n)*Content-Type: application\/json\r\n(?:[\w-]+: .*\r\n)*\r\n\{\}\n$/);
  expect(await read(address, 'POST / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.0 405 /);
});

it('drops who asks for nothing in 4 s', async () => {
  const address = place();
  const clock = new HandClock();
  await using _server = await openStatsServer({ address, http: true, clock, document: () => ({}) });
  const socket = connect(address.path);
  await once(socket, 'connect');
  await until(() => expect(clock.waiting).toBe(1));
  const closed = once(socket, 'close');
  clock.advance(4_000);
  await closed;
  expect(clock.waiting).toBe(0);
});

it('takes the place of a socket that is left over, and of nothing else', async () => {
  const address = place();
  const left = createServer();
  await new Promise<void>((resolve) => left.listen(address.path, resolve));
  await expect(openStatsServer({ address, http: false, clock: new HandClock(), document: () => ({}) })).rejects.toMatchObject({ code: 'E_SETTINGS' });
  left.close();
  writeFileSync(address.path, '');
  await expect(openStatsServer({ address, http: false, clock: new HandClock(), document: () => ({}) })).rejects.toMatchObject({ code: 'E_SETTINGS' });
});

/** Something that tells what the test wants, as a uWSGI master might. */
async function uwsgi(tell: (socket: Socket) => void): Promise<Address> {
  const address = place();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    tell(socket);
  });
  await new Promise<void>((resolve) => server.listen(address.path, resolve));
  onTestFinished(() => void server.close());
  return address;
}

const MASTER = { listen_queue: 7, workers: [
  { id: 1, pid: 11, status: 'idle', requests: 5, exceptions: 1, harakiri_count: 0, respawn_count: 1 },
  { id: 2, pid: 12, status: 'busy', requests: 6, exceptions: 0, harakiri_count: 2, respawn_count: 3 },
] };

it.each([['', 'raw'], ['HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n', 'by HTTP']])('reads what a uWSGI master tells (%s%s)', async (head) => {
  expect(await askUwsgi(await uwsgi((socket) => socket.end(`${head}${JSON.stringify(MASTER)}`)), systemClock())).toMatchObject({
    trouble: null, listenQueue: 7, requests: 11, exceptions: 1, harakiri: 2,
    workers: [{ id: 1, pid: 11, status: 'idle', requests: 5, exceptions: 1, harakiri: 0, respawns: 1 }, { id: 2, pid: 12, status: 'busy', requests: 6, exceptions: 0, harakiri: 2, respawns: 3 }],
  });
});

it.each<[string, string, RegExp]>([
  ['is no JSON', 'no', /JSON/],
  ['is too long', 'x'.repeat(5 * 2 ** 20), /longer than 4 MiB/],
])('says what is wrong with an answer that %s', async (_what, text, trouble) => {
  expect((await askUwsgi(await uwsgi((socket) => socket.end(text)), systemClock())).trouble).toMatch(trouble);
});

it.each([[null, []], [[1, 'x', null], [0, 0, 0]], ['workers', []]])('makes of %j in the place of workers what can be made of it', async (workers, ids) => {
  const report = await askUwsgi(await uwsgi((socket) => socket.end(JSON.stringify({ workers }))), systemClock());
  expect([report.trouble, report.workers.map(({ id }) => id)]).toEqual([null, ids]);
});

it('waits no longer than a second for one that does not end, and not at all for one that is not there', async () => {
  const clock = new HandClock();
  let connected = false;
  const asked = askUwsgi(await uwsgi(() => (connected = true)), clock);
  await until(() => expect(connected).toBe(true));
  clock.advance(1_000);
  expect((await asked).trouble).toBe('no whole answer within 1000 ms');
  expect((await askUwsgi(place(), clock)).trouble).toMatch(/ENOENT/);
  expect(clock.waiting).toBe(0);
});
