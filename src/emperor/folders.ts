import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { EmperorError, reasonOf } from '../errors.ts';
import type { Libc } from '../kernel/libc.ts';
import { lockFile } from '../kernel/lock.ts';
import type { Clock } from '../world/clock.ts';
import { makeFolder } from '../world/make-folder.ts';
import { notOwn } from '../world/own-folder.ts';
import { readVersion } from '../world/version.ts';
import type { Settings } from './settings.ts';

/** Instances of other users have to reach the notify socket; what else is in there is closed to them. */
const STATE_MODE = 0o711;
const LOGS_MODE = 0o750;

/**
 * Makes the folders of an emperor, and takes that of its state for itself alone.
 * @returns gives it free
 * @throws E_SETTINGS if they cannot be made, or are somebody else's; E_EMPEROR_RUNS if another emperor has it
 */
export function claimFolders({ state, logs }: Pick<Settings, 'state' | 'logs'>, libc: Libc, clock: Pick<Clock, 'now'>): Disposable {
  prepare(state, 'state', STATE_MODE);
  // What is in it decides what is run as whom, and its sockets whom the emperor believes.
  const trouble = notOwn(state);
  if (trouble !== null) throw new EmperorError('E_SETTINGS', `cannot use the state folder ${state}: it ${trouble}; name another one with --state`);
  const lock = lockFile(libc, join(state, 'lock'), `pid ${process.pid}, version ${readVersion()}, since ${new Date(clock.now().at).toISOString()}`);
  if (typeof lock === 'string') throw new EmperorError('E_EMPEROR_RUNS', `another emperor is at work on ${state} (${lock}); end it first, or name another folder with --state`);
  try {
    prepare(logs, 'logs', LOGS_MODE);
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

function prepare(path: string, flag: string, mode: number): void {
  try {
    if (makeFolder(path, mode)) chmodSync(path, mode);
  } catch (error) {
    throw new EmperorError('E_SETTINGS', `cannot make the folder ${path}: ${reasonOf(error)}; name another one with --${flag}`, { cause: error });
  }
}
