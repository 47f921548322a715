import { closeSync } from 'node:fs';
import type { SignalName } from '../../core/spec.ts';
import type { Instance, InstanceId } from '../../core/state.ts';
import { openEpoll } from '../../kernel/epoll.ts';
import type { Libc } from '../../kernel/libc.ts';
import { openPidfds } from '../../kernel/pidfd.ts';
import { openUserDatabase } from '../../kernel/user.ts';
import type { Clock } from '../../world/clock.ts';
import type { Usage } from '../cage.ts';
import { exitStatus, looksKilled, signalNumber } from '../exit-status.ts';
import { ownIdentity } from '../identity.ts';
import type { LaunchHost } from '../prepare.ts';
import { isProven, readBootId, readStartTicks } from '../proc.ts';
import type { Refusal } from '../refusal.ts';
import type { OutputSink, Runner, RunnerSink } from '../runner.ts';
import { openBegin } from './begin.ts';
import { openIdentify, type FirstProcess } from './first-process.ts';
import { openInquest } from './inquest.ts';
import { openLeftovers } from './leftovers.ts';
import { unitPlanner } from './plan.ts';
import { openStarts } from './starts.ts';
import { openSystemdPrograms } from './systemd-programs.ts';
import { isInUnit, serviceOf, signalGroup, usageOf } from './unit-cgroup.ts';
import { unitName } from './unit-name.ts';

/** What a runner of units is made of. */
export interface UnitRunnerOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly output: OutputSink;
  readonly sink: RunnerSink;
  /** The emperor's own environment; little of it reaches an instance. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The emperor's state folder, absolute: a mark on every instance. */
  readonly state: string;
  /** Where instances say how they are, sd_notify(3). */
  readonly notifySocket: string;
  /** Told, for people, when systemd does not answer. */
  readonly onTrouble: (message: string) => void;
}

/** A runner that also knows what its units use. */
export interface UnitRunner extends Runner {
  /** Whether a process of an earlier emperor is in the unit of that instance. */
  owns(vassalName: string, instance: Instance): boolean;
  /** Whether it is one of its instances. */
  knows(instance: InstanceId): boolean;
  /** null: it is none of its instances. */
  usage(instance: InstanceId): Usage | null;
}

/** An instance that the runner knows. Dead ones are forgotten. */
type Entry =
  | { readonly phase: 'launching'; readonly unit: string; readonly pending: { readonly signal: SignalName; readonly whom: 'main' | 'group' }[] }
  | {
      readonly phase: 'living';
      readonly unit: string;
      /** Of the process that systemd has started. */
      readonly pid: number;
      /** Of the one that is its first process now: that, or what it has named. */
      readonly pidfd: number;
      /** That is another one. */
      readonly followed: boolean;
      readonly cgroup: string;
      /** We have killed it: then it did not end for lack of memory. */
      readonly killed: boolean;
    }
  /** It has ended, and systemd is asked how. */
  | { readonly phase: 'ended'; readonly unit: string };

/**
 * Opens the runner that makes each instance a transient service of the service manager: systemd.service(5). What is the emperor's (sockets, output,
 * command line, environment) it gets from the emperor through its {@link launcherCommand | launcher}, all else from its unit. Its end shows on a
 * pidfd; how it has ended, systemd tells.
 *
 * Disposing waits for units that are being started, so that their `spawned` is told, and leaves all instances alone.
 * @throws E_KERNEL when out of descriptors
 */
export function openUnitRunner(options: UnitRunnerOptions): UnitRunner {
  const { libc, clock, output, sink, state } = options;
  const users = openUserDatabase(libc);
  const own = ownIdentity(users);
  const host: LaunchHost = { users, own, environment: options.environment, state, notifySocket: options.notifySocket, files: null, startsInCgroups: false };
  const systemd = openSystemdPrograms(options.environment, own.user.uid !== 0);
  const pidfds = openPidfds(libc);
  const epoll = openEpoll(libc);
  const bootId = readBootId();
  const inquest = openInquest({ systemd, clock, onTrouble: options.onTrouble });
  const entries = new Map<InstanceId, Entry>();
  const byPid = new Map<number, InstanceId>();
  const leftovers = openLeftovers({ systemd, clock, state, claimed: () => new Set([...entries.values()].map(({ unit }) => unit)) });
  const starts = openStarts({
    clock,
    plan: unitPlanner(host, serviceOf('self')),
    output,
    begin: openBegin({ libc, clock, epoll, systemd }),
    identify: openIdentify(pidfds, inquest),
    discard: (unit) => leftovers.discard(unit),
    onStarted: welcome,
    onRefused: refuse,
  });
  let disposed = false;

  function welcome(instance: Instance, unit: string, { pid, pidfd, startTicks, cgroup }: FirstProcess): void {
    const pending = entries.get(instance.id);
    live(instance.id, { phase: 'living', unit, pid, pidfd, followed: false, cgroup, killed: false });
    sink({ type: 'spawned', instance: instance.id, process: { pid, startTicks, bootId } });
    if (pending?.phase === 'launching') for (const { signal, whom } of pending.pending) send(instance.id, signal, whom);
  }

  function live(id: InstanceId, entry: Entry & { readonly phase: 'living' }): void {
    entries.set(id, entry);
    byPid.set(entry.pid, id);
    epoll.watch(entry.pidfd, () => ended(id));
  }

  function refuse(instance: InstanceId, refusal: Refusal): void {
    entries.delete(instance);
    sink({ type: 'unlaunchable', instance, ...refusal });
  }

  function ended(id: InstanceId): void {
    const entry = entries.get(id);
    if (entry?.phase !== 'living') return;
    epoll.unwatch(entry.pidfd);
    closeSync(entry.pidfd);
    byPid.delete(entry.pid);
    bury(id, entry.unit, entry.followed ? null : entry.pid, entry.killed);
  }

  /** @param pid of the process that has ended; null: it is not the one that systemd has started, so nobody knows how */
  function bury(id: InstanceId, unit: string, pid: number | null, killed: boolean): void {
    entries.set(id, { phase: 'ended', unit });
    void inquest.howEnded(unit, pid).then((how) => {
      if (disposed) return;
      entries.delete(id);
      const status = exitStatus(how?.ended ?? 'stranger');
      const outOfMemory = how?.outOfMemory === true && !killed && looksKilled(status);
      sink({ type: 'exited', instance: id, status, ...(outOfMemory ? { outOfMemory } : {}) });
      output.finished(id);
      void leftovers.discard(unit);
    });
  }

  function send(id: InstanceId, signal: SignalName, whom: 'main' | 'group'): void {
    const entry = entries.get(id);
    if (entry?.phase !== 'living') return;
    if (whom === 'main') pidfds.signal(entry.pidfd, signalNumber(signal));
    else signalGroup(entry.pid, entry.unit, signal);
    if (whom === 'main' || signal !== 'SIGKILL') return;
    entries.set(id, { ...entry, killed: true });
    leftovers.kill(entry.unit);
  }

  return {
    launch(vassalName, instance, sockets, channel = []) {
      if (disposed) return;
      entries.set(instance.id, { phase: 'launching', unit: unitName(vassalName, instance.id, state), pending: [] });
      starts.add({ vassalName, instance, sockets, channel });
    },
    signal(instance, signal, whom) {
      const entry = entries.get(instance);
      if (entry?.phase !== 'launching') return send(instance, signal, whom);
      if (entry.pending.length === 0) starts.hurry(instance);
      entry.pending.push({ signal, whom });
    },
    follow(instance, pid) {
      const entry = entries.get(instance);
      if (entry?.phase !== 'living' || pid === entry.pid) return;
      const pidfd = pidfds.open(pid);
      if (pidfd === null) return;
      const startTicks = readStartTicks(pid);
      if (startTicks === null || !isInUnit(pid, entry.unit)) {
        closeSync(pidfd);
        return;
      }
      epoll.unwatch(entry.pidfd);
      closeSync(entry.pidfd);
      live(instance, { ...entry, pidfd, followed: true });
      setImmediate(() => {
        if (!disposed && entries.has(instance)) sink({ type: 'followed', instance, process: { pid, startTicks, bootId } });
      });
    },
    adopt(vassalName, instance) {
      const proof = instance.process;
      if (proof === null || proof.bootId !== bootId) return false;
      const unit = unitName(vassalName, instance.id, state);
      const pidfd = pidfds.open(proof.pid);
      const lives = pidfd !== null && isProven(proof, bootId);
      const left = leftovers.find(unit);
      if (pidfd !== null && lives) {
        const pid = left?.pid ?? proof.pid;
        live(instance.id, { phase: 'living', unit, pid, pidfd, followed: pid !== proof.pid, cgroup: left?.cgroup ?? '', killed: false });
        output.reopen(vassalName, instance);
        return true;
      }
      if (pidfd !== null) closeSync(pidfd);
      // It has ended while no emperor was there, and systemd has kept how.
      if (left?.ended == null || left.pid !== proof.pid) return false;
      entries.set(instance.id, { phase: 'ended', unit });
      output.reopen(vassalName, instance);
      setImmediate(() => {
        if (!disposed) bury(instance.id, unit, left.pid, false);
      });
      return true;
    },
    owns(vassalName, { id, process }) {
      return process !== null && isInUnit(process.pid, unitName(vassalName, id, state));
    },
    knows: (instance) => entries.has(instance),
    instanceOf: (pid) => byPid.get(pid) ?? null,
    usage(instance) {
      const entry = entries.get(instance);
      return entry?.phase === 'living' ? usageOf(entry.cgroup) : null;
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await starts[Symbol.asyncDispose]();
      await leftovers[Symbol.asyncDispose]();
      epoll[Symbol.dispose]();
      for (const entry of entries.values()) if (entry.phase === 'living') closeSync(entry.pidfd);
      entries.clear();
    },
  };
}
