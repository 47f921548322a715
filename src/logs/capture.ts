import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EmperorError, reasonOf, errnoOf } from '../errors.ts';
import type { LogPolicy } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';
import { openEpoll } from '../kernel/epoll.ts';
import { fifoMaker } from '../kernel/fifo.ts';
import type { Libc } from '../kernel/libc.ts';
import type { Clock } from '../world/clock.ts';
import { openPatterns } from '../world/pattern.ts';
import { Ear, type OnSeen } from './ear.ts';
import { openAgain, READ_FLAGS, removeFifo } from './fifo-path.ts';
import { JsonLines } from './json-lines.ts';
import { LogFile } from './log-file.ts';
import { logFileName } from './log-name.ts';
import { Losses, type OnLost } from './losses.ts';
import { Rotation, Turnstile } from './rotate.ts';

/** What a capture is made of. */
export interface CaptureOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  /** Folder for the FIFOs, absolute; made if it is not there, for the emperor alone. */
  readonly fifoFolder: string;
  /** Folder for the log files, absolute; made at the first line. */
  readonly logFolder: string;
  readonly onLost: OnLost;
}

/** Takes what instances print and writes it to a file for each vassal. It is what the runner knows as its output sink. */
export interface Capture extends AsyncDisposable {
  /**
   * Makes the FIFO of an instance. Its end is held open for reading and writing, so that an instance never sees a broken pipe: while
   * no emperor is there its output waits in the FIFO, and when that is full (64 kB) the instance waits, too.
   * @throws E_KERNEL out of descriptors, or no room in the state folder
   */
  open(vassalName: string, instance: Instance): { readonly writeFd: number };
  /** Reads on what an instance of an earlier emperor prints. */
  reopen(vassalName: string, instance: Instance): void;
  /** The instance is gone: what is left in its FIFO is read (1 MiB at most, should someone still write), then the FIFO is removed. */
  finished(instance: InstanceId): void;
  /** Opens all log files anew, for who has moved them away: SIGUSR1. */
  reopenFiles(): Promise<void>;
  /**
   * Looks for a line of an instance that matches, from now on. Where its readiness is such a line, the first who looks for that pattern is told of it from
   * the first byte on. Calls back once, later. The returned function ends it. A stranger prints nothing.
   */
  watchLog(instance: InstanceId, pattern: string, onSeen: OnSeen): () => void;
  /** The last 20 lines, of the last 4 KiB, that an instance printed to this emperor; also of one that has ended, while it is among the last 100. */
  lastLines(instance: InstanceId): readonly string[];
  /** Removes FIFOs that no known instance prints to, left by an earlier emperor; to be called when all that live were adopted. */
  sweep(): void;
}

/** All that prints into one log. */
interface Channel {
  readonly vassalName: string;
  readonly log: LogFile;
  readonly losses: Losses;
  readonly intakes: Set<Intake>;
}

/** The FIFO of one instance. */
interface Intake {
  readonly id: InstanceId;
  readonly path: string;
  readonly fd: number;
  readonly channel: Channel;
  readonly json: JsonLines | null;
  readonly ear: Ear;
  /** Not read from while the log is full. */
  paused: boolean;
}

/** The folder is closed to others. The FIFO itself is not: programs that run as another user open /dev/stdout again. */
const FIFO_MODE = 0o622;
const FIFO_FOLDER_MODE = 0o700;
/** A full FIFO. */
const CHUNK_BYTES = 64 * 1024;
const MOST_LEFT_BYTES = 1024 * 1024;
/** Instances that have ended, and whose last lines are kept. */
const MOST_REMEMBERED = 100;

/** Opens the capture. @throws E_KERNEL if the folder for the FIFOs cannot be made */
export function openCapture(options: CaptureOptions): Capture {
  const { clock, fifoFolder } = options;
  attempt(`make ${fifoFolder}`, () => {
    if (lstatSync(fifoFolder, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw new Error('it is a symlink, which is not followed');
    mkdirSync(fifoFolder, { recursive: true, mode: FIFO_FOLDER_MODE });
  });
  const makeFifo = fifoMaker(options.libc);
  const epoll = openEpoll(options.libc);
  const stop = new AbortController();
  const compressions = new Turnstile();
  const channels = new Map<string, Channel>();
  const intakes = new Map<InstanceId, Intake>();
  const patterns = openPatterns();
  const ended = new Map<InstanceId, Ear>();
  const scratch = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  const fifoPath = (instance: Instance): string => join(fifoFolder, String(instance.serial));

  function channelOf(vassalName: string, policy: LogPolicy): Channel {
    const known = channels.get(vassalName);
    if (known !== undefined) {
      known.log.policy = policy;
      return known;
    }
    const path = join(options.logFolder, logFileName(vassalName));
    const losses = new Losses(clock, (loss) => options.onLost(vassalName, loss));
    const rotation = new Rotation(path, compressions, stop.signal);
    const inside = new Set<Intake>();
    const log = new LogFile({ path, policy, losses, rotation, onRoom: () => resume(inside) });
    const channel = { vassalName, log, losses, intakes: inside };
    channels.set(vassalName, channel);
    return channel;
  }

  function take(vassalName: string, instance: Instance, path: string, fd: number): void {
    const policy = instance.runs.spec.log;
    const channel = channelOf(vassalName, policy);
    const json = policy.format === 'json' ? new JsonLines(instance.id) : null;
    const { ready } = instance.runs.spec;
    const ear = new Ear({ clock, patterns, early: ready.kind === 'log' && instance.readyMs === null ? ready.pattern : null });
    const intake: Intake = { id: instance.id, path, fd, channel, json, ear, paused: false };
    epoll.watch(fd, () => pour(intake));
    channel.intakes.add(intake);
    intakes.set(intake.id, intake);
  }

  /** Reads once: what comes in one turn of the event loop is bounded, however fast somebody prints. */
  function pour(intake: Intake): void {
    if (readOnce(intake) === 'ended') end(intake);
    else if (intake.channel.log.full) for (const each of intake.channel.intakes) pause(each);
  }

  function readOnce(intake: Intake): 'ended' | 'empty' | number {
    let length: number;
    try {
      length = readSync(intake.fd, scratch);
    } catch (error) {
      return errnoOf(error) === 'EAGAIN' ? 'empty' : 'ended';
    }
    if (length === 0) return 'ended';
    const data = Buffer.from(scratch.subarray(0, length));
    intake.ear.hear(data);
    intake.channel.log.append(intake.json === null ? data : intake.json.push(data, clock.now().at));
    return length;
  }

  function pause(intake: Intake): void {
    if (intake.paused) return;
    intake.paused = true;
    epoll.unwatch(intake.fd);
  }

  function resume(inside: ReadonlySet<Intake>): void {
    for (const intake of inside) {
      if (!intake.paused) continue;
      intake.paused = false;
      epoll.watch(intake.fd, () => pour(intake));
    }
  }

  function drain(intake: Intake): void {
    for (let left = MOST_LEFT_BYTES; left > 0; ) {
      const read = readOnce(intake);
      if (typeof read !== 'number') return;
      left -= read;
    }
  }

  function end(intake: Intake): void {
    const { channel } = intake;
    epoll.unwatch(intake.fd);
    closeSync(intake.fd);
    removeFifo(intake.path);
    intakes.delete(intake.id);
    remember(intake);
    channel.intakes.delete(intake);
    if (intake.json !== null) channel.log.append(intake.json.end(clock.now().at));
    if (channel.intakes.size === 0) void abandon(channel);
  }

  function remember(intake: Intake): void {
    ended.set(intake.id, intake.ear);
    const [oldest] = ended.keys();
    if (ended.size > MOST_REMEMBERED && oldest !== undefined) ended.delete(oldest);
  }

  async function abandon(channel: Channel): Promise<void> {
    await channel.log.release();
    // Its vassal may have been started again meanwhile; two files on one path would disturb each other.
    if (channel.intakes.size > 0 || !channel.log.idle || channels.get(channel.vassalName) !== channel) return;
    channel.losses.close();
    channels.delete(channel.vassalName);
  }

  return {
    open(vassalName, instance) {
      const path = fifoPath(instance);
      return attempt(`open the output of ${instance.id}`, () => {
        // One of that name can only be left from a state folder whose database was lost.
        rmSync(path, { force: true });
        makeFifo(path, FIFO_MODE);
        chmodSync(path, FIFO_MODE);
        const fds: number[] = [];
        try {
          const fd = openSync(path, READ_FLAGS);
          fds.push(fd);
          const writeFd = openSync(path, constants.O_RDWR);
          fds.push(writeFd);
          take(vassalName, instance, path, fd);
          return { writeFd };
        } catch (error) {
          for (const fd of fds) closeSync(fd);
          removeFifo(path);
          throw error;
        }
      });
    },
    reopen(vassalName, instance) {
      const path = fifoPath(instance);
      try {
        take(vassalName, instance, path, openAgain(path, instance.process?.pid ?? null));
      } catch (error) {
        options.onLost(vassalName, { lines: 0, bytes: 0, reason: `cannot read the output of ${instance.id}: ${reasonOf(error)}`, over: false });
      }
    },
    finished(instance) {
      const intake = intakes.get(instance);
      if (intake === undefined) return;
      drain(intake);
      end(intake);
    },
    watchLog(instance, pattern, onSeen) {
      const ear = intakes.get(instance)?.ear ?? ended.get(instance);
      return ear?.watch(pattern, onSeen) ?? (() => {});
    },
    lastLines(instance) {
      const intake = intakes.get(instance);
      // Its end may be known before its last words were read.
      if (intake !== undefined) drain(intake);
      return (intake?.ear ?? ended.get(instance))?.lastLines() ?? [];
    },
    async reopenFiles() {
      await Promise.all(Array.from(channels.values(), (channel) => channel.log.release()));
    },
    sweep() {
      const known = new Set(Array.from(intakes.values(), (intake) => intake.path));
      for (const name of readdirSync(fifoFolder)) {
        const path = join(fifoFolder, name);
        if (!known.has(path)) removeFifo(path);
      }
    },
    async [Symbol.asyncDispose]() {
      epoll[Symbol.dispose]();
      for (const intake of intakes.values()) {
        // Its FIFO stays: the next emperor reads on.
        drain(intake);
        closeSync(intake.fd);
        if (intake.json !== null) intake.channel.log.append(intake.json.end(clock.now().at));
      }
      intakes.clear();
      stop.abort();
      await Promise.all(Array.from(channels.values(), (channel) => channel.log.release()));
      await compressions.idle();
      for (const channel of channels.values()) channel.losses.close();
      channels.clear();
    },
  };
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new EmperorError('E_KERNEL', `cannot ${what}: ${reasonOf(cause)}`, { cause });
  }
}
