import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import { Daemon, makePlace, type Place } from './daemon.ts';
import { answer, freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';

const APPS = new URL('../fixtures/apps', import.meta.url).pathname;
const SWAPS = 5;
/** Debian puts the version into its name. */
const PHP_FPM = readdirSync('/usr/sbin').find((name) => name.startsWith('php-fpm')) ?? 'php-fpm';

/** nginx in the foreground, in a folder of its own. */
async function nginx(place: Place, port: number, location: string): Promise<ChildProcess & AsyncDisposable> {
  const config = join(place.folder, 'nginx.conf');
  writeFileSync(config, `
daemon off; master_process off; pid ${place.folder}/nginx.pid; error_log ${place.folder}/nginx.log;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${place.folder}/nginx-${each};`).join(' ')}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`);
  const child = spawn('nginx', ['-c', config, '-p', place.folder], { stdio: 'inherit' });
  return Object.assign(child, {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  });
}

it.each([
  {
    name: 'uWSGI by its own protocol', program: 'uwsgi', from: 'uwsgi-core uwsgi-plugin-python3', file: 'shop.ini',
    text: (path: string) => ['[vassal]', `listen = unix:${path}`, '', '[uwsgi]', 'plugin = python3', 'master = true', 'processes = 2', 'chdir = %dapps/wsgi', 'module = shop:app', ''],
    location: (path: string) => `include /etc/nginx/uwsgi_params; uwsgi_pass unix:${path};`,
  },
  {
    name: 'php-fpm by FastCGI', program: PHP_FPM, from: 'php-fpm', file: 'shop.toml',
    text: (path: string) => ['[vassal]', 'server = "php-fpm"', 'app = "php-fpm.conf"', 'directory = "apps/php"', `listen = "unix:${path}"`, ''],
    location: (path: string, place: Place) => `include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME ${place.vassals}/apps/php/index.php; fastcgi_pass unix:${path};`,
  },
])('$name, behind nginx: five swaps under load lose no request, kept alive or not', async ({ program, from, file, text, location }) => {
  needs('nginx', 'nginx-light');
  needs(program, from);
  const place = makePlace();
  // The workers of php-fpm are nobody's.
  chmodSync(place.folder, 0o755);
  mkdirSync(join(place.vassals, 'apps'));
  cpSync(APPS, join(place.vassals, 'apps'), { recursive: true });
  await using daemon = await Daemon.start(place);
  const path = join(place.folder, 'shop.sock');
  daemon.write(file, text(path).join('\n'));
  await daemon.untilState('shop', 'ready');
  const port = await freePort();
  await using _front = await nginx(place, port, location(path, place));
  await untilAnswer(port, (body) => /^\d+ 1/.test(body));

  const address = { kind: 'tcp', host: '127.0.0.1', port, v6only: false } as const;
  const loads = [true, false].map((keepAlive) => startLoad({ address, path: '/', connections: 8, keepAlive, timeoutMs: 20_000 }, () => performance.now()));
  const slows: Promise<string | null>[] = [];
  for (let swap = 0; swap < SWAPS; swap += 1) {
    slows.push(answer(port, '/slow'));
    expect(await daemon.cli('reload', 'shop')).toMatchObject({ code: 0 });
  }
  const results = await Promise.all(loads.map((load) => load.end()));
  for (const each of await Promise.all(slows)) expect(each).toMatch(/^\d+ 1/);
  expect(results.map(({ lost }) => Object.fromEntries(lost))).toEqual([{}, {}]);
  for (const { answered } of results) expect(answered).toBeGreaterThan(50);
  expect(await daemon.vassal('shop')).toMatchObject({ state: 'ready', failure: null, restarts: 0 });
}, 120_000);
