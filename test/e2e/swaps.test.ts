import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import { Daemon, makePlace } from './daemon.ts';
import { freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';

const APPS = new URL('../fixtures/apps', import.meta.url).pathname;
const SWAPS = 5;
const CONNECTIONS = 8;

interface Server {
  readonly name: string;
  /** The program, and Debian's package with it. */
  readonly program: string;
  readonly from: string;
  /** The vassal file's name and text. */
  readonly file: string;
  readonly text: (port: number) => string;
  /** False: its connections are not kept through a swap, by its own design; README says why. */
  readonly keepsAlive: boolean;
}

/** In toml: a server with its app in a folder of the fixtures. */
const toml = (server: string, app: string, folder: string, ...more: readonly string[]) => (port: number): string => [
  '[vassal]', `server = "${server}"`, `app = "${app}"`, `directory = "apps/${folder}"`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', ...more, '',
].join('\n');

const SERVERS: readonly Server[] = [
  { name: 'gunicorn', program: 'gunicorn', from: 'gunicorn', file: 'shop.toml', text: toml('gunicorn', 'shop:app', 'wsgi', 'workers = 2'), keepsAlive: true },
  { name: 'uvicorn', program: 'uvicorn', from: 'uvicorn', file: 'shop.toml', text: toml('uvicorn', 'shop:app', 'asgi'), keepsAlive: true },
  { name: 'hypercorn', program: 'hypercorn', from: 'python3-hypercorn', file: 'shop.toml', text: toml('hypercorn', 'shop:app', 'asgi'), keepsAlive: false },
  { name: 'waitress', program: 'waitress-serve', from: 'python3-waitress', file: 'shop.toml', text: toml('waitress', 'shop:app', 'wsgi'), keepsAlive: true },
  { name: 'node', program: 'node', from: 'nodejs', file: 'shop.toml', text: toml('node', 'server.mjs', 'node'), keepsAlive: true },
  { name: 'python', program: 'python3', from: 'python3', file: 'shop.toml', text: toml('python', 'server.py', 'python'), keepsAlive: true },
  { name: 'puma', program: 'puma', from: 'puma', file: 'shop.toml', text: toml('puma', 'config.ru', 'rack', 'environment = { PUMA_MAX_THREADS = "24" }'), keepsAlive: true },
  {
    name: 'uwsgi', program: 'uwsgi', from: 'uwsgi-core uwsgi-plugin-python3', file: 'shop.ini',
    text: (port) => ['[vassal]', `listen = 127.0.0.1:${port}`, 'ready.http = /', '', '[uwsgi]', 'protocol = http', 'plugin = python3', 'master = true', 'processes = 2', 'chdir = %dapps/wsgi', 'module = shop:app', ''].join('\n'),
    keepsAlive: false,
  },
];

/** One slow request; its answer, or what became of it. */
async function slow(port: number): Promise<string> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/slow', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.statusCode)));
      response.on('error', (error) => resolve(error.message));
    }).on('error', (error) => resolve(error.message));
  });
}

it.each(SERVERS)('$name: five swaps under load lose no request, kept alive or not, fast or slow', async ({ program, from, file, text, keepsAlive }) => {
  needs(program, from);
  const place = makePlace();
  mkdirSync(join(place.vassals, 'apps'));
  cpSync(APPS, join(place.vassals, 'apps'), { recursive: true });
  await using daemon = await Daemon.start(place);
  const port = await freePort();
  writeFileSync(join(place.vassals, file), text(port));
  await daemon.untilState('shop', 'ready');
  await untilAnswer(port);

  const address = { kind: 'tcp', host: '127.0.0.1', port, v6only: false } as const;
  const loads: Load[] = [keepsAlive, false].map((keepAlive) => startLoad({ address, path: '/', connections: CONNECTIONS, keepAlive, timeoutMs: 20_000 }, () => performance.now()));
  const slows: Promise<string>[] = [];
  for (let swap = 0; swap < SWAPS; swap += 1) {
    slows.push(slow(port));
    const ended = await daemon.cli('reload', 'shop');
    expect(ended).toMatchObject({ code: 0 });
  }
  const results = await Promise.all(loads.map((load) => load.end()));
  expect(await Promise.all(slows)).toEqual(Array.from({ length: SWAPS }, () => '200'));
  expect(results.map(({ lost }) => Object.fromEntries(lost))).toEqual([{}, {}]);
  // A kept connection may be closed while a request is on its way to it, once in each swap.
  expect(results[0]!.resent).toBeLessThanOrEqual(CONNECTIONS * SWAPS);
  expect(results[1]!.resent).toBe(0);
  for (const { answered } of results) expect(answered).toBeGreaterThan(50);
  const vassal = await daemon.vassal('shop');
  expect(vassal).toMatchObject({ state: 'ready', failure: null, restarts: 0 });
}, 120_000);
