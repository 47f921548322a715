import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import { makePlace, type Daemon } from './daemon.ts';
import { freePort, untilAnswer } from './http.ts';
import { asNobody } from './nobody.ts';

/** Has the stand-in for the command; the server that it becomes, and its module, are real. */
const BIN = new URL('../fixtures/bin', import.meta.url).pathname;
const APP = new URL('../fixtures/apps/mod_wsgi', import.meta.url).pathname;
const CONNECTIONS = 8;
const RELOADS = 3;

/** A shop under Apache, run by an emperor that is not root: as root mod_wsgi-express wants to be told of a user. */
class Shop {
  readonly daemon: Daemon;
  readonly port: number;

  constructor(daemon: Daemon, port: number) {
    this.daemon = daemon;
    this.port = port;
  }

  /** Another text for the app to be loaded with. */
  release(revision: string): void {
    writeFileSync(join(this.daemon.place.vassals, 'app/revision'), revision);
  }

  breakApp(): void {
    this.daemon.write('app/shop.wsgi', 'def application(\n');
  }

  edit(...more: readonly string[]): void {
    this.daemon.write('shop.toml', [
      '[vassal]', 'server = "mod_wsgi-express"', 'app = "shop.wsgi"', 'directory = "app"', `listen = "127.0.0.1:${this.port}"`, `environment = { PATH = "${BIN}:/usr/bin:/bin" }`, ...more, '',
    ].join('\n'));
  }

  loads(): readonly Load[] {
    const address = { kind: 'tcp', host: '127.0.0.1', port: this.port, v6only: false } as const;
    return [true, false].map((keepAlive) => startLoad({ address, path: '/', connections: CONNECTIONS, keepAlive, timeoutMs: 20_000 }, () => performance.now()));
  }

  /** Begins a request that takes so long; `status` is what it is answered with. */
  async slow(seconds: number): Promise<{ readonly status: Promise<number> }> {
    const begun = (await this.begun()) + 1;
    const status = new Promise<number>((resolve, reject) => {
      get({ host: '127.0.0.1', port: this.port, path: `/slow?${seconds}`, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
      }).on('error', reject);
    });
    await expect.poll(() => this.begun(), { timeout: 20_000, interval: 20 }).toBe(begun);
    return { status };
  }

  private async begun(): Promise<number> {
    const { stdout } = await this.daemon.cli('logs', '-n', '1000', 'shop');
    return stdout.split('slow begins').length - 1;
  }
}

async function openShop(): Promise<{ readonly daemon: Daemon; readonly shop: Shop }> {
  for (const file of ['/usr/sbin/apache2', '/usr/lib/apache2/modules/mod_wsgi.so']) {
    if (!existsSync(file)) throw new Error(`this test needs ${file}: apt-get install apache2-bin libapache2-mod-wsgi-py3 (or run: sh test/all.sh)`);
  }
  const place = makePlace();
  cpSync(APP, join(place.vassals, 'app'), { recursive: true });
  const daemon = await asNobody(place);
  const shop = new Shop(daemon, await freePort());
  shop.release('one');
  return { daemon, shop };
}

it('a touch has the app loaded anew in the same Apache: none is refused, and what meets the change is answered by 500 or 503', async () => {
  const { daemon: started, shop } = await openShop();
  await using daemon = started;
  shop.edit('workers = 2');
  const { instances: [first] } = await daemon.untilState('shop', 'ready');
  expect(await untilAnswer(shop.port)).toMatch(/^\d+ one$/);
  const loads = shop.loads();
  for (let reload = 1; reload <= RELOADS; reload += 1) {
    const slow = await shop.slow(1);
    shop.release(`release ${reload}`);
    expect(await daemon.cli('reload', 'shop')).toMatchObject({ code: 0 });
    expect(await slow.status).toBe(200);
    await untilAnswer(shop.port, (text) => text.endsWith(`release ${reload}`));
  }
  const results = await Promise.all(loads.map((load) => load.end()));
  for (const { answered, lost } of results) {
    expect(answered).toBeGreaterThan(50);
    // Whether there are any depends on what Apache has accepted at that moment.
    expect([...lost.keys()].filter((reason) => !['HTTP 500', 'HTTP 503'].includes(reason))).toEqual([]);
    expect([...lost.values()].reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(2 * CONNECTIONS * RELOADS);
  }
  expect(await daemon.vassal('shop')).toMatchObject({ state: 'ready', restarts: 0, instances: [{ id: first?.id, pid: first?.pid }] });
}, 60_000);

it('a touch cuts off what takes more than 3 s: Apache waits no longer for the processes of mod_wsgi', async () => {
  const { daemon: started, shop } = await openShop();
  await using daemon = started;
  shop.edit();
  await daemon.untilState('shop', 'ready');
  const slow = await shop.slow(30);
  expect(await daemon.cli('reload', 'shop')).toMatchObject({ code: 0 });
  expect(await slow.status).toBe(500);
}, 60_000);

it('a stop, and an edit of the file, finish what runs, however long it takes', async () => {
  const { daemon: started, shop } = await openShop();
  await using daemon = started;
  shop.edit();
  await daemon.untilState('shop', 'ready');
  const edited = await shop.slow(5);
  shop.edit('workers = 2');
  await daemon.until(({ vassals: [vassal] }) => vassal?.state === 'ready' && vassal.revision === 2, 'the edit is served');
  expect(await edited.status).toBe(200);
  const stopped = await shop.slow(5);
  expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
  expect(await stopped.status).toBe(200);
  expect((await daemon.vassal('shop'))?.instances).toEqual([]);
  expect(daemon.survivors()).toEqual([]);
}, 60_000);

it('an app that cannot be loaded is ready and answers 500, unless the file says what a good answer is', async () => {
  const { daemon: started, shop } = await openShop();
  await using daemon = started;
  shop.breakApp();
  shop.edit();
  await daemon.untilState('shop', 'ready');
  shop.edit('ready = { http = "/" }', 'start-timeout = "2s"', 'rollback = false');
  const { vassals: [vassal] } = await daemon.until(({ vassals: [now] }) => now?.failure?.revision === 2 && now.failure.output.length > 0, 'the app is refused');
  expect(vassal?.failure).toMatchObject({ code: 'E_NOT_READY', message: expect.stringContaining('HTTP 500'), output: expect.arrayContaining([expect.stringContaining('SyntaxError')]) });
}, 60_000);
