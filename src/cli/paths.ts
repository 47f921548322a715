import { isAbsolute, join } from 'node:path';

/** Whose defaults to use. */
export interface Whereabouts {
  readonly root: boolean;
  /** Absolute. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where things are unless told otherwise. */
export interface Paths {
  readonly source: string;
  readonly state: string;
  readonly control: string;
  readonly logs: string;
  readonly config: string;
}

/** The defaults: of the system for root, else the folders of the XDG Base Directory Specification. Pure. */
export function defaultPaths({ root, home, environment }: Whereabouts): Paths {
  if (root) {
    return {
      source: '/etc/emperor/vassals',
      state: '/var/lib/emperor',
      control: '/run/emperor/control.sock',
      logs: '/var/log/emperor',
      config: '/etc/emperor/emperor.toml',
    };
  }
  // The specification has relative paths ignored.
  const folder = (name: string): string | null => {
    const value = environment[name];
    return value !== undefined && isAbsolute(value) ? value : null;
  };
  const config = join(folder('XDG_CONFIG_HOME') ?? join(home, '.config'), 'emperor');
  const state = join(folder('XDG_STATE_HOME') ?? join(home, '.local/state'), 'emperor');
  const runtime = folder('XDG_RUNTIME_DIR');
  return {
    source: join(config, 'vassals'),
    state,
    control: runtime === null ? join(state, 'control.sock') : join(runtime, 'emperor/control.sock'),
    logs: join(state, 'logs'),
    config: join(config, 'emperor.toml'),
  };
}
