import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';
import { UNBUFFERED } from './unbuffered.ts';

/**
 * A script for Python. It takes its socket itself, `socket.socket(fileno=3)`, and what TERM does is up to it: without a handler it
 * dies at once. Source: Python docs, "socket" (fileno) and "signal"; sd_listen_fds(3).
 */
export const PYTHON: Preset = {
  ...ORDINARY,
  name: 'python',
  debianPackage: 'python3',
  app: '"server.py"',
  takesWorkers: false,
  argv: ({ app }) => ['python3', app],
  passing: 'listen-fds',
  environment: () => UNBUFFERED,
};
