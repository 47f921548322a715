import { join } from 'node:path';
import { EmperorError } from '../errors.ts';
import { openEpoll } from '../kernel/epoll.ts';
import { openLibc } from '../kernel/libc.ts';
import { inspect } from '../store/inspect.ts';
import { DATABASE_FILE } from '../store/sqlite.ts';
import type { Settings } from './settings.ts';

/** Another program may be writing to the database right now: the emperor that asks. */
const BUSY_MS = 5_000;

/**
 * Proves that this program could be the emperor, on this host and with this state, and touches nothing: all of it can be loaded, system calls can be
 * called, the database is one that it understands.
 * @throws E_STORE, E_KERNEL; and whatever loading throws
 */
export async function rehearse(settings: Settings): Promise<void> {
  await import('./boot.ts');
  await import('../control/server.ts');
  openEpoll(openLibc())[Symbol.dispose]();
  const finding = inspect(join(settings.state, DATABASE_FILE), BUSY_MS);
  if (finding.kind === 'strange') throw new EmperorError('E_STORE', `the database in ${settings.state} is not one for this version: ${finding.reason}`);
}
