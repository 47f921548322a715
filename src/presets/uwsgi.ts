import type { Readiness } from '../core/spec.ts';
import { descriptors, lentEnd } from './descriptors.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/** uWSGI's loader for each extension: core/emperor.c, vassal_new_argv. */
const LOADERS: Readonly<Record<string, string>> = { ini: '--ini', xml: '--xml', yaml: '--yaml', yml: '--yaml', json: '--json' };

const TAKES_REQUESTS: Readiness = { kind: 'channel' };

/**
 * uWSGI, for files with a uwsgi section. It reads the file itself, by the name that the file has here, so that `%n` of linked
 * templates works. It runs as a vassal of an Emperor of its own kind: it reports itself, and is told to reload and to stop, on a channel.
 * It ends when the other end of that is closed, and so is lent a copy of it; `safe-fd` keeps the copy open when uWSGI executes itself to reload.
 *
 * Where it has no channel (any more) it is told by TERM. That means "reload" to uWSGI 2.0, so the master is told to end gracefully at TERM.
 *
 * With `listen` each passed socket is a `socket` of the section, so `protocol` says what is spoken on it. They come after the file:
 * where it names the same descriptor itself, e.g. `http-socket = fd://3`, the first mention counts. With `adopt-sockets` it names all of them. And where
 * the file names an app `need-app` is set, so that one that cannot be loaded ends uWSGI (exit code 22) instead of being served as errors; it comes before the file, which may unset it.
 *
 * A file that is a program is run once more by uWSGI, as core/emperor.c has it do (`exec://`).
 *
 * Source: uWSGI docs, "Managing the uWSGI server" and "Hooks"; core/socket.c (fd://), core/uwsgi.c (need-app, safe-fd), core/emperor.c.
 */
export const UWSGI: Preset = {
  ...ORDINARY,
  name: 'uwsgi',
  debianPackage: 'uwsgi-core',
  app: null,
  takesWorkers: false,
  argv: ({ file, listen, shared, printed, loadsApp, namesSockets }) => [
    'uwsgi',
    ...(loadsApp === true ? ['--need-app'] : []),
    '--safe-fd',
    String(lentEnd({ listen })),
    ...(shared?.before ?? []),
    LOADERS[file.slice(file.lastIndexOf('.') + 1)] ?? '--ini',
    printed === true ? `exec://${file}` : file,
    ...(shared?.after ?? []),
    ...(namesSockets === true ? [] : descriptors({ listen }).flatMap((fd) => ['--socket', `fd://${fd}`])),
    '--hook-master-start',
    'unix_signal:15 gracefully_kill_them_all',
  ],
  passing: 'fds',
  channel: true,
  readsFile: true,
  reload: { kind: 'channel' },
  ready: TAKES_REQUESTS,
  readyListening: TAKES_REQUESTS,
};
