import type { Address, Listen } from './address.ts';
import type { Owner } from './basis.ts';
import type { Hook } from './hook.ts';

/** A signal that a vassal file may name, e.g. `SIGTERM`. */
export type SignalName =
  | 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGUSR1' | 'SIGUSR2' | 'SIGTERM' | 'SIGKILL' | 'SIGCONT' | 'SIGWINCH' | 'SIGABRT';

/** How a ready vassal takes a new revision. */
export type Reload =
  /** Start the next instance beside the current one; curse the current one when the next is ready. */
  | { readonly kind: 'overlap' }
  /** Stop the current instance, then start the next. */
  | { readonly kind: 'restart' }
  /** Tell the running instance to reload itself. */
  | { readonly kind: 'signal'; readonly signal: SignalName }
  /** The same, on its channel: it is done when the instance has reported that it takes requests again. */
  | { readonly kind: 'channel' };

/** A question that an instance answers, or does not. */
export type Probe =
  /** Answered by a status in the range, both ends included, and a body that matches. */
  | { readonly kind: 'http'; readonly target: Target; readonly path: string; readonly status: readonly [number, number]; readonly body: string | null }
  /** Answered by a connection that the instance accepts. */
  | { readonly kind: 'tcp'; readonly target: Target }
  /** Answered by exit code 0. Runs as the instance does: user, directory, environment. */
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]] };

/** Whom a probe asks. */
export type Target =
  /** The first address of `listen`, and nobody but the instance's own generation behind it. */
  | { readonly kind: 'listen' }
  | { readonly kind: 'address'; readonly address: Address };

/** How an instance proves that it accepts requests. */
export type Readiness =
  /** It is still alive this long after it was spawned. */
  | { readonly kind: 'after'; readonly ms: number }
  /** It says so: sd_notify(3), READY=1. */
  | { readonly kind: 'notify' }
  /** It says on its channel that it takes requests. */
  | { readonly kind: 'channel' }
  /** It prints a line that matches this regular expression. */
  | { readonly kind: 'log'; readonly pattern: string }
  /** It answers. Asked again after each `intervalMs`; one answer may take `timeoutMs`. */
  | { readonly kind: 'probe'; readonly probe: Probe; readonly intervalMs: number; readonly timeoutMs: number };

/** How a ready instance is seen to be well. */
export interface Health {
  /** null: only the watchdog. */
  readonly probe: Probe | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many bad answers in a row make it sick. */
  readonly failures: number;
  /** After it became ready, nothing is asked for so long. */
  readonly graceMs: number;
  /** It has to say WATCHDOG=1 at least this often, sd_notify(3); null: it need not. */
  readonly watchdogMs: number | null;
}

/**
 * How instances come to their sockets. `listen-fds`: open, as descriptors from 3 on, and LISTEN_FDS says how many, sd_listen_fds(3).
 * `fds`: the same descriptors without the variables, for servers that are told by an argument. `port`: the emperor opens nothing;
 * they open the first address themselves, and are told where by HOST and PORT.
 */
export type Passing = 'listen-fds' | 'fds' | 'port';

/** Part of the new connections that a new revision gets first. */
export interface Canary {
  /** 0 to 1 */
  readonly share: number;
  readonly forMs: number;
}

/** Waits between deaths. The n-th wait is `first × factor^(n-1)`, at most `max`, plus or minus `jitter` of itself. */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Share of the wait, 0 to 1. */
  readonly jitter: number;
  /** An instance that was ready for this long is loyal: earlier deaths are forgotten. */
  readonly resetAfterMs: number;
}

/** How the output of a vassal is kept. */
export interface LogPolicy {
  /** `file`: one of the emperor's. `journal`: that of the host; the rest means nothing then. */
  readonly to: 'file' | 'journal';
  /** The file is rotated when it would grow beyond this. */
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
  /** `raw`: bytes as printed. `json`: one object a line with time, instance and text. */
  readonly format: 'raw' | 'json';
}

/** What an instance may use; null: as much as there is. */
export interface Limits {
  readonly memoryBytes: number | null;
  /** Share of one core: 0.5 is half of one, 2 are two. */
  readonly cpu: number | null;
  /** Processes and threads. */
  readonly tasks: number | null;
  /** Open files of each of its processes. */
  readonly files: number | null;
}

/** How the number of instances follows the need. The least is `instances`. */
export interface Scaling {
  readonly max: number;
  /** One more when so many connections wait to be accepted, at each look for so long; null: only who asks for it (uWSGI's sos) gets more. */
  readonly backlog: { readonly connections: number; readonly forMs: number } | null;
  /** After a change, nothing is added for so long. */
  readonly coolDownMs: number;
  /** Back to the least when nobody has connected for so long; null: never. */
  readonly idleMs: number | null;
}

/** The unit of systemd that an instance is. */
export interface UnitSpec {
  /** `NAME=value` each, as in a unit file: systemd.directives(7). */
  readonly properties: readonly string[];
}

/** The keys of `limits`. */
export type LimitName = 'memory' | 'cpu' | 'tasks' | 'files';

/** In tyrant mode: the file that has to belong to somebody, still, at each launch. */
export interface Owned {
  /** Absolute path. */
  readonly file: string;
  readonly owner: Owner;
  /** The owner is that of a symlink itself. */
  readonly nofollow: boolean;
  /** Files and sockets that it makes itself, of those that are known: they have to be the owner's own. */
  readonly writes: readonly Writing[];
}

/** Something that a key of a file names and that will be written. */
export interface Writing {
  /** Absolute. */
  readonly path: string;
  readonly key: string;
  readonly line: number;
}

/** What a vassal file asks for, resolved: no option is optional past this point. */
export interface VassalSpec {
  /** Name of the preset, `uwsgi` for a file with a uwsgi section; null for a plain command. */
  readonly server: string | null;
  /** The program and its arguments. The program is an absolute path, relative to `directory` if it has a slash, else searched in PATH. */
  readonly argv: readonly [string, ...string[]];
  /** The vassal file, where the program reads that itself, and what is to be read; null: it does not. `file`: absolute path, one of `argv`. */
  readonly source: { readonly file: string; readonly text: string } | null;
  /** One of these has to be there as well; empty: none. For servers that are started by way of a shell. */
  readonly programs: readonly string[];
  /** Absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path of a file of NAME=value lines, read at each start. */
  readonly environmentFile: string | null;
  /** User by name or number; null: the emperor's. */
  readonly user: string | null;
  /** Group by name or number; null: the user's. */
  readonly group: string | null;
  /** null: the emperor's. */
  readonly umask: number | null;
  /** Addresses that the emperor opens, holds and passes; the order is that of the descriptors. */
  readonly listen: readonly Listen[];
  readonly passing: Passing;
  /** Its instances speak the protocol of the uWSGI Emperor, on a channel that they get when they are launched. */
  readonly channel: boolean;
  /** Processes that share the sockets. */
  readonly instances: number;
  readonly reload: Reload;
  /** An overlap replaces the instances one by one instead of all at once. */
  readonly roll: boolean;
  readonly canary: Canary | null;
  /** After the switch of an overlap the old instances serve the connections that they have for so long; by then the new ones have to have held out. */
  readonly lingerMs: number;
  /** Where no overlap is possible: if a new revision cannot start, the last good one is started again. */
  readonly rollback: boolean;
  /** null: it is told on its channel. */
  readonly stopSignal: SignalName | null;
  /** From being told to stop to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** From the spawn to readiness. */
  readonly startTimeoutMs: number;
  readonly ready: Readiness;
  readonly health: Health | null;
  /** Started at the first connection, not before. */
  readonly onDemand: boolean;
  /** Stopped when there was no connection for so long; null: never. Only on demand. */
  readonly idleTimeoutMs: number | null;
  /** Names of vassals that have to be ready before this one starts. */
  readonly after: readonly string[];
  readonly limits: Limits;
  /** Instances are units of the service manager of this host; null: the emperor starts them itself. */
  readonly unit: UnitSpec | null;
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly backoff: Backoff;
  readonly log: LogPolicy;
  /** Commands at points of its life, in the order in which they run. */
  readonly hooks: readonly Hook[];
  /** The number of instances follows the need, from `instances` on; null: it does not. */
  readonly scaling: Scaling | null;
  /** Where uWSGI itself tells of its workers, the `stats` of a uwsgi section; null: nowhere. */
  readonly uwsgiStats: Address | null;
  /** In tyrant mode: for whom it runs. `user` and `group` are the same in numbers. */
  readonly owned?: Owned;
}
