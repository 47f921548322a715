import { ACCEPTING } from './accepting.ts';
import { descriptors } from './descriptors.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';

/**
 * Hypercorn, for ASGI apps. The app is imported and its lifespan started before it accepts.
 * Source: hypercorn docs, "Binds" (fd://) and "Configuring" (graceful_timeout).
 */
export const HYPERCORN: Preset = {
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
  reload: { kind: 'restart' },
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
  readyListening: ACCEPTING,
};
