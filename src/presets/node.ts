import type { Preset } from './preset.ts';

/** A script for Node.js. One process; what TERM does is up to the script. */
export const NODE: Preset = {
  name: 'node',
  debianPackage: 'nodejs',
  app: '"server.js"',
  takesWorkers: false,
  argv: ({ app }) => ['node', app],
  reload: { kind: 'restart' },
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
};
