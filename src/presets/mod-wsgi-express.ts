import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/** HOST and PORT are what `listen` says. */
const AT_ITS_ADDRESS = 'exec mod_wsgi-express start-server --log-to-terminal ${PORT:+--host "$HOST" --port "$PORT"} "$@"';

/**
 * mod_wsgi-express: an Apache of its own for one WSGI app, here a script file. It opens its address itself, since Apache 2.4 takes no sockets:
 * so no overlap is possible. USR1 makes Apache load the app anew while running requests finish, WINCH lets it finish them and end.
 * Source: mod_wsgi docs, "mod_wsgi-express" (start-server and its options); Apache HTTP Server docs, "Stopping and Restarting".
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
