import { descriptors } from './descriptors.ts';
import { inPythonOf } from './own-python.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';
import { WAITRESS_LAUNCHER } from './waitress-launcher.ts';

/**
 * Waitress, for WSGI apps: one process, four threads. The app is imported before it accepts.
 * Source: waitress docs, "waitress-serve" and "Arguments to waitress.serve".
 */
export const WAITRESS: Preset = {
  ...ORDINARY,
  name: 'waitress',
  debianPackage: 'python3-waitress',
  app: '"shop:app"',
  takesWorkers: false,
  argv: ({ app, listen }) => (listen.length === 0 ? ['waitress-serve', app] : inPythonOf('waitress-serve', WAITRESS_LAUNCHER, app, ...descriptors({ listen }).map(String))),
  programs: ['waitress-serve'],
  passing: 'fds',
  environment: () => UNBUFFERED,
};
