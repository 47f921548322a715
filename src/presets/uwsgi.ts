import { descriptors } from './descriptors.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/** uWSGI's loader for each extension: core/emperor.c, vassal_new_argv. */
const LOADERS: Readonly<Record<string, string>> = { ini: '--ini', xml: '--xml', yaml: '--yaml', yml: '--yaml', json: '--json' };

/**
 * uWSGI, for files with a uwsgi section. It reads the file itself, by the name that the file has here, so that `%n` of linked
 * templates works. TERM means "reload" to uWSGI 2.0, so the master is told to end gracefully at TERM; HUP reloads in the same process.
 *
 * With `listen` each passed socket is a `socket` of the section, so `protocol` says what is spoken on it. They come after the file:
 * where it names the same descriptor itself, e.g. `http-socket = fd://3`, the first mention counts. And `need-app` is set, so that an
 * app that cannot be loaded ends uWSGI (exit code 22) instead of being served as errors; it comes before the file, which may unset it.
 *
 * A file that is a program is run once more by uWSGI, as core/emperor.c has it do (`exec://`).
 *
 * Source: uWSGI docs, "Managing the uWSGI server" and "Hooks"; core/socket.c (fd://), core/uwsgi.c (need-app).
 */
export const UWSGI: Preset = {
  ...ORDINARY,
  name: 'uwsgi',
  debianPackage: 'uwsgi-core',
  app: null,
  takesWorkers: false,
  argv: ({ file, listen, shared, printed }) => [
    'uwsgi',
    ...(listen.length === 0 ? [] : ['--need-app']),
    ...(shared?.before ?? []),
    LOADERS[file.slice(file.lastIndexOf('.') + 1)] ?? '--ini',
    printed === true ? `exec://${file}` : file,
    ...(shared?.after ?? []),
    ...descriptors({ listen }).flatMap((fd) => ['--socket', `fd://${fd}`]),
    '--hook-master-start',
    'unix_signal:15 gracefully_kill_them_all',
  ],
  passing: 'fds',
  reload: { kind: 'signal', signal: 'SIGHUP' },
};
