import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Code } from '../../src/errors.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { unixAddress } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { Daemon, makePlace } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { asNobody } from './nobody.ts';

const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;

const SOON = 'backoff = { first = "50ms", max = "100ms" }';

/** A shop at these addresses, which tries again soon. */
function shop(listen: readonly string[], more: string = SOON): string {
  return ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = ${JSON.stringify(listen)}`, 'ready = { http = "/" }', 'linger = "50ms"', more, ''].join('\n');
}

async function listening(server: Server, where: ListenOptions): Promise<Server> {
  server.listen(where);
  await once(server, 'listening');
  return server;
}

/** Says that it is not ours, whoever connects. */
const strange = (): Server => createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nmine')));

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** What a server at a unix socket answers; null: there is none. */
async function answerAt(socketPath: string): Promise<string | null> {
  return new Promise((resolve) => {
    request({ socketPath, path: '/', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text)).on('error', () => resolve(null));
    }).on('error', () => resolve(null)).end();
  });
}

/** What a path can be that is to become a socket: how it came to be, what is told, and what mends it. */
interface Obstacle {
  readonly name: string;
  readonly code: Code;
  readonly says: string;
  readonly put: (folder: string) => string;
  readonly mend: (path: string) => unknown;
}

/** A folder that anybody may write to. */
function makeOpen(folder: string): void {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
}

const OBSTACLES: readonly Obstacle[] = [
  { name: 'a folder', code: 'E_ADDRESS', says: 'something else is there, and is not removed', put: (folder) => (mkdirSync(join(folder, 's')), join(folder, 's')), mend: rmdirSync },
  { name: 'a regular file', code: 'E_ADDRESS', says: 'something else is there, and is not removed', put: (folder) => (writeFileSync(join(folder, 's'), 'precious'), join(folder, 's')), mend: (path) => (expect(readFileSync(path, 'utf8')).toBe('precious'), unlinkSync(path)) },
  { name: 'in a missing folder', code: 'E_ADDRESS', says: 'its folder does not exist; make it', put: (folder) => join(folder, 'run', 's'), mend: (path) => makeOpen(join(path, '..')) },
  { name: 'below a file', code: 'E_ADDRESS', says: 'what should be its folder is none', put: (folder) => (writeFileSync(join(folder, 'file'), ''), join(folder, 'file', 's')), mend: (path) => (unlinkSync(join(path, '..')), makeOpen(join(path, '..'))) },
  { name: 'in a folder that may not be written to', code: 'E_ADDRESS', says: 'the emperor may not write to that folder', put: (folder) => (mkdirSync(join(folder, 'closed'), 0o555), join(folder, 'closed', 's')), mend: (path) => chmodSync(join(path, '..'), 0o777) },
];

describe('a unix socket', () => {
  it.each(OBSTACLES)('whose path is $name is told, nothing is removed, and it is tried again', async ({ code, says, put, mend }) => {
    const place = makePlace();
    const path = put(place.folder);
    writeFileSync(join(place.vassals, 'shop.toml'), shop([`unix:${path}`]));
    // Root may write everywhere.
    await using daemon = await asNobody(place);
    const status = await daemon.untilState('shop', 'backoff');
    expect(status).toMatchObject({ instances: [], failure: { code } });
    expect(status.failure?.message).toContain(`cannot listen on unix:${path} for vassal "shop": `);
    expect(status.failure?.message).toContain(says);
    mend(path);
    const mended = await daemon.untilState('shop', 'ready');
    expect(mended.failure).toBeNull();
    expect(await answerAt(path)).toContain(String(mended.instances[0]?.pid));
  });

  it('whose path is too long is a fault of the file', async () => {
    await using daemon = await Daemon.start();
    const path = join(daemon.place.folder, 'x'.repeat(108));
    daemon.write('shop.toml', shop([`unix:${path}`]));
    const { failure } = await daemon.untilState('shop', 'invalid');
    expect(failure?.code).toBe('E_VALUE');
    expect(failure?.message).toMatch(/its whole path may have \d+ bytes$/);
    expect((await daemon.cli('check', join(daemon.place.vassals, 'shop.toml'))).code).toBe(78);
  });

  it('that a dead program left behind is taken over; that of a living one is not, nor disturbed', async () => {
    await using daemon = await Daemon.start();
    const [stale, taken] = [join(daemon.place.folder, 'stale'), join(daemon.place.folder, 'taken')];
    const sockets = openStreamSockets(openLibc());
    const fd = sockets.open('unix');
    expect(sockets.bind(fd, unixAddress(stale)!)).toBeNull();
    closeSync(fd);
    const server = await listening(strange(), { path: taken });
    daemon.write('shop.toml', shop([`unix:${stale}`]));
    daemon.write('thief.toml', shop([`unix:${taken}`]));
    const { instances } = await daemon.untilState('shop', 'ready');
    expect(await answerAt(stale)).toContain(String(instances[0]?.pid));
    const thief = await daemon.untilState('thief', 'backoff');
    expect(thief.failure).toMatchObject({ code: 'E_ADDRESS_IN_USE' });
    expect(thief.failure?.message).toContain(`pid ${process.pid}`);
    expect(await answerAt(taken)).toBe('mine');
    await closed(server);
    await daemon.untilState('thief', 'ready');
  });
});

describe('a port', () => {
  it('of a program that would share it (SO_REUSEPORT) is not shared: it keeps all of its connections', async () => {
    await using daemon = await Daemon.start();
    const server = await listening(strange(), { host: '127.0.0.1', port: 0, reusePort: true });
    const { port } = server.address() as AddressInfo;
    daemon.write('shop.toml', shop([`127.0.0.1:${port}`]));
    const { failure } = await daemon.untilState('shop', 'backoff');
    expect(failure).toMatchObject({ code: 'E_ADDRESS_IN_USE' });
    expect(failure?.message).toContain(`pid ${process.pid}`);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => answer(port))))).toEqual(new Set(['mine']));
    await closed(server);
    await daemon.untilState('shop', 'ready');
  });

  it.each(['192.0.2.1:8000', '[2001:db8::1]:8000'])('of an address that this host has not got is told: %s', async (address) => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', shop([address]));
    const { failure, nextStartAt } = await daemon.untilState('shop', 'backoff');
    expect(failure).toMatchObject({ code: 'E_ADDRESS' });
    expect(failure?.message).toContain(`cannot listen on ${address} for vassal "shop": this host has no`);
    expect(nextStartAt).not.toBeNull();
  });

  it('is not kept open where a second one of the same file is taken; both are opened when that is free', async () => {
    await using daemon = await Daemon.start();
    const first = await freePort();
    const path = join(daemon.place.folder, 'shop.sock');
    const server = await listening(createServer(), { host: '127.0.0.1', port: 0 });
    const second = (server.address() as AddressInfo).port;
    daemon.write('shop.toml', shop([`127.0.0.1:${first}`, `unix:${path}`, `127.0.0.1:${second}`], 'backoff = { first = "1h", max = "1h" }'));
    const { failure } = await daemon.untilState('shop', 'backoff');
    expect(failure?.message).toContain(`cannot listen on 127.0.0.1:${second}`);
    expect(await answer(first)).toBeNull();
    expect(() => statSync(path)).toThrow('ENOENT');
    // Whoever wants it can have it.
    await closed(await listening(createServer(), { host: '127.0.0.1', port: first }));
    await closed(server);
    expect(await daemon.cli('start', 'shop')).toMatchObject({ code: 0 });
    expect(await answer(first)).not.toBeNull();
    expect(statSync(path).isSocket()).toBe(true);
  });

  it('that cannot be opened fails an edit, not what serves', async () => {
    await using daemon = await Daemon.start();
    const port = await freePort();
    daemon.write('shop.toml', shop([`127.0.0.1:${port}`]));
    const before = await daemon.untilState('shop', 'ready');
    daemon.write('shop.toml', shop([`127.0.0.1:${port}`, '192.0.2.1:8000']));
    const { vassals: [after] } = await daemon.until(({ vassals: [each] }) => each?.state === 'ready' && each.failure !== null, 'the edit is refused');
    expect(after).toMatchObject({ revision: 1, instances: [before.instances[0]], failure: { revision: 2, code: 'E_ADDRESS' } });
    expect(await answer(port)).toContain(String(before.instances[0]?.pid));
    // The refused revision has left nothing in the way of the next one.
    daemon.write('shop.toml', shop([`127.0.0.1:${port}`], 'environment = { A = "b" }'));
    expect(await daemon.untilReplaced('shop', before)).toMatchObject({ revision: 3, failure: null });
  });

  it('of an idle vassal that is taken is told, and opened when it is free', async () => {
    await using daemon = await Daemon.start();
    const server = await listening(createServer(), { host: '127.0.0.1', port: 0 });
    const { port } = server.address() as AddressInfo;
    daemon.write('shop.toml', shop([`127.0.0.1:${port}`], 'on-demand = true'));
    await daemon.until(({ vassals: [each] }) => each?.failure?.code === 'E_ADDRESS_IN_USE', 'it is told');
    await closed(server);
    await daemon.until(({ vassals: [each] }) => each?.state === 'idle' && each.failure === null, 'it is opened');
    expect(await answer(port)).not.toBeNull();
  });
});
