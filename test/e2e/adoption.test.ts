import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import type { Address } from '../../src/core/address.ts';
import { Daemon, makePlace } from './daemon.ts';
import { freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;
const SERVER = `${FIXTURES}programs/serves-fd3.mjs`;

/** A vassal under load; the emperor is killed, another one takes over, and then deploys. */
async function survive(listen: (place: { readonly folder: string }) => Promise<Address>): Promise<void> {
  const place = makePlace();
  const address = await listen(place);
  const printed = address.kind === 'unix' ? `unix:${address.path}` : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  const first = await Daemon.start(place);
  first.write('shop.toml', ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = ${JSON.stringify(printed)}`, 'ready = { http = "/" }', ''].join('\n'));
  const before = await first.untilState('shop', 'ready');
  const load = startLoad({ address, path: '/', connections: 8, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  try {
    for (let life = 0; life < 3; life += 1) await first.cli('reload', 'shop');
    await first.until(({ vassals: [shop] }) => shop?.instances.length === 1, 'the old instances are gone');
    const old = await first.vassal('shop');
    await first.end('SIGKILL');
    await using second = await first.successor();
    const adopted = await second.untilState('shop', 'ready');
    expect(adopted.instances.map((each) => [each.pid, each.adopted])).toEqual(old?.instances.map((each) => [each.pid, true]));
    expect(adopted.instances[0]?.id).not.toBe(before.instances[0]?.id);
    expect(second.output.join('\n')).toContain('1 of 1 adopted, 0 started');
    for (let swap = 0; swap < 2; swap += 1) {
      const serving = (await second.vassal('shop'))!;
      expect(await second.cli('reload', 'shop')).toMatchObject({ code: 0 });
      await second.untilReplaced('shop', serving);
    }
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(50);
    expect(await second.cli('stop', 'shop')).toMatchObject({ code: 0 });
    expect(second.survivors()).toEqual([]);
  } finally {
    await load.end();
    await first[Symbol.asyncDispose]();
  }
}

it.each(['127.0.0.1', '::1'])('a TCP socket on %s is taken back from the instance that has it: deploys go on after the emperor was killed, and no request is lost', async (host) => {
  await survive(async () => ({ kind: 'tcp', host, port: await freePort(), v6only: false }));
}, 90_000);

it('an instance that forked and named another process as its first one is taken over with its socket', async () => {
  needs('python3', 'python3');
  const place = makePlace();
  const port = await freePort();
  await using first = await Daemon.start(place);
  first.write('shop.toml', ['[vassal]', `command = ["/usr/bin/python3", "${FIXTURES}programs/forks-twice.py", "${FIXTURES}apps/python/server.py"]`, `listen = "127.0.0.1:${port}"`, 'ready = { notify = true }', ''].join('\n'));
  const before = await first.untilState('shop', 'ready');
  const server = Number((await untilAnswer(port)).split(' ')[0]);
  expect((await first.vassal('shop'))?.instances).toMatchObject([{ id: before.instances[0]?.id, pid: server }]);
  await first.end('SIGKILL');
  await using second = await first.successor();
  expect((await second.untilState('shop', 'ready')).instances).toMatchObject([{ id: before.instances[0]?.id, pid: server, adopted: true }]);
  expect(Number((await untilAnswer(port)).split(' ')[0])).toBe(server);
  expect(await second.cli('reload', 'shop')).toMatchObject({ code: 0 });
  expect(await second.cli('stop', 'shop')).toMatchObject({ code: 0 });
  expect(second.survivors()).toEqual([]);
}, 90_000);

it('what is left of an instance that died while no emperor was there is ended, so that its address is free', async () => {
  const place = makePlace();
  const port = await freePort();
  await using first = await Daemon.start(place);
  first.write('shop.toml', ['[vassal]', `command = ["sh", "-c", "node ${SERVER} & wait"]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', ''].join('\n'));
  const { instances: [old] } = await first.untilState('shop', 'ready');
  const server = Number((await untilAnswer(port)).split(' ')[0]);
  await first.end('SIGKILL');
  process.kill(old!.pid!, 'SIGKILL');
  await using second = await first.successor();
  await second.untilState('shop', 'ready');
  expect(second.survivors()).not.toContain(server);
  expect(Number((await untilAnswer(port)).split(' ')[0])).not.toBe(server);
}, 90_000);

it('a unix socket is taken back as well', async () => {
  await survive(({ folder }) => Promise.resolve({ kind: 'unix', path: join(folder, 'shop.sock') }));
}, 90_000);
