import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/**
 * Puma, for Rack apps. It finds its sockets by LISTEN_FDS and drops the binds of its own configuration for them.
 * Source: puma docs, "systemd" (socket activation) and "Signals" (TERM).
 */
export const PUMA: Preset = {
  ...ORDINARY,
  name: 'puma',
  debianPackage: 'puma',
  app: '"config.ru"',
  takesWorkers: true,
  argv: ({ app, workers, listen }) => [
    'puma',
    ...(workers === null ? [] : ['--workers', String(workers)]),
    ...(listen.length === 0 ? [] : ['--bind-to-activated-sockets=only']),
    app,
  ],
  passing: 'listen-fds',
};
