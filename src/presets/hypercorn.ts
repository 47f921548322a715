import { descriptors } from './descriptors.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';

/**
 * Hypercorn, for ASGI apps. The app is imported and its lifespan started before it accepts.
 * Source: hypercorn docs, "Binds" (fd://) and "Configuring" (graceful_timeout).
 */
export const HYPERCORN: Preset = {
  ...ORDINARY,
  name: 'hypercorn',
  debianPackage: 'python3-hypercorn',
  app: '"shop:app"',
  takesWorkers: true,
  argv: ({ app, workers, listen }) => [
    'hypercorn',
    ...(workers === null ? [] : ['--workers', String(workers)]),
    ...descriptors({ listen }).flatMap((fd) => ['--bind', `fd://${fd}`]),
    app,
  ],
  passing: 'fds',
  environment: () => UNBUFFERED,
};
