import { join } from 'node:path';
import type { Address } from '../../src/core/address.ts';
import type { StateWord } from '../../src/control/protocol.ts';
import type { Flaw, Role } from './plan.ts';

/** A text of a vassal file: its number, and what is wrong with it. */
export interface Edition {
  readonly number: number;
  readonly flaw: Flaw | null;
}

/** How a vassal is asked while all goes on. */
export interface Custom {
  readonly address: Address;
  readonly keepAlive: boolean;
  readonly connections: number;
  readonly restMs: number;
}

/** One vassal, and what is expected of it. */
export interface Member extends Role {
  /** Its file's name. */
  readonly file: string;
  readonly text: (edition: Edition) => string;
  /** null: nobody asks it. */
  readonly custom: Custom | null;
  /** Nothing of it runs before somebody asks. */
  readonly onDemand: boolean;
  /** As its file says. */
  readonly instances: number;
  /** The states that it may be in once all is quiet. */
  readonly quiet: readonly StateWord[];
  /** Its log is on the small disk. */
  readonly onSmallDisk: boolean;
  /** Its lines are objects in the log. */
  readonly transformed: boolean;
  /** Told to end, it closes connections that it has just accepted: where nobody takes its place before, as in a pause, a request goes with them. */
  readonly hasty: boolean;
}

/** Where the household lives. */
export interface Home {
  readonly folder: string;
  readonly counts: string;
  readonly ports: () => number;
}

const PROGRAMS = new URL('programs/', import.meta.url).pathname;
const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;
const APPS = `${FIXTURES}apps/`;
const HASTE = 'backoff = { first = "100ms", max = "2s" }';

/** How a vassal differs from the ordinary one: a plain command that one asks nothing. */
interface Manner {
  readonly name: string;
  /** Of our program; see there. */
  readonly words?: readonly string[];
  /** Instead of `command`: lines that say what is run. */
  readonly runs?: readonly string[];
  readonly listen?: 'tcp' | 'unix';
  /** Instead of the ordinary way: an answer where it listens, else a little time. */
  readonly ready?: string;
  readonly more?: readonly string[];
  readonly custom?: Partial<Omit<Custom, 'address'>>;
  readonly unasked?: boolean;
  readonly instances?: number;
  readonly onDemand?: boolean;
  readonly quiet?: readonly StateWord[];
  readonly linked?: boolean;
  readonly onSmallDisk?: boolean;
  readonly hasty?: boolean;
}

const SERVES = ['serve', 'print=50'];
const MANNERS: readonly Manner[] = [
  { name: 'node', words: SERVES, listen: 'tcp' },
  { name: 'node-many', words: SERVES, listen: 'tcp', instances: 3 },
  { name: 'node-roll', words: SERVES, listen: 'tcp', instances: 2, more: ['roll = true'] },
  { name: 'node-canary', words: SERVES, listen: 'tcp', more: ['canary = { share = "20%", for = "2s" }'] },
  { name: 'node-unix', words: SERVES, listen: 'unix' },
  { name: 'node-slow', words: [...SERVES, 'slow=3000'], listen: 'tcp' },
  { name: 'node-linked', words: SERVES, listen: 'tcp', linked: true },
  { name: 'node-health', words: SERVES, listen: 'tcp', more: ['health = { http = "/", interval = "1s", timeout = "4s", failures = 3 }'] },
  { name: 'node-after', words: SERVES, listen: 'unix', more: ['after = ["node"]'] },
  { name: 'gunicorn', runs: ['server = "gunicorn"', 'app = "shop:app"', 'workers = 2', `directory = "${APPS}wsgi"`], listen: 'tcp', custom: { keepAlive: false } },
  { name: 'gunicorn-unix', runs: ['server = "gunicorn"', 'app = "shop:app"', `directory = "${APPS}wsgi"`], listen: 'unix', custom: { keepAlive: false } },
  { name: 'uvicorn', runs: ['server = "uvicorn"', 'app = "shop:app"', `directory = "${APPS}asgi"`], listen: 'tcp', hasty: true },
  { name: 'python', runs: ['server = "python"', 'app = "server.py"', `directory = "${APPS}python"`], listen: 'tcp' },
  { name: 'forks-twice', runs: [`command = ["/usr/bin/python3", "${FIXTURES}programs/forks-twice.py", "${APPS}python/server.py"]`], listen: 'tcp', ready: 'ready = { notify = true }' },
  { name: 'deaf-server', words: [...SERVES, 'deaf'], listen: 'tcp', unasked: true, more: ['stop-timeout = "2s"'] },
  { name: 'demand-node', words: SERVES, listen: 'tcp', onDemand: true },
  { name: 'demand-unix', words: SERVES, listen: 'unix', onDemand: true, more: ['idle-timeout = "1s"'] },
  { name: 'demand-slow', words: [...SERVES, 'slow=1000'], listen: 'tcp', onDemand: true, more: ['idle-timeout = "2s"'] },
  { name: 'port', words: [...SERVES, 'port'], listen: 'tcp', unasked: true, more: ['pass = "port"'] },
  { name: 'signal', words: ['print=50', 'hup'], more: ['reload = "signal"'] },
  { name: 'printer', words: ['print=20'], linked: true },
  { name: 'printer-many', words: ['print=50'], instances: 3 },
  { name: 'printer-json', words: ['print=50'], more: ['log = { format = "json", keep = 1000 }'] },
  { name: 'printer-turns', words: ['print=20', 'lines=5'], more: ['log = { max-size = "64K", keep = 1000 }'] },
  { name: 'printer-fast', words: ['print=100', 'lines=100'], more: ['log = { max-size = "4M", keep = 1000 }'] },
  { name: 'small-disk', words: ['print=20'], onSmallDisk: true, more: ['log = { max-size = "1G" }'] },
  { name: 'crashes', words: ['print=20', 'crash=4000'], quiet: ['ready', 'starting', 'backoff', 'waiting'] },
  { name: 'ends', words: ['print=50', 'ends=1500'], more: ['restart = "on-failure"'], quiet: ['ready', 'exited'] },
  { name: 'deaf', words: ['print=50', 'deaf'], more: ['stop-timeout = "1s"'] },
  { name: 'forks', words: ['print=50', 'fork'] },
];

/** All of them: the table above, and uWSGI by its own files, with a socket of the emperor and without. */
export function household(home: Home): readonly Member[] {
  return [...MANNERS.map((manner) => member(manner, home)), uwsgi('uwsgi', true, home), uwsgi('uwsgi-alone', false, home)];
}

function member(manner: Manner, home: Home): Member {
  const { name, words = [], runs, listen, more = [], instances = 1, onDemand = false, linked = false, onSmallDisk = false, hasty = false } = manner;
  const address = listen === undefined ? null : makeAddress(name, listen, home);
  const good = runs ?? [`command = ["node", "${PROGRAMS}vassal.mjs", ${words.map((word) => `"${word}"`).join(', ')}]`];
  const ready = manner.ready ?? (listen === undefined ? 'ready = { after = "200ms" }' : 'ready = { http = "/" }');
  return {
    name, linked, onDemand, instances, onSmallDisk, hasty, transformed: more.some((line) => line.includes('format = "json"')),
    mostInstances: listen === undefined || manner.more?.includes('pass = "port"') === true ? 1 : 4,
    file: `${name}.toml`,
    custom: address === null || manner.unasked === true ? null : { address, keepAlive: true, connections: onDemand ? 1 : 2, restMs: onDemand ? 3_000 : 100, ...manner.custom },
    quiet: manner.quiet ?? (onDemand ? ['ready', 'idle'] : ['ready']),
    text: ({ number, flaw }) => [
      '[vassal]',
      ...(flaw === 'dies' ? ['command = ["sh", "-c", "exit 3"]'] : flaw === 'never-ready' ? ['command = ["sleep", "1000"]'] : good),
      ...(flaw === 'never-ready' ? ['ready = { log = "^never$" }', 'start-timeout = "1500ms"'] : [ready]),
      ...(address === null ? [] : [`listen = "${printed(address)}"`]),
      ...(onDemand ? ['on-demand = true'] : []),
      ...(instances > 1 ? [`instances = ${instances}`] : []),
      HASTE,
      ...more,
      `environment = { REVISION = "${number}", COUNTS = "${home.counts}" }`,
      ...(flaw === 'syntax' ? ['this is no toml'] : []),
      '',
    ].join('\n'),
  };
}

function uwsgi(name: string, passed: boolean, home: Home): Member {
  const address = makeAddress(name, 'tcp', home);
  return {
    name, linked: false, onDemand: false, instances: 1, onSmallDisk: false, hasty: false, transformed: false, mostInstances: 1, quiet: ['ready'],
    file: `${name}.ini`,
    custom: passed ? { address, keepAlive: false, connections: 2, restMs: 60 } : null,
    text: ({ number, flaw }) => [
      '[vassal]',
      ...(passed ? [`listen = ${printed(address)}`] : []),
      ...(flaw === 'never-ready' ? ['ready.log = ^never$', 'start-timeout = 1500ms'] : passed ? ['ready.http = /'] : ['ready.after = 500ms']),
      'backoff.first = 100ms', 'backoff.max = 2s',
      ...(flaw === 'syntax' ? ['no-such-key = 1'] : []),
      '',
      '[uwsgi]',
      ...(passed ? ['protocol = http'] : [`http-socket = ${printed(address)}`]),
      'plugin = python3', 'master = true', 'processes = 2', 'need-app = true', `chdir = ${APPS}wsgi`,
      flaw === 'dies' ? 'module = nowhere:app' : 'module = shop:app',
      `env = REVISION=${number}`,
      '',
    ].join('\n'),
  };
}

function makeAddress(name: string, kind: 'tcp' | 'unix', { folder, ports }: Home): Address {
  return kind === 'unix' ? { kind, path: join(folder, `${name}.sock`) } : { kind, host: '127.0.0.1', port: ports(), v6only: false };
}

function printed(address: Address): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `${address.host}:${address.port}`;
}
