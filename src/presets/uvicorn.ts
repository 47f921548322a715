import { descriptors } from './descriptors.ts';
import { inPythonOf } from './own-python.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';
import { UVICORN_LAUNCHER } from './uvicorn-launcher.ts';

/**
 * Uvicorn, for ASGI apps. The app is imported and its lifespan started before it accepts.
 * Source: uvicorn docs, "Settings" (--workers) and "Server Behavior" (TERM).
 */
export const UVICORN: Preset = {
  ...ORDINARY,
  name: 'uvicorn',
  debianPackage: 'uvicorn',
  app: '"shop:app"',
  takesWorkers: true,
  argv: ({ app, workers, listen }) =>
    listen.length === 0
      ? ['uvicorn', ...(workers === null ? [] : ['--workers', String(workers)]), app]
      : inPythonOf('uvicorn', UVICORN_LAUNCHER, app, String(workers ?? 1), ...descriptors({ listen }).map(String)),
  programs: ['uvicorn'],
  passing: 'fds',
  environment: () => UNBUFFERED,
};
