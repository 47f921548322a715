import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { Daemon, type Place } from './daemon.ts';

/** The user that owns nothing, on Debian and most others. */
export const NOBODY = 65_534;

/** An emperor that root's rights do not help: run as `nobody` if this test has them. The place is given to that user. */
export async function asNobody(place: Place, env: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  if (process.getuid?.() !== 0) return Daemon.start(place, { env });
  for (const path of [place.folder, ...readdirSync(place.folder, { recursive: true, encoding: 'utf8' }).map((name) => `${place.folder}/${name}`)]) {
    chownSync(path, NOBODY, NOBODY);
  }
  chmodSync(place.folder, 0o755);
  return Daemon.start(place, { env: { HOME: place.folder, ...env }, through: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'] });
}
