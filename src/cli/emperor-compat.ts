import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, userInfo } from 'node:os';
import { readEmperorLine } from '../config/emperor-line.ts';
import { printFault } from '../core/fault.ts';
import { EmperorError, errnoOf } from '../errors.ts';
import type { Configured } from './read-config.ts';

/** An Emperor's command line as settings, and what each option became. */
export interface Compat {
  readonly configured: Configured;
  readonly said: readonly string[];
}

/**
 * Understands the command line of a uWSGI Emperor. It comes before what the configuration file says.
 * @throws E_SETTINGS with all its faults
 */
export function emperorCompat(words: readonly string[], environment: Readonly<Record<string, string | undefined>>): Compat {
  const { uid, gid, username } = userInfo();
  const { settings, said, faults } = readEmperorLine(words, {
    folder: process.cwd(),
    host: { hostname: hostname(), cpus: availableParallelism(), uid, user: username, gid, group: String(gid) },
    environment,
    read: textOf,
  });
  if (faults.length > 0) throw new EmperorError('E_SETTINGS', `cannot use this command line of an Emperor:\n${faults.map((fault) => printFault(fault)).join('\n')}`);
  return { configured: settings, said };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return null;
  }
}
