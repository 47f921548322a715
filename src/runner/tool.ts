import type { Runnable } from '../core/state.ts';
import { EmperorError } from '../errors.ts';
import type { Libc } from '../kernel/libc.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { MARKS } from './environment.ts';
import { ownIdentity } from './identity.ts';
import type { Confinement, LaunchPlan } from './launch-plan.ts';
import { prepareLaunch, type LaunchHost } from './prepare.ts';
import { cannotStart } from './refusal.ts';

/** What tools are started with: the same as instances. */
export interface ToolOptions {
  readonly libc: Libc;
  /** The emperor's own environment; little of it reaches a tool. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The emperor's state folder, absolute. */
  readonly state: string;
  /** Where instances say how they are; tools do not. */
  readonly notifySocket: string;
  /** Files that a tool may have open if the vassal's file does not say; null: as many as the emperor. */
  readonly files: number | null;
  /** Absent: none. */
  readonly confinement?: Confinement;
}

/**
 * Runs a command as an instance runs (user, group, umask, directory, environment), to its end or until `signal` is aborted: SIGKILL to its whole
 * process group. What is left of the group when it has ended is killed, too. It gets no sockets, cannot speak for the instance by sd_notify(3), and
 * is never taken for an instance by a later emperor. The program is searched as the instance's own.
 * @throws EmperorError, with the codes of a launch, when it cannot be started
 */
export type Tool = (vassalName: string, instance: ToolInstance, argv: readonly [string, ...string[]], signal: AbortSignal, manners?: ToolManners) => Promise<ToolEnding>;

/** As whom and where a tool runs; `id` is empty if it is about no instance. */
export interface ToolInstance {
  readonly id: string;
  readonly runs: Runnable;
}

/** What is different for some tools. */
export interface ToolManners {
  /** Aborted: SIGTERM to its whole process group. Default: never. */
  readonly terminate?: AbortSignal;
  /** Further variables, which count more than those of the vassal. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface ToolEnding {
  readonly code: number | null;
  /** Name of the signal that killed it. */
  readonly signal: string | null;
  /** The last 4 KiB of what it printed on both outputs. */
  readonly output: string;
}

const MOST_BYTES = 4_096;
/** Turns of the event loop after its end, in which what it had printed is read. */
const LAST_TURNS = 3;

/** Loads what tools are run with: a tenth of a second that no boot has to wait for; but before an upgrade on the disk can take it away. */
export async function loadTools(): Promise<void> {
  await import('execa');
}

/** Makes what runs tools. */
export function openTool(options: ToolOptions): Tool {
  const users = openUserDatabase(options.libc);
  const host: LaunchHost = { users, own: ownIdentity(users), environment: options.environment, state: options.state, notifySocket: options.notifySocket, files: options.files, startsInCgroups: false, ...(options.confinement === undefined ? {} : { confinement: options.confinement }) };
  return async (vassalName, instance, argv, signal, { terminate, environment } = {}) => {
    const own = instance.runs.spec;
    const spec = { ...own, environment: { ...own.environment, ...environment }, argv, ready: { kind: 'after', ms: 0 }, health: null } as const;
    const plan = prepareLaunch(vassalName, { ...instance, runs: { ...instance.runs, spec } }, host);
    if ('code' in plan) throw new EmperorError(plan.code, plan.reason);
    if (signal.aborted) return { code: null, signal: 'SIGKILL', output: '' };
    return await run(plan, vassalName, signal, terminate);
  };
}

async function run(plan: LaunchPlan, vassalName: string, signal: AbortSignal, terminate: AbortSignal | undefined): Promise<ToolEnding> {
  const { execa } = await import('execa');
  const [name = plan.file, ...rest] = plan.argv;
  const command = execa(plan.file, rest, {
    argv0: name,
    cwd: plan.directory,
    env: environmentOf(plan),
    extendEnv: false,
    // A session, and so a process group, of its own.
    detached: true,
    cleanup: false,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
  });
  const { pid } = command;
  if (pid === undefined) throw new EmperorError('E_SPAWN', cannotStart(plan.file, vassalName, (await command).originalMessage ?? 'nobody knows why'));

  const kill = (): void => signalGroup(pid, 'SIGKILL');
  const ask = (): void => signalGroup(pid, 'SIGTERM');
  let tail = Buffer.alloc(0);
  command.all.on('data', (piece: Buffer) => (tail = Buffer.concat([tail, piece.subarray(-MOST_BYTES)]).subarray(-MOST_BYTES)));
  // Its number is free from now on, but not given away so soon; a group with somebody left in it keeps the number.
  command.nodeChildProcess.once('exit', () => {
    kill();
    signal.removeEventListener('abort', kill);
    terminate?.removeEventListener('abort', ask);
    // One that has left the group holds the output open for as long as it likes.
    afterTurns(LAST_TURNS, () => {
      command.stdout.destroy();
      command.stderr.destroy();
    });
  });
  signal.addEventListener('abort', kill);
  terminate?.addEventListener('abort', ask);
  if (signal.aborted) kill();
  else if (terminate?.aborted === true) ask();
  const ending = await command;
  return { code: ending.exitCode ?? null, signal: ending.signal ?? null, output: tail.toString('utf8') };
}

function afterTurns(turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else setImmediate(afterTurns, turns - 1, callback);
}

function environmentOf({ environment }: LaunchPlan): Record<string, string> {
  const pairs = environment.map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return Object.fromEntries(pairs.filter(([key]) => key !== MARKS.state));
}

/** kill(2) */
function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}
