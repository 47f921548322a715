import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { needs } from './needs.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

const APP = `import os, threading, uwsgi
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    said = ['app', os.environ.get('WHO', ''), environ['PATH_INFO'], 'processes', str(uwsgi.numproc), 'threads', str(uwsgi.opt.get('threads', b'1')), os.getcwd() == os.environ['HERE'] and 'here' or os.getcwd()]
    return [' '.join(said).encode()]
`;

interface Use {
  readonly file: string;
  /** `PORT` is that of the vassal, `APPS` the folder of the apps. */
  readonly text: string;
  readonly paths?: readonly string[];
  /** With its master, and its mule. */
  readonly processes: number;
}

const ini = (...lines: readonly string[]): string => ['[uwsgi]', 'plugin = python3', 'http-socket = 127.0.0.1:PORT', 'chdir = APPS', 'env = HERE=APPS', ...lines, ''].join('\n');

/** What uWSGI's documentation shows as typical, one file each. */
const USES: readonly Use[] = [
  { file: 'django.ini', processes: 3, text: ini('pythonpath = APPS', 'env = DJANGO_SETTINGS_MODULE=site.settings', 'module = mysite.wsgi:application', 'master = true', 'processes = 2', 'vacuum = true', 'max-requests = 5000') },
  { file: 'flask.ini', processes: 3, text: ini('wsgi-file = app.py', 'callable = application', 'processes = 2', 'threads = 2', 'stats = 127.0.0.1:0') },
  { file: 'harakiri.ini', processes: 2, text: ini('wsgi-file = app.py', 'harakiri = 30', 'cheaper = 1', 'processes = 3', 'cheaper-initial = 1') },
  { file: 'static.ini', processes: 2, text: ini('wsgi-file = app.py', 'static-map = /static=APPS/static'), paths: ['/', '/static/hello.txt'] },
  { file: 'venv.ini', processes: 2, text: ini('wsgi-file = app.py', 'pythonpath = APPS/site-packages', 'pyargv = one two') },
  { file: 'template.ini', processes: 2, text: ini('wsgi-file = app.py', 'env = WHO=%n in %c') },
  { file: 'lazy.ini', processes: 3, text: ini('wsgi-file = app.py', 'lazy-apps = true', 'processes = 2', 'idle = 600') },
  { file: 'daemon.ini', processes: 3, text: ini('wsgi-file = app.py', 'attach-daemon = sleep 1000', 'cron = 0 3 -1 -1 -1 true', 'mule = true', 'touch-reload = APPS/touched') },
  { file: 'include.ini', processes: 3, text: ini('include = APPS/base.ini', 'wsgi-file = app.py', 'if-exists = APPS/app.py', 'env = WHO=there', 'endif =') },
  { file: 'shop.yaml', processes: 3, text: 'uwsgi:\n  plugin: python3\n  http-socket: 127.0.0.1:PORT\n  chdir: APPS\n  env: HERE=APPS\n  wsgi-file: app.py\n  processes: 2\n' },
  { file: 'api.json', processes: 2, text: '{"uwsgi": {"plugin": "python3", "http-socket": "127.0.0.1:PORT", "chdir": "APPS", "env": ["HERE=APPS", "WHO=json"], "wsgi-file": "app.py"}}' },
  { file: 'old.xml', processes: 2, text: '<uwsgi>\n<plugin>python3</plugin>\n<http-socket>127.0.0.1:PORT</http-socket>\n<chdir>APPS</chdir>\n<env>HERE=APPS</env>\n<wsgi-file>app.py</wsgi-file>\n</uwsgi>\n' },
];

/** One folder of vassals, and where they listen. */
function furnish(vassals: string, apps: string, ports: readonly number[]): void {
  for (const folder of ['mysite', 'static', 'site-packages']) mkdirSync(join(apps, folder), { recursive: true });
  for (const file of ['app.py', 'mysite/wsgi.py']) writeFileSync(join(apps, file), APP);
  writeFileSync(join(apps, 'static/hello.txt'), 'hello');
  writeFileSync(join(apps, 'touched'), '');
  writeFileSync(join(apps, 'base.ini'), '[uwsgi]\nprocesses = 2\n');
  for (const [index, { file, text }] of USES.entries()) writeFileSync(join(vassals, file), text.replaceAll('PORT', String(ports[index])).replaceAll('APPS', apps));
}

/** What each of them answers, and how many processes it has, once all of them are there. */
async function lookAt(ports: readonly number[], file: (index: number) => string): Promise<readonly (readonly [string, readonly (string | null)[], number])[]> {
  return await Promise.all(USES.map(async (use, index) => {
    const answers = await until(async () => {
      const all = await Promise.all((use.paths ?? ['/']).map((path) => answer(ports[index]!, path)));
      expect(all).not.toContain(null);
      return all;
    });
    const processes = await until(() => {
      const count = processesWith(file(index));
      expect(count).toBe(use.processes);
      return count;
    });
    return [use.file, answers, processes] as const;
  }));
}

/** Processes of uWSGI that were started with this file: master, workers, mules. */
function processesWith(file: string): number {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes('uwsgi') && ` ${line} `.includes(` ${file} `);
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  }).length;
}

async function theirs(folder: string): Promise<ChildProcess> {
  const child = spawn('uwsgi', ['--emperor', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(child, 'spawn');
  child.stderr?.resume();
  return child;
}

it('twelve files of typical uses serve the same under `uwsgi --emperor` and under us', async () => {
  const place = makePlace();
  const other = mkdtempSync(join(tmpdir(), 'uwsgi-emperor-'));
  const apps = join(place.folder, 'apps');
  const ports = await Promise.all(USES.map(freePort));
  furnish(place.vassals, apps, ports);
  // The same files in a folder of the same name, one after the other: so they can have the same ports.
  const vassals = join(other, 'vassals');
  mkdirSync(vassals);
  furnish(vassals, apps, ports);
  const child = await theirs(vassals);
  let before: Awaited<ReturnType<typeof lookAt>>;
  try {
    before = await lookAt(ports, (index) => USES[index]!.file);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(other, { recursive: true, force: true });
  }
  await until(async () => expect((await Promise.all(ports.map((port) => answer(port)))).every((each) => each === null)).toBe(true));
  await using daemon = await Daemon.start(place);
  const after = await lookAt(ports, (index) => join(place.vassals, USES[index]!.file));
  await daemon.until(({ vassals: all }) => all.length === USES.length && all.every(({ state }) => state === 'ready'), 'all are ready');
  expect(after).toEqual(before);
}, 120_000);
