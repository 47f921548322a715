import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { Daemon, type Place } from './daemon.ts';

/** The user that owns nothing, on Debian and most others. */
export const NOBODY = 65_534;

/** An emperor that root's rights do not help: run as `nobody` if this test has them. The place is given to that user. */
export async function asNobody(place: Place, env: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  return process.getuid?.() === 0 ? asUser(NOBODY, place, { env }) : Daemon.start(place, { env });
}

/** An emperor of another user, by number, whom no list of users needs to know. The place is given to that user. For root only. */
export async function asUser(uid: number, place: Place, { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Daemon> {
  for (const path of [place.folder, ...readdirSync(place.folder, { recursive: true, encoding: 'utf8' }).map((name) => `${place.folder}/${name}`)]) {
    chownSync(path, uid, uid);
  }
  chmodSync(place.folder, 0o755);
  return Daemon.start(place, { args, env: { HOME: place.folder, ...env }, through: ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'] });
}
