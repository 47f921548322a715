import { closeSync, openSync } from 'node:fs';
import { EmperorError, reasonOf } from '../errors.ts';
import type { SignalName } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';
import { openEpoll } from '../kernel/epoll.ts';
import type { Libc } from '../kernel/libc.ts';
import { openPidfds } from '../kernel/pidfd.ts';
import { openSpawn } from '../kernel/spawn.ts';
import { openUserDatabase } from '../kernel/user.ts';
import type { Cage } from './cage.ts';
import type { Confinement } from './launch-plan.ts';
import { exitStatus, looksKilled, signalNumber } from './exit-status.ts';
import { ownIdentity } from './identity.ts';
import { prepareLaunch, type LaunchHost } from './prepare.ts';
import { isEnded, isProven, readBootId, readStartTicks, sessionOf } from './proc.ts';
import { cannotStart, judgeErrno, type Refusal } from './refusal.ts';
import type { OutputSink, Runner, RunnerSink } from './runner.ts';
import { directoryTrouble, vetProgram } from './vet.ts';

/** What a direct runner is made of. */
export interface DirectRunnerOptions {
  readonly libc: Libc;
  readonly output: OutputSink;
  readonly sink: RunnerSink;
  /** The emperor's own environment; little of it reaches an instance. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The emperor's state folder, absolute: a mark on every instance. */
  readonly state: string;
  /** Where instances say how they are, sd_notify(3). */
  readonly notifySocket: string;
  /** Files that an instance may have open if its file does not say; null: as many as the emperor. */
  readonly files: number | null;
  /** Absent: none. */
  readonly confinement?: Confinement;
  /** Where instances are kept together. */
  readonly cage: Cage;
}

/** An instance that the runner knows. Dead ones are forgotten. */
type Entry =
  | { readonly phase: 'launching'; readonly pending: { readonly signal: SignalName; readonly whom: 'main' | 'group' }[] }
  | {
      readonly phase: 'living';
      /** Also the number of its process group and session. */
      readonly pid: number;
      readonly pidfd: number;
      /** Set for an adopted one, which may be nobody's child of ours: whether the pid is still its own has to be proven. */
      readonly proof: Instance['process'];
      /** When the one that leads its group was started; its number outlives it as long as the group does. */
      readonly startTicks: number;
      /** The process that it has named as its first one; null: none but that which was started. */
      readonly main: { readonly pid: number; readonly pidfd: number } | null;
    };

/** Processes that are being started at one moment. Two keep two cores busy; more bring nothing (measured). */
const SPAWNS_AT_ONCE = 2;
/** Start time of a process that is gone: no other one with its number has it. */
const NOBODY = -1;
/** Launches begun in one turn of the event loop: about 2 ms. */
const LAUNCHES_A_TURN = 16;

/**
 * Opens the runner that makes instances children of the emperor, each in a session and process group of its own.
 *
 * The end of an instance, whoever started it, shows on its pidfd. Then, in this order: what is left of its group is killed; only then
 * is it reaped, because until then nobody else can get its number; what has left the group is killed; `exited` is told; the rest of its output is read.
 *
 * Disposing waits for launches that the kernel has begun, so that their `spawned` is told, forgets those that it has not, and leaves
 * all instances alone.
 * @throws E_KERNEL when out of descriptors
 */
export function openDirectRunner(options: DirectRunnerOptions): Runner {
  const { output, sink, cage } = options;
  const spawn = openSpawn(options.libc);
  const users = openUserDatabase(options.libc);
  const host: LaunchHost = { users, own: ownIdentity(users), environment: options.environment, state: options.state, notifySocket: options.notifySocket, files: options.files, startsInCgroups: spawn.inCgroups, ...(options.confinement === undefined ? {} : { confinement: options.confinement }) };
  const pidfds = openPidfds(options.libc);
  const epoll = openEpoll(options.libc);
  const bootId = readBootId();
  const devNull = openSync('/dev/null', 'r');

  const entries = new Map<InstanceId, Entry>();
  const byPid = new Map<number, InstanceId>();
  let queue: { readonly vassalName: string; readonly instance: Instance; readonly sockets: readonly number[]; readonly channel: readonly number[] }[] = [];
  let spawning = 0;
  let pumping = false;
  let disposed = false;
  let closing: (() => void) | null = null;

  function pump(): void {
    pumping = false;
    let begun = 0;
    while (spawning < SPAWNS_AT_ONCE && begun < LAUNCHES_A_TURN) {
      const next = queue.shift();
      if (next === undefined) return;
      begun += 1;
      start(next.vassalName, next.instance, next.sockets, next.channel);
    }
    if (begun === LAUNCHES_A_TURN) pumpSoon();
  }

  function pumpSoon(): void {
    if (pumping) return;
    pumping = true;
    setImmediate(pump);
  }

  function start(vassalName: string, instance: Instance, sockets: readonly number[], channel: readonly number[]): void {
    const plan = prepareLaunch(vassalName, instance, host, { sockets: sockets.length, channel: channel.length > 0 }, () => cage.enter(vassalName, instance));
    if ('code' in plan) {
      refuse(instance.id, plan);
      return;
    }
    let writeFd: number;
    try {
      writeFd = output.open(vassalName, instance).writeFd;
    } catch (error) {
      cage.clear(instance.id);
      refuse(instance.id, { code: 'E_SPAWN', reason: cannotStart(plan.file, vassalName, reasonOf(error)), lasting: false });
      return;
    }
    spawning += 1;
    spawn.start({ ...plan, stdio: [devNull, writeFd, writeFd, ...sockets, ...channel] }, (result) => {
      spawning -= 1;
      closeSync(writeFd);
      const trouble = result.ok ? welcome(instance, result.pid) : result.errno;
      if (trouble !== null) {
        cage.clear(instance.id);
        refuse(instance.id, explain(trouble, vassalName, instance, plan.file));
        output.finished(instance.id);
      }
      if (spawning === 0) closing?.();
      pumpSoon();
    });
  }

  /** @returns null, or the name of the error: it cannot be watched, and what cannot be watched must not live. */
  function welcome(instance: Instance, pid: number): string | null {
    const startTicks = readStartTicks(pid);
    let pidfd: number | null = null;
    try {
      pidfd = pidfds.open(pid);
      // A child that is not reaped is there, so it is only that we cannot see it.
      if (pidfd === null || startTicks === null) throw new EmperorError('E_KERNEL', `cannot tell process ${pid} from later ones`, { cause: 'ESRCH' });
      epoll.watch(pidfd, () => bury(instance.id));
    } catch (error) {
      if (pidfd !== null) closeSync(pidfd);
      killGroup(pid, 'SIGKILL');
      pidfds.reapPid(pid);
      return error instanceof EmperorError ? String(error.cause) : reasonOf(error);
    }
    const entry = entries.get(instance.id);
    entries.set(instance.id, { phase: 'living', pid, pidfd, proof: null, startTicks, main: null });
    byPid.set(pid, instance.id);
    sink({ type: 'spawned', instance: instance.id, process: { pid, startTicks, bootId } });
    if (entry?.phase === 'launching') for (const { signal, whom } of entry.pending) send(instance.id, pid, pidfd, signal, whom);
    return null;
  }

  function refuse(instance: InstanceId, refusal: Refusal): void {
    entries.delete(instance);
    sink({ type: 'unlaunchable', instance, ...refusal });
  }

  function explain(errno: string, vassalName: string, instance: Instance, file: string): Refusal {
    const { spec } = instance.runs;
    const judged = judgeErrno(errno);
    if (judged.code === 'E_SPAWN') return { ...judged, reason: cannotStart(file, vassalName, errno) };
    // Entering the directory, the program and its interpreter give the same errors.
    const place = { directory: spec.directory, path: '' };
    const cause = directoryTrouble(spec.directory, false) ?? vetProgram({ ...spec, argv: [file] }, place, false, new Map());
    // Nothing is missing (any more) whose appearance could be waited for: it may have been put there half, a moment ago.
    if (cause === null) return { code: judged.code, lasting: false, reason: cannotStart(file, vassalName, errno) };
    return { ...judged, code: cause.code, reason: cannotStart(file, vassalName, `${errno}: ${cause.message}`) };
  }

  function bury(id: InstanceId): void {
    const entry = entries.get(id);
    if (entry?.phase !== 'living') return;
    const { pid, pidfd, proof, main } = entry;
    if (main !== null && succeed(id, entry, main)) return;
    // One that is not our child may have been reaped by now, and its number given away.
    const startTicks = proof === null ? null : readStartTicks(pid);
    if (startTicks === null || startTicks === proof?.startTicks) killGroup(pid, 'SIGKILL');
    const ending = pidfds.reap(pidfd);
    if (ending === 'running') return;
    epoll.unwatch(pidfd);
    closeSync(pidfd);
    entries.delete(id);
    byPid.delete(pid);
    const status = exitStatus(ending);
    const { outOfMemory } = cage.clear(id);
    sink({ type: 'exited', instance: id, status, ...(outOfMemory && looksKilled(status) ? { outOfMemory } : {}) });
    output.finished(id);
  }

  /** The process that was started has ended, and another one goes on in its place. False: that one has ended as well, or the first one has not. */
  function succeed(id: InstanceId, entry: Entry & { readonly phase: 'living' }, main: { readonly pid: number; readonly pidfd: number }): boolean {
    if (isEnded(main.pid) || pidfds.reap(entry.pidfd) === 'running') {
      closeSync(main.pidfd);
      entries.set(id, { ...entry, main: null });
      return false;
    }
    epoll.unwatch(entry.pidfd);
    closeSync(entry.pidfd);
    // From now on its number may be given away, once the last of the group has ended.
    entries.set(id, { ...entry, pidfd: main.pidfd, main: null, proof: { pid: entry.pid, startTicks: entry.startTicks, bootId } });
    epoll.watch(main.pidfd, () => bury(id));
    return true;
  }

  function send(id: InstanceId, pid: number, pidfd: number, signal: SignalName, whom: 'main' | 'group'): void {
    if (whom === 'group') killGroup(pid, signal);
    if (whom === 'group' && signal === 'SIGKILL') cage.kill(id);
    if (whom === 'main') pidfds.signal(pidfd, signalNumber(signal));
  }

  return {
    launch(vassalName, instance, sockets, channel = []) {
      if (disposed) return;
      entries.set(instance.id, { phase: 'launching', pending: [] });
      queue.push({ vassalName, instance, sockets, channel });
      pumpSoon();
    },
    signal(instance, signal, whom) {
      const entry = entries.get(instance);
      if (entry === undefined) return;
      if (entry.phase === 'launching') entry.pending.push({ signal, whom });
      else send(instance, entry.pid, entry.main?.pidfd ?? entry.pidfd, signal, whom);
    },
    follow(instance, pid) {
      const entry = entries.get(instance);
      if (entry?.phase !== 'living' || pid === entry.pid || entry.main?.pid === pid) return;
      const pidfd = pidfds.open(pid);
      if (pidfd === null) return;
      // First the handle, then the proof.
      const startTicks = readStartTicks(pid);
      if (startTicks === null || sessionOf(pid) !== entry.pid) {
        closeSync(pidfd);
        return;
      }
      if (entry.main !== null) closeSync(entry.main.pidfd);
      entries.set(instance, { ...entry, main: { pid, pidfd } });
      setImmediate(() => {
        if (!disposed && entries.has(instance)) sink({ type: 'followed', instance, process: { pid, startTicks, bootId } });
      });
    },
    adopt(vassalName, instance) {
      const proof = instance.process;
      if (proof === null) return false;
      // First the handle, then the proof: what the handle means cannot change any more.
      const pidfd = pidfds.open(proof.pid);
      if (pidfd === null) return false;
      if (!isProven(proof, bootId)) {
        closeSync(pidfd);
        return false;
      }
      // It may have named another process than that which was started; the number of the session is still that of the one that was.
      const pid = sessionOf(proof.pid) ?? proof.pid;
      const started = pid === proof.pid ? null : pidfds.open(pid);
      const startTicks = pid === proof.pid ? proof.startTicks : (readStartTicks(pid) ?? NOBODY);
      const first = { pid, startTicks, bootId };
      if (started === null) entries.set(instance.id, { phase: 'living', pid, pidfd, proof: first, startTicks, main: null });
      else entries.set(instance.id, { phase: 'living', pid, pidfd: started, proof: first, startTicks, main: { pid: proof.pid, pidfd } });
      byPid.set(pid, instance.id);
      output.reopen(vassalName, instance);
      epoll.watch(started ?? pidfd, () => bury(instance.id));
      return true;
    },
    instanceOf: (pid) => byPid.get(pid) ?? null,
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      queue = [];
      if (spawning > 0) await new Promise<void>((resolve) => (closing = resolve));
      epoll[Symbol.dispose]();
      for (const entry of entries.values()) {
        if (entry.phase !== 'living') continue;
        closeSync(entry.pidfd);
        if (entry.main !== null) closeSync(entry.main.pidfd);
      }
      entries.clear();
      closeSync(devNull);
    },
  };
}

/** Signals a process group: kill(2). False: nobody is left in it, or only such as may not be signalled. */
function killGroup(group: number, signal: SignalName): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
