import type { Preset } from './preset.ts';

/** uWSGI's loader for each extension: core/emperor.c, vassal_new_argv. */
const LOADERS: Readonly<Record<string, string>> = { ini: '--ini', xml: '--xml', yaml: '--yaml', yml: '--yaml', json: '--json' };

/**
 * uWSGI, for files with a uwsgi section. It reads the file itself, by the name that the file has here, so that `%n` of linked
 * templates works. TERM means "reload" to uWSGI 2.0, so the master is told to end gracefully at TERM; HUP reloads in the same process.
 * Source: uWSGI docs, "Managing the uWSGI server" and "Hooks".
 */
export const UWSGI: Preset = {
  name: 'uwsgi',
  debianPackage: 'uwsgi-core',
  app: null,
  takesWorkers: false,
  argv: ({ file }) => ['uwsgi', LOADERS[file.slice(file.lastIndexOf('.') + 1)] ?? '--ini', file, '--hook-master-start', 'unix_signal:15 gracefully_kill_them_all'],
  reload: { kind: 'signal', signal: 'SIGHUP' },
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
};
