import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/**
 * A script for Node.js. It takes its socket itself, `server.listen({ fd: 3 })`, and what TERM does is up to it: without a handler it
 * dies at once, `process.once('SIGTERM', () => server.close())` lets requests finish. Source: Node.js docs, "net", server.listen(handle),
 * and "http", server.close().
 */
export const NODE: Preset = {
  ...ORDINARY,
  name: 'node',
  debianPackage: 'nodejs',
  app: '"server.js"',
  takesWorkers: false,
  argv: ({ app }) => ['node', app],
  passing: 'listen-fds',
};
