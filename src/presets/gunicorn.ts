import type { Preset } from './preset.ts';

/** Gunicorn, for WSGI apps. TERM lets requests finish: gunicorn docs, "Signal Handling". Its address comes from GUNICORN_CMD_ARGS or a gunicorn.conf.py. */
export const GUNICORN: Preset = {
  name: 'gunicorn',
  debianPackage: 'gunicorn',
  app: '"shop:app"',
  takesWorkers: true,
  argv: ({ app, workers }) => ['gunicorn', '--workers', String(workers ?? 1), app],
  reload: { kind: 'restart' },
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
};
