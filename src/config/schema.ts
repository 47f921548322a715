import type { Listen } from '../core/address.ts';
import type { Passing, Reload, SignalName } from '../core/spec.ts';
import { COMMAND, type Argv } from './command-form.ts';
import { ENVIRONMENT } from './environment-form.ts';
import { HOOKS, type HookKeys } from './hook-keys.ts';
import { key, tableOf, type Given, type Key, type Keys } from './keys.ts';
import { LISTEN, LISTEN_KEYS } from './listen-form.ts';
import { listOf } from './list-form.ts';
import { HEALTH, READY, type HealthKeys, type ReadyKeys } from './probe-keys.ts';
import { INSTANCES, INSTANCES_KEYS, SCALE_DOWN, SCALE_UP, type InstancesKeys, type ScaleDownKeys, type ScaleUpKeys } from './scaling.ts';
import { SIGNAL } from './signal.ts';
import { ACCOUNT, BOOLEAN, choice, decimal, integer, PATH, TEXT } from './single-forms.ts';
import { UNIT } from './unit-form.ts';
import { CORES, duration, SHARE, SIZE, UMASK } from './units.ts';

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
  readonly listen: readonly Listen[];
  readonly 'adopt-sockets': boolean;
  readonly pass: Passing;
  readonly channel: boolean;
  readonly instances: InstancesKeys;
  readonly 'scale-up': Given<ScaleUpKeys>;
  readonly 'scale-down': Given<ScaleDownKeys>;
  readonly reload: Reload['kind'];
  readonly 'reload-signal': SignalName;
  readonly roll: boolean;
  readonly canary: Given<CanaryKeys>;
  readonly linger: number;
  readonly rollback: boolean;
  readonly 'stop-signal': SignalName;
  readonly 'stop-timeout': number;
  readonly ready: Given<ReadyKeys>;
  readonly 'start-timeout': number;
  readonly health: Given<HealthKeys>;
  readonly 'on-demand': boolean;
  readonly 'idle-timeout': number;
  readonly after: readonly string[];
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly backoff: Given<BackoffKeys>;
  readonly log: Given<LogKeys>;
  readonly limits: Given<LimitsKeys>;
  readonly runner: 'direct' | 'systemd';
  readonly systemd: readonly string[];
  readonly hooks: Given<HookKeys>;
}

/** The keys of `canary`. */
export interface CanaryKeys {
  readonly share: number;
  readonly for: number;
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
  readonly to: 'file' | 'journal';
  readonly 'max-size': number;
  readonly keep: number;
  readonly format: 'raw' | 'json';
}

/** The keys of `limits`. */
export interface LimitsKeys {
  readonly memory: number;
  readonly cpu: number;
  readonly tasks: number;
  readonly files: number;
}

const CANARY: Keys<CanaryKeys> = {
  share: key(SHARE, '5%', '"5%"', 'the part of the new connections'),
  for: key(duration(1), '60s', '"60s"', 'it has to stay well for so long before it gets them all'),
};

const BACKOFF: Keys<BackoffKeys> = {
  first: key(duration(1), '250ms', '"250ms"', 'the first wait'),
  factor: key(decimal(1, 100), '2', '2', 'each wait is this many times the one before'),
  max: key(duration(1), '60s', '"60s"', 'the longest wait'),
  jitter: key(decimal(0, 1), '0.2', '0.2', 'part of the wait that is left to chance, so that vassals do not start in step'),
  'reset-after': key(duration(), '60s', '"60s"', 'an instance that was ready for so long is loyal: earlier deaths are forgotten'),
};

const LOG: Keys<LogKeys> = {
  to: key(choice('file', 'journal'), 'file', '"journal"', '`file`: a file of its own; `journal`: the journal of the host, a line an entry'),
  'max-size': key(SIZE, '10M', '"10M"', 'a file is rotated before it grows beyond this'),
  keep: key(integer(0, 1000), '10', '10', 'rotated files that are kept'),
  format: key(choice('raw', 'json'), 'raw', '"raw"', '`raw`: as printed; `json`: one object a line, with time and instance'),
};

const LIMITS: Keys<LimitsKeys> = {
  memory: key(SIZE, 'none', '"512M"', 'memory of all processes of an instance together; who takes more is killed. Without a cgroup: address space of each process'),
  cpu: key(CORES, 'none', '"50%"', 'share of one core; needs a cgroup'),
  tasks: key(integer(1, 4_194_304), 'none', '100', 'processes and threads; needs a cgroup'),
  files: key(integer(8, 1_048_576), "the emperor's own at its start", '4096', 'files that each process may have open'),
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
  listen: { ...key(LISTEN, 'none', '["127.0.0.1:8000", "unix:/run/shop.sock"]', 'addresses that the emperor opens, holds and passes; `:80` takes IPv4 and IPv6; a table says more of one'), inner: LISTEN_KEYS },
  'adopt-sockets': key(BOOLEAN, 'false', 'true', 'for uWSGI files: the sockets that the uwsgi section names are opened and held by the emperor, as if they stood in `listen`'),
  pass: key(choice('listen-fds', 'fds', 'port'), "the server's, else `listen-fds`", '"listen-fds"', 'how instances get their sockets: `listen-fds`: as descriptors from 3 on, told by `LISTEN_FDS`, sd_listen_fds(3); `fds`: without being told; `port`: they open the address themselves, told by `HOST` and `PORT`'),
  channel: key(BOOLEAN, 'false', 'true', "`command` speaks the protocol of uWSGI's Emperor, on the descriptor `UWSGI_EMPEROR_FD`: so it says that it is ready, and is told to reload and to stop"),
  instances: { ...key(INSTANCES, '1', '2', 'instances that share the sockets; a table lets the number follow the need'), inner: INSTANCES_KEYS },
  'scale-up': withKeys(SCALE_UP, '{ backlog = 10, for = "1s" }', 'when one more instance is started, up to `instances.max`; a uWSGI that asks for help (`vassal-sos`) gets one, too'),
  'scale-down': withKeys(SCALE_DOWN, '{ idle = "60s" }', 'when the instances that the need has led to are stopped'),
  reload: key(choice('overlap', 'signal', 'restart'), "`overlap` with sockets that are passed, else the server's, else `restart`", '"overlap"', '`overlap`: start the next instances, then stop the old ones; `signal`: tell the instances; `restart`: stop, then start'),
  'reload-signal': key(SIGNAL, 'HUP', '"HUP"', 'the signal of `reload = "signal"`'),
  roll: key(BOOLEAN, 'false', 'true', 'an overlap replaces the instances one by one instead of all at once'),
  canary: withKeys(CANARY, '{ share = "5%", for = "60s" }', 'a new revision first gets a part of the new connections (TCP)'),
  linger: key(duration(), '2s', '"2s"', 'after an overlap the old instances serve the connections that they have for so long'),
  rollback: key(BOOLEAN, 'true', 'false', 'without an overlap: a new revision that cannot start is replaced by the last good one'),
  'stop-signal': key(SIGNAL, 'TERM', '"TERM"', 'the signal that asks an instance to end'),
  'stop-timeout': key(duration(), '30s', '"30s"', 'an instance that has not ended by then is killed with its whole process group'),
  ready: withKeys(READY, '{ after = "1s" }', "when an instance counts as ready, by one of `after`, `http`, `tcp`, `command`, `log`, `notify`; without it: as the server needs, else `after`"),
  'start-timeout': key(duration(), '60s', '"60s"', 'a start that is not ready by then has failed'),
  health: withKeys(HEALTH, '{ tcp = true }', 'a ready instance is asked by one of `http`, `tcp`, `command`, watched by `watchdog`, or both; a sick one is replaced'),
  'on-demand': key(BOOLEAN, 'false', 'true', 'nothing is started before the first connection to `listen`'),
  'idle-timeout': key(duration(1), 'none', '"10m"', 'with `on-demand`: stopped when there was no connection for so long'),
  after: key(listOf(TEXT), 'none', '["database"]', 'names of vassals that have to be ready before this one starts'),
  restart: key(choice('always', 'on-failure', 'never'), 'always', '"always"', 'whether an instance that ended by itself is started again'),
  backoff: withKeys(BACKOFF, '{ first = "250ms", max = "60s" }', 'waits between the deaths of an instance and its next start'),
  log: withKeys(LOG, '{ max-size = "10M", keep = 10 }', 'how the output of instances is kept'),
  limits: withKeys(LIMITS, '{ memory = "512M", cpu = "50%", tasks = 100 }', 'what each instance may use'),
  runner: key(choice('direct', 'systemd'), 'direct', '"systemd"', 'who starts instances: the emperor itself (`direct`), or the service manager of the host (`systemd`), as a unit each'),
  systemd: key(UNIT, 'none', '{ ProtectSystem = "strict", DynamicUser = true }', 'with `runner = "systemd"`: properties of that unit, as in a unit file; a list gives one several times'),
  hooks: withKeys(HOOKS, '{ before-start = "./migrate" }', 'commands at points of its life, each a list or a line, as `command`; they run as an instance does'),
};

function withKeys<T extends object>(inner: Keys<T>, example: string, doc: string): Key<Given<T>> {
  return { ...key(tableOf(inner), '', example, doc), inner };
}
