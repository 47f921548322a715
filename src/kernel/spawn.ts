import { closeSync, constants, openSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { errnoName, kernelError, type Libc } from './libc.ts';

/** A process to be started, in a session and process group of its own. */
export interface SpawnRequest {
  /** Path of the program; relative to `directory` if it is relative. PATH is not searched. */
  readonly file: string;
  /** With the name of the program as the first. */
  readonly argv: readonly string[];
  /** `NAME=value`, complete. */
  readonly environment: readonly string[];
  readonly directory: string;
  /**
   * Our descriptors that become its 0, 1, 2 and so on. Those from the fourth on must be higher than all of these numbers.
   * Whatever else we hold must be close-on-exec, as all that Node opens is.
   */
  readonly stdio: readonly number[];
  /** Folder of the cgroup v2 that it is started in; only where {@link Spawn.inCgroups}. */
  readonly cgroup?: string | null;
}

/** `errno` is that of whatever failed: entering the directory as well as executing the program. */
export type SpawnResult = { readonly ok: true; readonly pid: number } | { readonly ok: false; readonly errno: string };

/** The way to start processes. */
export interface Spawn {
  /** Starts a process and calls back, on the main thread and later, when it executes its program or cannot. Never throws. */
  readonly start: (request: SpawnRequest, done: (result: SpawnResult) => void) => void;
  /** Whether it can be started in a cgroup of its own: glibc 2.39 or later, as in Debian 13, on Linux 5.7 or later. */
  readonly inCgroups: boolean;
}

/** Room for glibc's posix_spawnattr_t (336 bytes), posix_spawn_file_actions_t (80 bytes) and sigset_t (128 bytes); musl's are smaller. */
const STRUCT_BYTES = 512;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const SETCGROUP = 0x100;
const FLAGS = SETSID | SETSIGDEF | SETSIGMASK;

/**
 * Binds posix_spawn(3). Why not `child_process`: that copies the page tables of the emperor for each child (11 ms with
 * 300 MB in memory, 0.5 ms here), keeps streams and handles for it, and knows no child of an earlier emperor. Here the end of
 * every instance is seen through its pidfd, whoever started it.
 *
 * All signals have their default action in the child, and none is blocked: Node ignores SIGPIPE, and a child would inherit that.
 * The call itself waits until the child has executed its program, so it runs on a thread of libuv's pool.
 */
export function openSpawn(libc: Libc): Spawn {
  const attributes = makeAttributes(libc);
  const init = libc.bind<(actions: Uint8Array) => number>('int posix_spawn_file_actions_init(void *actions)');
  const destroy = libc.bind<(actions: Uint8Array) => number>('int posix_spawn_file_actions_destroy(void *actions)');
  const addDup2 = libc.bind<(actions: Uint8Array, from: number, to: number) => number>(
    'int posix_spawn_file_actions_adddup2(void *actions, int from, int to)',
  );
  const addChdir = libc.bind<(actions: Uint8Array, directory: string) => number>(
    'int posix_spawn_file_actions_addchdir_np(void *actions, const char *directory)',
  );
  const spawn = libc.bind<
    (pid: [number], file: string, actions: Uint8Array, attributes: Uint8Array, argv: (string | null)[], environment: (string | null)[]) => number
  >('int posix_spawn(_Out_ int *pid, const char *file, void *actions, void *attributes, char **argv, char **environment)');

  const setCgroup = cgroupSetter(libc);

  function start(request: SpawnRequest, done: (result: SpawnResult) => void): void {
    // In C a string ends at its NUL: the child would get something else than it was asked to run.
    if ([request.file, request.directory, ...request.argv, ...request.environment].some((text) => text.includes('\0'))) {
      setImmediate(done, { ok: false, errno: 'EINVAL' });
      return;
    }
    const cgroup = request.cgroup ?? null;
    let own = attributes;
    let folder: number | null = null;
    if (cgroup !== null && setCgroup !== null) {
      try {
        folder = openSync(cgroup, constants.O_DIRECTORY | constants.O_RDONLY);
      } catch (error) {
        setImmediate(done, { ok: false, errno: errnoOf(error) ?? 'EIO' });
        return;
      }
      own = Uint8Array.from(attributes);
      setCgroup(own, folder);
    }
    const actions = new Uint8Array(STRUCT_BYTES);
    init(actions);
    request.stdio.forEach((from, to) => addDup2(actions, from, to));
    addChdir(actions, request.directory);
    const pid: [number] = [0];
    spawn.async(pid, request.file, actions, own, [...request.argv, null], [...request.environment, null], (error: unknown, number: number) => {
      destroy(actions);
      if (folder !== null) closeSync(folder);
      // A throw in here would abort the process instead of being reported.
      if (error !== null && error !== undefined) setImmediate(done, { ok: false, errno: 'ENOMEM' });
      else setImmediate(done, number === 0 ? { ok: true, pid: pid[0] } : { ok: false, errno: errnoName(number) });
    });
  }

  return { start, inCgroups: setCgroup !== null };
}

/**
 * What makes a child begin in the cgroup of a descriptor: CLONE_INTO_CGROUP of clone(2). To enter one later costs a grace period of the kernel,
 * 8 to 20 ms each time that it has not just been done. null: the C library does not have it.
 */
function cgroupSetter(libc: Libc): ((attributes: Uint8Array, folder: number) => void) | null {
  let set: (attributes: Uint8Array, folder: number) => number;
  try {
    set = libc.bind('int posix_spawnattr_setcgroup_np(void *attributes, int folder)');
  } catch {
    return null;
  }
  const setFlags = libc.bind<(attributes: Uint8Array, flags: number) => number>('int posix_spawnattr_setflags(void *attributes, short flags)');
  return (attributes, folder) => {
    setFlags(attributes, FLAGS | SETCGROUP);
    set(attributes, folder);
  };
}

function makeAttributes(libc: Libc): Uint8Array {
  const attributes = new Uint8Array(STRUCT_BYTES);
  const allSignals = new Uint8Array(STRUCT_BYTES).fill(0xff);
  const noSignals = new Uint8Array(STRUCT_BYTES);
  const results = [
    libc.bind<(attributes: Uint8Array) => number>('int posix_spawnattr_init(void *attributes)')(attributes),
    libc.bind<(attributes: Uint8Array, flags: number) => number>('int posix_spawnattr_setflags(void *attributes, short flags)')(
      attributes,
      FLAGS,
    ),
    libc.bind<(attributes: Uint8Array, set: Uint8Array) => number>('int posix_spawnattr_setsigdefault(void *attributes, void *set)')(
      attributes,
      allSignals,
    ),
    libc.bind<(attributes: Uint8Array, set: Uint8Array) => number>('int posix_spawnattr_setsigmask(void *attributes, void *set)')(
      attributes,
      noSignals,
    ),
  ];
  const failed = results.find((result) => result !== 0);
  if (failed !== undefined) throw kernelError('posix_spawnattr', '', errnoName(failed));
  return attributes;
}
