import { spawn } from 'node:child_process';
import { errnoOf } from '../errors.ts';
import type { Clock } from '../world/clock.ts';

/** What one has printed, or why that counts for nothing: a sentence. */
export type Printed = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly message: string };

/** What it takes to end one that takes too long. */
export interface OutputHost {
  readonly clock: Pick<Clock, 'after'>;
  /** Default 10 s. */
  readonly timeLimitMs?: number;
}

const TIME_LIMIT_MS = 10_000;
const MOST_BYTES = 1024 * 1024;
const MOST_COMPLAINT = 1_000;
/** Turns of the event loop after its end, in which what it had printed is read. */
const LAST_TURNS = 3;

/** What it is run with. */
export interface OutputLaunch {
  /** What it has as descriptor 3; null: nothing. */
  readonly fd: number | null;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs a program for what it prints. It has its time and 1 MiB; then it is killed with its process group, as is what it leaves behind in that group. @param signal ends it */
export async function outputOf(program: string, args: readonly string[], { fd, cwd, environment }: OutputLaunch, { clock, timeLimitMs = TIME_LIMIT_MS }: OutputHost, signal: AbortSignal): Promise<Printed> {
  // A session, and so a process group, of its own.
  const child = spawn(program, args, { cwd, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe', ...(fd === null ? [] : [fd])] });
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
