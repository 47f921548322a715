import { execFileSync } from 'node:child_process';
import { chmodSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import { Daemon, makePlace } from './daemon.ts';
import { answer, freePort } from './http.ts';

const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;

function shop(listen: string, ...more: readonly string[]): string {
  return ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = ${JSON.stringify(listen)}`, 'ready = { http = "/" }', ...more, ''].join('\n');
}

const tcp = (port: number): { kind: 'tcp'; host: string; port: number; v6only: boolean } => ({ kind: 'tcp', host: '127.0.0.1', port, v6only: false });

it('an idle vassal is started by its first connection, and 200 that come at once are all answered', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`, 'on-demand = true', 'idle-timeout = "500ms"'));
  const idle = await daemon.untilState('shop', 'idle');
  expect(idle.instances).toEqual([]);
  const answers = await Promise.all(Array.from({ length: 200 }, () => answer(port)));
  expect(answers.filter((each) => each === null)).toEqual([]);
  expect(new Set(answers).size).toBe(1);
  await daemon.untilState('shop', 'ready');
  // Nobody connects any more: it goes to sleep, and wakes again.
  await daemon.untilState('shop', 'idle');
  expect(daemon.survivors()).toEqual([]);
  expect(await answer(port)).not.toBeNull();
}, 60_000);

it('an instance that is killed under load: connections wait for the next one, and none is refused', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`));
  const before = await daemon.untilState('shop', 'ready');
  const load = startLoad({ address: tcp(port), path: '/', connections: 8, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  process.kill(before.instances[0]!.pid!, 'SIGKILL');
  await daemon.untilReplaced('shop', before);
  const { lost, answered } = await load.end();
  expect(answered).toBeGreaterThan(0);
  // What the dead one had accepted is lost with it; at most one request for each connection.
  const reasons = Object.fromEntries(lost);
  expect(Object.keys(reasons).filter((each) => each === 'ECONNREFUSED')).toEqual([]);
  expect([...lost.values()].reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(8);
}, 60_000);

it('a paused vassal keeps its sockets: requests wait and are answered after resume', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`));
  await daemon.untilState('shop', 'ready');
  expect(await daemon.cli('pause', 'shop')).toMatchObject({ code: 0 });
  expect(daemon.survivors()).toEqual([]);
  const waiting = answer(port);
  expect((await daemon.vassal('shop'))?.state).toBe('paused');
  expect(await daemon.cli('resume', 'shop')).toMatchObject({ code: 0 });
  expect(await waiting).not.toBeNull();
}, 60_000);

it('a stopped vassal refuses connections', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`));
  await daemon.untilState('shop', 'ready');
  expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
  expect(await answer(port)).toBeNull();
}, 60_000);

it.runIf(process.getuid?.() === 0)('a port below 1024 is opened by root and served by nobody', async () => {
  const place = makePlace();
  chmodSync(place.folder, 0o755);
  await using daemon = await Daemon.start(place);
  // Whoever takes a port of the ephemeral range never takes one of these; two tests that run at once take different ones.
  const port = 600 + (process.pid % 400);
  const script = join(place.folder, 'whoami.py');
  writeFileSync(script, [
    'import os, socket', 'listener = socket.socket(fileno=3)', 'while True:', '    connection, _ = listener.accept()', '    connection.recv(9999)',
    "    connection.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n%d' % os.getuid())", '    connection.shutdown(socket.SHUT_WR)', '    connection.recv(9999)', '    connection.close()', '',
  ].join('\n'));
  daemon.write('shop.toml', [
    '[vassal]', `command = ["/usr/bin/python3", ${JSON.stringify(script)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', 'user = "nobody"', 'directory = "/"', '',
  ].join('\n'));
  await daemon.untilState('shop', 'ready');
  expect(await answer(port)).toBe('65534');
}, 60_000);

it('a unix socket has its mode and its owner, is swapped by rename, and is gone with its vassal', async () => {
  await using daemon = await Daemon.start();
  const path = join(daemon.place.folder, 'shop.sock');
  const file = daemon.write('shop.toml', ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, 'ready = { http = "/" }', '[vassal.listen]', `address = "unix:${path}"`, 'mode = "640"', ''].join('\n'));
  const before = await daemon.untilState('shop', 'ready');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  const load = startLoad({ address: { kind: 'unix', path }, path: '/', connections: 8, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  expect(await daemon.cli('reload', 'shop')).toMatchObject({ code: 0 });
  await daemon.untilReplaced('shop', before);
  const { lost, answered } = await load.end();
  expect(Object.fromEntries(lost)).toEqual({});
  expect(answered).toBeGreaterThan(10);
  unlinkSync(file);
  await daemon.until((status) => status.vassals.length === 0, 'shop is forgotten');
  expect(() => statSync(path)).toThrow('ENOENT');
}, 60_000);

it('an address that another program holds is told, with its holder, and tried again until it is free', async () => {
  await using daemon = await Daemon.start();
  const taken = createServer();
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve);
  });
  const { port } = taken.address() as AddressInfo;
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`, 'backoff = { first = "50ms", max = "100ms" }'));
  const status = await daemon.untilState('shop', 'backoff');
  expect(status.failure).toMatchObject({ code: 'E_ADDRESS_IN_USE' });
  expect(status.failure?.message).toContain(String(process.pid));
  taken.close();
  await daemon.untilState('shop', 'ready');
}, 60_000);

it('of two vassals with one address the second is told whose it is, and the first serves on', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(`127.0.0.1:${port}`));
  const first = await daemon.untilState('shop', 'ready');
  daemon.write('thief.toml', shop(`127.0.0.1:${port}`));
  const second = await daemon.untilState('thief', 'backoff');
  expect(second.failure).toMatchObject({ code: 'E_ADDRESS_IN_USE' });
  expect(second.failure?.message).toContain('"shop"');
  expect(await answer(port)).toContain(String(first.instances[0]?.pid));
}, 60_000);

it('a new address in the file is opened before the switch, and the old one closed after it', async () => {
  await using daemon = await Daemon.start();
  const [old, fresh] = [await freePort(), await freePort()];
  daemon.write('shop.toml', shop(`127.0.0.1:${old}`));
  const before = await daemon.untilState('shop', 'ready');
  daemon.write('shop.toml', shop(`127.0.0.1:${fresh}`));
  await daemon.untilReplaced('shop', before);
  expect(await answer(fresh)).not.toBeNull();
  await daemon.until((status) => status.vassals[0]?.instances.length === 1, 'the old instance is gone');
  expect(await answer(old)).toBeNull();
}, 60_000);

it('an instance finds the variables of sd_listen_fds(3), with its own pid', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', ['[vassal]', 'command = ["sh", "-c", "echo $LISTEN_FDS $((LISTEN_PID == $$)) $LISTEN_FDNAMES; exec sleep 1000"]', `listen = "127.0.0.1:${port}"`, 'ready = { log = "^1 1 shop$" }', ''].join('\n'));
  await daemon.untilState('shop', 'ready');
  expect(execFileSync('sh', ['-c', `cat ${daemon.place.logs}/shop.log`], { encoding: 'utf8' })).toContain('1 1 shop');
}, 60_000);
