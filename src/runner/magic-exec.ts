import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Owner } from '../core/basis.ts';
import { errnoOf, reasonOf } from '../errors.ts';
import type { UserDatabase } from '../kernel/user.ts';
import type { Clock } from '../world/clock.ts';
import { DEFAULT_PATH } from './environment.ts';
import type { EmperorIdentity } from './identity.ts';
import { findProgram } from './program.ts';

/** What programs are run with that print vassal files. */
export interface MagicHost {
  readonly users: UserDatabase;
  readonly own: EmperorIdentity;
  /** The emperor's own; little of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'after'>;
  /** Default 10 s. */
  readonly timeLimitMs?: number;
}

/** What one has printed, or why that counts for nothing: a sentence. */
export type Printed = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly message: string };

const TIME_LIMIT_MS = 10_000;
const MOST_BYTES = 1024 * 1024;
const MOST_COMPLAINT = 1_000;
/** Turns of the event loop after its end, in which what it had printed is read. */
const LAST_TURNS = 3;
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
    return await run(program, args, { fd, cwd: dirname(path), environment }, host, signal);
  } finally {
    closeSync(fd);
  }
}

interface Launch {
  readonly fd: number;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function run(program: string, args: readonly string[], { fd, cwd, environment }: Launch, { clock, timeLimitMs = TIME_LIMIT_MS }: MagicHost, signal: AbortSignal): Promise<Printed> {
  // A session, and so a process group, of its own.
  const child = spawn(program, args, { cwd, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe', fd] });
  const { stdout, stderr, pid } = child;
  const pieces: Buffer[] = [];
  let length = 0;
  let complaint = '';
  let verdict: string | null = null;
  const end = (why: string | null): void => {
    verdict ??= why;
    if (pid !== undefined) killGroup(pid);
  };
  stdout?.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= MOST_BYTES) pieces.push(piece);
    else end('it prints more than 1 MiB');
  });
  stderr?.on('data', (piece: Buffer) => (complaint = (complaint + piece.toString('utf8')).slice(-MOST_COMPLAINT)));
  const cancel = clock.after(timeLimitMs, () => end(`it has not ended after ${timeLimitMs / 1000} s`));
  const abort = (): void => end('the emperor ends');
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  // Its number is free from now on, but not given away so soon; a group with somebody left in it keeps the number.
  child.once('exit', () => {
    end(null);
    // One that has left the group holds the output open for as long as it likes.
    afterTurns(LAST_TURNS, () => {
      stdout?.destroy();
      stderr?.destroy();
    });
  });
  const [code, killer] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('error', (error) => {
      verdict ??= `it cannot be executed: ${errnoOf(error) || error.message}`;
      resolve([null, null]);
    });
    child.once('close', (exitCode, by) => resolve([exitCode, by]));
  });
  cancel();
  signal.removeEventListener('abort', abort);
  if (verdict !== null) return { ok: false, message: verdict };
  const said = complaint.trim() === '' ? '' : `; it says: ${complaint.trim()}`;
  if (code !== 0) return { ok: false, message: `it ended with ${code === null ? killer : `code ${code}`}${said}` };
  return { ok: true, bytes: Buffer.concat(pieces) };
}

function afterTurns(turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else setImmediate(afterTurns, turns - 1, callback);
}

/** kill(2) */
function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
