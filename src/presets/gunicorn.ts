import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';

/**
 * Gunicorn, for WSGI apps. It finds its sockets by LISTEN_FDS and must not be told of them a second time. Its workers load the app
 * and accept only then; one that cannot load it ends the whole of it, with exit code 3. READY=1 of sd_notify(3) comes before the
 * workers, so it says nothing of the app. Source: gunicorn docs, "Signal Handling" (TERM) and "Deploying", systemd.
 */
export const GUNICORN: Preset = {
  ...ORDINARY,
  name: 'gunicorn',
  debianPackage: 'gunicorn',
  app: '"shop:app"',
  takesWorkers: true,
  argv: ({ app, workers }) => ['gunicorn', '--workers', String(workers ?? 1), app],
  passing: 'listen-fds',
  environment: () => UNBUFFERED,
};
