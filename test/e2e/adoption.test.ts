import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import type { Address } from '../../src/core/address.ts';
import { Daemon, makePlace } from './daemon.ts';
import { freePort } from './http.ts';

const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;

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

it('a unix socket is taken back as well', async () => {
  await survive(({ folder }) => Promise.resolve({ kind: 'unix', path: join(folder, 'shop.sock') }));
}, 90_000);
