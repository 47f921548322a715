import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/** HOST and PORT are what `listen` says. */
const AT_ITS_ADDRESS = 'exec mod_wsgi-express start-server --log-to-terminal ${PORT:+--host "$HOST" --port "$PORT"} "$@"';

/**
 * mod_wsgi-express: an Apache of its own for one WSGI app, here a script file. It opens its address itself, since Apache 2.4 takes no sockets:
 * so no overlap is possible. WINCH lets it finish its requests and end. USR1 makes it load the app anew: no connection is refused, but Apache gives
 * the processes of mod_wsgi 3 s to finish theirs, then kills them (apr_pool_note_subprocess, APR_KILL_AFTER_TIMEOUT); what its old children pass on
 * meanwhile finds no process and is answered by 503.
 * Source: mod_wsgi docs, "mod_wsgi-express" (start-server and its options); Apache HTTP Server docs, "Stopping and Restarting"; tried, Apache 2.4 with mod_wsgi 4.9.4 and mod_wsgi-express 5.0.2.
 */
export const MOD_WSGI_EXPRESS: Preset = {
  ...ORDINARY,
  name: 'mod_wsgi-express',
  debianPackage: 'libapache2-mod-wsgi-py3 and, by pip, mod_wsgi-standalone',
  app: '"shop.wsgi"',
  takesWorkers: true,
  argv: ({ app, workers }) => [
    '/bin/sh', '-c', AT_ITS_ADDRESS, 'mod_wsgi-express',
    ...(workers === null ? [] : ['--processes', String(workers)]),
    app,
  ],
  programs: ['mod_wsgi-express'],
  passing: 'port',
  reload: { kind: 'signal', signal: 'SIGUSR1' },
  stopSignal: 'SIGWINCH',
};
