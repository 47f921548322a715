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
  | { readonly kind: 'signal'; readonly signal: SignalName };

/** How an instance proves that it accepts requests. */
export type Readiness =
  /** It is still alive this long after it was spawned. */
  { readonly kind: 'after'; readonly ms: number };

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
  /** The file is rotated when it would grow beyond this. */
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly keep: number;
  /** `raw`: bytes as printed. `json`: one object a line with time, instance and text. */
  readonly format: 'raw' | 'json';
}

/** What a vassal file asks for, resolved: no option is optional past this point. */
export interface VassalSpec {
  /** Name of the preset, `uwsgi` for a file with a uwsgi section; null for a plain command. */
  readonly server: string | null;
  /** The program and its arguments. The program is an absolute path, relative to `directory` if it has a slash, else searched in PATH. */
  readonly argv: readonly [string, ...string[]];
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
  readonly reload: Reload;
  readonly stopSignal: SignalName;
  /** From the stop signal to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** From the spawn to readiness. */
  readonly startTimeoutMs: number;
  readonly ready: Readiness;
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly backoff: Backoff;
  readonly log: LogPolicy;
}
