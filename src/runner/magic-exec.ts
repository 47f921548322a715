import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Owner } from '../core/basis.ts';
import { errnoOf, reasonOf } from '../errors.ts';
import type { UserDatabase } from '../kernel/user.ts';
import { DEFAULT_PATH } from './environment.ts';
import type { EmperorIdentity } from './identity.ts';
import { outputOf, type OutputHost, type Printed } from './output-of.ts';
import { findProgram } from './program.ts';

/** What programs are run with that print vassal files. */
export interface MagicHost extends OutputHost {
  readonly users: UserDatabase;
  readonly own: EmperorIdentity;
  /** The emperor's own; little of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Bits of a mode by which others than the owner can write: inode(7). */
const WRITABLE_BY_OTHERS = 0o022;
/** Under this number it has itself open, so that nothing else can take its place between the look and the execution. */
const ITSELF = '/proc/self/fd/3';

/**
 * Runs a vassal file as a program, as its owner, in the folder that it is in; what it prints is what the file says: uWSGI's `emperor-magic-exec`. It has ten seconds and
 * 1 MiB; then it is killed with its process group, as is what it leaves behind in that group. Root runs nothing that others can write. Its own path is in `EMPEROR_FILE`.
 * @param owner whom the file runs as, if that is settled: whoever's link leads to it; it belongs to them, or to root; null: to whom it belongs
 */
export async function magicExec(path: string, owner: Owner | null, host: MagicHost, signal: AbortSignal): Promise<Printed> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return { ok: false, message: `it cannot be opened: ${errnoOf(error) || reasonOf(error)}` };
  }
  try {
    const found = fstatSync(fd);
    // What was a regular file when it was looked at may be anything by its turn.
    if (!found.isFile()) return { ok: false, message: 'it is no regular file by now' };
    const { uid, gid } = owner ?? found;
    const { mode } = found;
    if (found.uid !== uid && found.uid !== 0) return { ok: false, message: `it belongs to uid ${found.uid} by now` };
    if (uid === 0 && (mode & WRITABLE_BY_OTHERS) !== 0) return { ok: false, message: `root runs nothing that others can write (mode ${(mode & 0o7777).toString(8)})` };
    const becomes = uid !== host.own.user.uid;
    if (becomes && host.own.user.uid !== 0) return { ok: false, message: `only root can run it as its owner, uid ${uid}` };
    const person = host.users.user(String(uid));
    if (person === null) return { ok: false, message: `its owner, uid ${uid}, is no user` };
    const path0 = host.environment['PATH'] ?? DEFAULT_PATH;
    const setpriv = findProgram('setpriv', { directory: '/', path: path0 });
    const [program = ITSELF, ...args] = becomes ? [setpriv.kind === 'found' ? setpriv.path : '/usr/bin/setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups', '--no-new-privs', '--', ITSELF] : [ITSELF];
    const environment = { PATH: path0, HOME: person.home, USER: person.name, LOGNAME: person.name, SHELL: person.shell, EMPEROR_FILE: path };
    return await outputOf(program, args, { fd, cwd: dirname(path), environment }, host, signal);
  } finally {
    closeSync(fd);
  }
}
