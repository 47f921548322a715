import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, type Place } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { needs } from './needs.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3 python3-django python3-flask'));

const asRoot = process.getuid?.() === 0;

/** A user that every Debian has, user and group of one number each. */
const GAMES = { uid: 5, gid: 60 };

const APP = `import os, threading, uwsgi
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    said = ['app', os.environ.get('WHO', ''), environ['PATH_INFO'], 'processes', str(uwsgi.numproc), 'threads', str(uwsgi.opt.get('threads', b'1')), os.getcwd() == os.environ['HERE'] and 'here' or os.getcwd()]
    return [' '.join(said).encode()]
`;

/** What every app says of where it runs. */
const WHERE = `import os, uwsgi
def where():
    here = 'here' if os.getcwd() == os.environ['HERE'] else os.getcwd()
    return 'processes %d threads %s %s' % (uwsgi.numproc, uwsgi.opt.get('threads', b'1'), here)
`;

/** Django as `startproject` lays it out, as small as it can be. */
const DJANGO: Readonly<Record<string, string>> = {
  'mysite/__init__.py': '',
  'mysite/settings.py': "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'mysite.urls'\nMIDDLEWARE = ['django.middleware.common.CommonMiddleware']\nINSTALLED_APPS = ['django.contrib.contenttypes']\nUSE_TZ = True\n",
  'mysite/urls.py': `import django
from django.http import HttpResponse
from django.urls import path
from where import where
urlpatterns = [
    path('', lambda request: HttpResponse('django %s %s' % (django.get_version(), where()))),
    path('articles/<int:year>/', lambda request, year: HttpResponse('articles of %d' % year)),
]
`,
  'mysite/wsgi.py': "import os\nfrom django.core.wsgi import get_wsgi_application\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\napplication = get_wsgi_application()\n",
};

const FLASK = `from flask import Flask, __version__, jsonify
from where import where
app = Flask(__name__)
@app.route('/')
def index():
    return 'flask %s %s' % (__version__, where())
@app.route('/hello/<name>')
def hello(name):
    return jsonify(hello=name)
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
  { file: 'django.ini', processes: 3, paths: ['/', '/articles/2026/', '/nowhere'], text: ini('pythonpath = APPS', 'module = mysite.wsgi:application', 'master = true', 'processes = 2', 'vacuum = true', 'max-requests = 5000') },
  { file: 'flask.ini', processes: 3, paths: ['/', '/hello/you', '/nowhere'], text: ini('pythonpath = APPS', 'wsgi-file = shop.py', 'callable = app', 'processes = 2', 'threads = 2', 'stats = 127.0.0.1:0') },
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

const onDemand: Use = {
  file: 'lazy.ini', processes: 2,
  // The vassal section is ours alone; uWSGI's own Emperor finds the address in a file beside it.
  text: `${ini('wsgi-file = app.py', 'protocol = http', 'idle = 1', 'die-on-idle = true').replace('http-socket = 127.0.0.1:PORT\n', '')}[vassal]\nlisten = 127.0.0.1:PORT\non-demand = true\n`,
};

const tyrants: Use = { file: 'shop.ini', processes: 3, text: ini('wsgi-file = whoami.py', 'processes = 2') };

const WHOAMI = `import os
def application(environ, start_response):
    start_response('200 OK', [])
    return [('uid %d %d gid %d %d' % (*os.getresuid()[:2], *os.getresgid()[:2])).encode()]
`;

/** One place for both Emperors: the same files, the same apps, the same ports. */
class Arena {
  readonly place: Place = makePlace();
  readonly uses: readonly Use[];
  readonly ports: readonly number[];
  readonly apps: string;

  private constructor(uses: readonly Use[], ports: readonly number[]) {
    this.uses = uses;
    this.ports = ports;
    this.apps = join(this.place.folder, 'apps');
    for (const folder of ['mysite', 'static', 'site-packages']) mkdirSync(join(this.apps, folder), { recursive: true });
    const files = { ...DJANGO, 'where.py': WHERE, 'shop.py': FLASK, 'app.py': APP, 'whoami.py': WHOAMI, 'static/hello.txt': 'hello', touched: '', 'base.ini': '[uwsgi]\nprocesses = 2\n' };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.apps, file), text);
    for (const [index, { file, text }] of uses.entries()) writeFileSync(join(this.place.vassals, file), text.replaceAll('PORT', String(ports[index])).replaceAll('APPS', this.apps));
  }

  static async of(...uses: readonly Use[]): Promise<Arena> {
    return new Arena(uses, await Promise.all(uses.map(freePort)));
  }

  /** What is seen while the Emperor of uWSGI governs. */
  async underTheirs<T>(look: () => Promise<T>, ...options: readonly string[]): Promise<T> {
    const child = spawn('uwsgi', ['--emperor', this.place.vassals, '--emperor-freq', '1', ...options], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      return await look();
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await until(async () => expect((await Promise.all(this.ports.map((port) => answer(port)))).every((each) => each === null)).toBe(true));
    }
  }

  /** What is seen while ours does. */
  async underOurs<T>(look: (daemon: Daemon) => Promise<T>, ...args: readonly string[]): Promise<T> {
    await using daemon = await Daemon.start(this.place, { args });
    return await look(daemon);
  }

  /** Processes of uWSGI of this file: master, workers, mules. */
  processes({ file }: Use): number {
    return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0]?.includes('uwsgi') === true && words.some((word) => word === file || word.endsWith(`/${file}`)) && readlinkSync(`/proc/${pid}/cwd`) === this.apps;
      } catch (error) {
        if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    }).length;
  }

  async has(use: Use, processes: number): Promise<number> {
    return await until(() => {
      expect([use.file, this.processes(use)]).toEqual([use.file, processes]);
      return processes;
    });
  }

  async answers(index: number): Promise<readonly (string | null)[]> {
    return await until(async () => {
      const all = await Promise.all((this.uses[index]!.paths ?? ['/']).map((path) => answer(this.ports[index]!, path)));
      expect(all).not.toContain(null);
      return all;
    });
  }

  /** What each of them answers, and how many processes it has, once all of them are there. */
  async look(): Promise<readonly (readonly [string, readonly (string | null)[], number])[]> {
    return await Promise.all(this.uses.map(async (use, index) => [use.file, await this.answers(index), await this.has(use, use.processes)] as const));
  }
}

describe('under `uwsgi --emperor` and under us', () => {
  it('twelve files of typical uses, with the real Django and Flask, serve the same', async () => {
    const arena = await Arena.of(...USES);
    const theirs = await arena.underTheirs(() => arena.look());
    const ours = await arena.underOurs(async (daemon) => {
      const seen = await arena.look();
      await daemon.until(({ vassals }) => vassals.length === USES.length && vassals.every(({ state }) => state === 'ready'), 'all are ready');
      return seen;
    });
    expect(ours).toEqual(theirs);
    expect(theirs.slice(0, 2).map(([, answers]) => answers.slice(0, 2))).toEqual([
      [expect.stringMatching(/^django \S+ processes 2 threads b'1' here$/), 'articles of 2026'],
      [expect.stringMatching(/^flask \S+ processes 2 threads b'2' here$/), '{"hello":"you"}\n'],
    ]);
  }, 180_000);

  it.runIf(asRoot)('a file of a user runs as that user in tyrant mode, and one of root does not', async () => {
    const arena = await Arena.of(tyrants, { ...tyrants, file: 'root.ini' });
    for (const folder of [arena.place.folder, arena.apps]) chmodSync(folder, 0o755);
    chownSync(join(arena.place.vassals, tyrants.file), GAMES.uid, GAMES.gid);
    const look = async (): Promise<unknown> => [await arena.answers(0), await arena.has(arena.uses[0]!, 3), await answer(arena.ports[1]!), await arena.has(arena.uses[1]!, 0)];
    const theirs = await arena.underTheirs(look, '--emperor-tyrant');
    const ours = await arena.underOurs(async (daemon) => {
      await daemon.untilState('root', 'invalid');
      return await look();
    }, '--tyrant');
    expect(ours).toEqual(theirs);
    expect(theirs).toEqual([[`uid ${GAMES.uid} ${GAMES.uid} gid ${GAMES.gid} ${GAMES.gid}`], 3, null, 0]);
  }, 180_000);

  it('a file on demand starts at the first request, sleeps when it is idle, and wakes at the next', async () => {
    const arena = await Arena.of(onDemand);
    const [use] = arena.uses as [Use];
    // For uWSGI's own Emperor alone: ours takes no such name for a vassal.
    writeFileSync(join(arena.place.vassals, `${use.file}.on`), `127.0.0.1:${arena.ports[0]}\n`);
    const look = async (): Promise<readonly unknown[]> => {
      const seen: unknown[] = [await arena.has(use, 0)];
      for (let turn = 0; turn < 2; turn += 1) seen.push(await arena.answers(0), await arena.has(use, use.processes), await arena.has(use, 0));
      return seen;
    };
    const theirs = await arena.underTheirs(look, '--emperor-on-demand-extension', '.on');
    const ours = await arena.underOurs(look);
    expect(ours).toEqual(theirs);
    expect(ours.filter((each) => typeof each === 'number')).toEqual([0, 2, 0, 2, 0]);
  }, 180_000);
});
