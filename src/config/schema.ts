import type { Reload, SignalName } from '../core/spec.ts';
import { COMMAND, type Argv } from './command-form.ts';
import { ENVIRONMENT } from './environment-form.ts';
import { key, later, tableOf, type Given, type Key, type Keys } from './keys.ts';
import { SIGNAL } from './signal.ts';
import { ACCOUNT, choice, decimal, integer, PATH, TEXT } from './single-forms.ts';
import { duration, SIZE, UMASK } from './units.ts';

/** What a vassal section can say, as it is read. Durations in ms, sizes in bytes, paths absolute. */
export interface VassalKeys {
  readonly server: string;
  readonly app: string;
  readonly workers: number;
  readonly command: Argv;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly 'environment-file': string;
  readonly user: string;
  readonly group: string;
  readonly umask: number;
  readonly reload: Reload['kind'];
  readonly 'reload-signal': SignalName;
  readonly 'stop-signal': SignalName;
  readonly 'stop-timeout': number;
  readonly ready: Given<ReadyKeys>;
  readonly 'start-timeout': number;
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly backoff: Given<BackoffKeys>;
  readonly log: Given<LogKeys>;
  readonly listen: never;
  readonly instances: never;
  readonly canary: never;
  readonly linger: never;
  readonly health: never;
  readonly 'on-demand': never;
  readonly 'idle-timeout': never;
  readonly after: never;
  readonly limits: never;
  readonly runner: never;
  readonly systemd: never;
  readonly hooks: never;
}

/** The keys of `ready`. */
export interface ReadyKeys {
  readonly after: number;
  readonly http: never;
  readonly tcp: never;
  readonly command: never;
  readonly log: never;
  readonly notify: never;
}

/** The keys of `backoff`. */
export interface BackoffKeys {
  readonly first: number;
  readonly factor: number;
  readonly max: number;
  readonly jitter: number;
  readonly 'reset-after': number;
}

/** The keys of `log`. */
export interface LogKeys {
  readonly 'max-size': number;
  readonly keep: number;
  readonly format: 'raw' | 'json';
}

const READY: Keys<ReadyKeys> = {
  after: key(duration(), '1s', '"1s"', 'an instance is ready when it is still alive after this time'),
  http: later('an HTTP path that answers'),
  tcp: later('an address that accepts'),
  command: later('a command that succeeds'),
  log: later('a line that is printed'),
  notify: later('the instance says so, sd_notify(3)'),
};

const BACKOFF: Keys<BackoffKeys> = {
  first: key(duration(1), '250ms', '"250ms"', 'the first wait'),
  factor: key(decimal(1, 100), '2', '2', 'each wait is this many times the one before'),
  max: key(duration(1), '60s', '"60s"', 'the longest wait'),
  jitter: key(decimal(0, 1), '0.2', '0.2', 'part of the wait that is left to chance, so that vassals do not start in step'),
  'reset-after': key(duration(), '60s', '"60s"', 'an instance that was ready for so long is loyal: earlier deaths are forgotten'),
};

const LOG: Keys<LogKeys> = {
  'max-size': key(SIZE, '10M', '"10M"', 'a file is rotated before it grows beyond this'),
  keep: key(integer(0, 1000), '10', '10', 'rotated files that are kept'),
  format: key(choice('raw', 'json'), 'raw', '"raw"', '`raw`: as printed; `json`: one object a line, with time and instance'),
};

/** Every key of the vassal section: the one place that knows their names, forms, defaults and words. */
export const VASSAL_KEYS: Keys<VassalKeys> = {
  server: key(TEXT, '', '"gunicorn"', 'app server to run, by the name of its preset'),
  app: key(TEXT, '', '"shop:app"', 'the app, as that server names it'),
  workers: key(integer(1, 10_000), "the server's", '4', 'worker processes of the server'),
  command: key(COMMAND, '', '["node", "server.js"]', 'instead of `server`: a list, or a line that is split as a shell would; it runs without a shell'),
  directory: key(PATH, "the file's folder", '"/srv/shop"', 'where the instance starts; relative paths start from the folder of the file'),
  environment: key(ENVIRONMENT, 'none', '{ PORT = "8000" }', 'variables for the instance, which gets little else'),
  'environment-file': key(PATH, 'none', '"/etc/shop.env"', 'file of `NAME=value` lines, read at each start'),
  user: key(ACCOUNT, "the emperor's", '"www-data"', 'user to run as, by name or number; only root can choose'),
  group: key(ACCOUNT, "the user's", '"www-data"', 'group to run as, by name or number'),
  umask: key(UMASK, "the emperor's", '"022"', 'permissions taken from new files, in octal'),
  reload: key(choice('overlap', 'signal', 'restart'), "the server's, else `restart`", '"restart"', '`overlap`: start the next instance, then stop the old one; `signal`: tell the instance; `restart`: stop, then start'),
  'reload-signal': key(SIGNAL, 'HUP', '"HUP"', 'the signal of `reload = "signal"`'),
  'stop-signal': key(SIGNAL, 'TERM', '"TERM"', 'the signal that asks an instance to end'),
  'stop-timeout': key(duration(), '30s', '"30s"', 'an instance that has not ended by then is killed with its whole process group'),
  ready: withKeys(READY, '{ after = "1s" }', 'when an instance counts as ready'),
  'start-timeout': key(duration(), '60s', '"60s"', 'a start that is not ready by then has failed'),
  restart: key(choice('always', 'on-failure', 'never'), 'always', '"always"', 'whether an instance that ended by itself is started again'),
  backoff: withKeys(BACKOFF, '{ first = "250ms", max = "60s" }', 'waits between the deaths of an instance and its next start'),
  log: withKeys(LOG, '{ max-size = "10M", keep = 10 }', 'how the output of instances is kept'),
  listen: later('addresses that the emperor opens, holds and passes'),
  instances: later('processes that share the sockets'),
  canary: later('part of the traffic that a new revision gets first'),
  linger: later('how long an old instance finishes its connections'),
  health: later('probes of a ready instance'),
  'on-demand': later('start at the first connection'),
  'idle-timeout': later('stop when unused'),
  after: later('vassals that must be ready before this one starts'),
  limits: later('memory, cpu, tasks and files'),
  runner: later('how processes are started'),
  systemd: later('properties of a systemd unit'),
  hooks: later('commands at points of the life of an instance'),
};

function withKeys<T extends object>(inner: Keys<T>, example: string, doc: string): Key<Given<T>> {
  return { ...key(tableOf(inner), '', example, doc), inner };
}
