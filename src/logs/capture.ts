import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EmperorError, reasonOf } from '../errors.ts';
import type { LogPolicy } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';
import { openEpoll } from '../kernel/epoll.ts';
import { fifoMaker } from '../kernel/fifo.ts';
import type { WriteJournal } from '../kernel/journal.ts';
import type { Libc } from '../kernel/libc.ts';
import { openSplice } from '../kernel/splice.ts';
import type { Clock } from '../world/clock.ts';
import { keptName, NO_KEEPER, type Keeper } from '../world/keeper.ts';
import { openPatterns } from '../world/pattern.ts';
import { Channel } from './channel.ts';
import { Ear, type OnSeen } from './ear.ts';
import { openAgain, READ_FLAGS, removeFifo } from './fifo-path.ts';
import { Intake } from './intake.ts';
import { JsonLines } from './json-lines.ts';
import { LargeFifos } from './large-fifos.ts';
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
  /** Writes to the journal of the host. Default: there is none, and what is for it is lost. */
  readonly journal?: WriteJournal;
  /** Keeps the reading ends of FIFOs: so what an instance printed last is there, also if it ends while no emperor is. Default: nobody does. */
  readonly keeper?: Keeper;
  /** Reading ends that an earlier emperor has given to the keeper, by the serials of their instances. */
  readonly kept?: ReadonlyMap<number, number>;
}

/** Takes what instances print and writes it to a file for each vassal. It is what the runner knows as its output sink. */
export interface Capture extends AsyncDisposable {
  /**
   * Makes the FIFO of an instance. Its end is held open for reading and writing, so that an instance never sees a broken pipe: while
   * no emperor is there its output waits in the FIFO, and when that is full (64 kB; 1 MB of who prints a lot) the instance waits, too.
   * @throws E_KERNEL out of descriptors, or no room in the state folder
   */
  open(vassalName: string, instance: Instance): { readonly writeFd: number };
  /** Reads on what an instance of an earlier emperor prints. */
  reopen(vassalName: string, instance: Instance): void;
  /** An instance of an earlier emperor has ended while none was there: what it printed last is read, if its FIFO was kept. */
  bury(vassalName: string, instance: Instance): void;
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
  /** Tells of its {@link Capture.lastLines}: at once, or, where a part of what it printed is just on its way to the disk, after that, or after 1 s. */
  quote(instance: InstanceId, tell: (lines: readonly string[]) => void): void;
  /** Copies of the descriptors of all FIFOs, by the serials of their instances, for the program that is executed next in this process. */
  handOver(copy: (fd: number) => number): readonly (readonly [serial: number, fd: number])[];
  /** Removes FIFOs that no known instance prints to, left by an earlier emperor; to be called when all that live were adopted. */
  sweep(): void;
}

/** The folder is closed to others. The FIFO itself is not: programs that run as another user open /dev/stdout again. */
const FIFO_MODE = 0o622;
const FIFO_FOLDER_MODE = 0o700;
/** Instances that have ended, and whose last lines are kept. */
const MOST_REMEMBERED = 100;
/** A disk that has not taken a portion by then is not waited for to hear the rest. */
const STILL_MS = 1_000;

const NO_JOURNAL: WriteJournal = () => 'ENOENT';

/** Opens the capture. @throws E_KERNEL if the folder for the FIFOs cannot be made */
export function openCapture(options: CaptureOptions): Capture {
  const { clock, fifoFolder, keeper = NO_KEEPER, journal = NO_JOURNAL } = options;
  const kept = new Map(options.kept);
  attempt(`make ${fifoFolder}`, () => {
    if (lstatSync(fifoFolder, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw new Error('it is a symlink, which is not followed');
    mkdirSync(fifoFolder, { recursive: true, mode: FIFO_FOLDER_MODE });
  });
  const makeFifo = fifoMaker(options.libc);
  const splice = openSplice(options.libc);
  const epoll = openEpoll(options.libc);
  const stop = new AbortController();
  const compressions = new Turnstile();
  const channels = new Map<string, Channel>();
  const intakes = new Map<InstanceId, { readonly intake: Intake; readonly channel: Channel }>();
  const patterns = openPatterns();
  const ended = new Map<InstanceId, Ear>();
  /** Of instances that have ended, and are not read to their end yet. */
  const leaving = new Map<InstanceId, Intake>();
  const large = new LargeFifos(splice);

  const fifoPath = (instance: Instance): string => join(fifoFolder, String(instance.serial));

  function channelOf(vassalName: string, policy: LogPolicy): Channel {
    const known = channels.get(vassalName);
    if (known !== undefined) {
      known.policy = policy;
      return known;
    }
    const path = join(options.logFolder, logFileName(vassalName));
    const losses = new Losses(clock, (loss) => options.onLost(vassalName, loss));
    const rotation = new Rotation(path, compressions, stop.signal);
    const channel: Channel = new Channel({ vassalName, journal, clock, epoll, splice, path, policy, losses, rotation, onOver: (intake) => over(vassalName, channel, losses, intake) });
    channels.set(vassalName, channel);
    return channel;
  }

  function take(vassalName: string, instance: Instance, path: string, fd: number): void {
    const policy = instance.runs.spec.log;
    const channel = channelOf(vassalName, policy);
    const toJournal = policy.to === 'journal';
    const transform = policy.format === 'json' && !toJournal ? jsonOf(instance.id, clock) : null;
    const { ready } = instance.runs.spec;
    const ear = new Ear({ clock, patterns, early: ready.kind === 'log' && instance.readyMs === null ? ready.pattern : null });
    const intake = new Intake({ id: instance.id, path, fd, ear, transform, toJournal, splice, large });
    channel.add(intake);
    intakes.set(intake.id, { intake, channel });
    keeper.keep(keptName('log', instance.serial), fd);
  }

  function over(vassalName: string, channel: Channel, losses: Losses, intake: Intake): void {
    const closedItsOutput = intakes.delete(intake.id);
    if (closedItsOutput) {
      removeFifo(intake.path);
      remember(intake);
    }
    // Of those that live on it is kept for the next emperor.
    if (leaving.delete(intake.id) || closedItsOutput) keeper.drop(keptName('log', serialOf(intake)));
    large.delete(intake.fd);
    if (channel.isEmpty) void abandon(vassalName, channel, losses);
  }

  /** null: nobody has kept it. */
  function takeKept({ serial }: Instance): number | null {
    const fd = kept.get(serial) ?? null;
    kept.delete(serial);
    return fd;
  }

  function finish(instance: InstanceId): void {
    const known = intakes.get(instance);
    if (known === undefined) return;
    const { intake, channel } = known;
    intakes.delete(instance);
    leaving.set(instance, intake);
    // Nobody else will read it: what is in it goes with the last who has it open.
    removeFifo(intake.path);
    channel.finish(intake);
    remember(intake);
  }

  function remember(intake: Intake): void {
    ended.set(intake.id, intake.ear);
    const [oldest] = ended.keys();
    if (ended.size > MOST_REMEMBERED && oldest !== undefined) ended.delete(oldest);
  }

  async function abandon(vassalName: string, channel: Channel, losses: Losses): Promise<void> {
    // Its vassal may have been started again meanwhile; two files on one path would disturb each other.
    if (!(await channel.release()) || channels.get(vassalName) !== channel) return;
    losses.close();
    channels.delete(vassalName);
  }

  function lastLines(instance: InstanceId): readonly string[] {
    const living = intakes.get(instance)?.intake;
    // Its end may be known before its last words were heard.
    (living ?? leaving.get(instance))?.listen();
    return (living?.ear ?? ended.get(instance))?.lastLines() ?? [];
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
        take(vassalName, instance, path, takeKept(instance) ?? openAgain(path, instance.process?.pid ?? null));
      } catch (error) {
        options.onLost(vassalName, { lines: 0, bytes: 0, reason: `cannot read the output of ${instance.id}: ${reasonOf(error)}`, over: false });
      }
    },
    bury(vassalName, instance) {
      const fd = takeKept(instance);
      if (fd === null) return;
      take(vassalName, instance, fifoPath(instance), fd);
      finish(instance.id);
    },
    finished: finish,
    watchLog(instance, pattern, onSeen) {
      const ear = intakes.get(instance)?.intake.ear ?? ended.get(instance);
      return ear?.watch(pattern, onSeen) ?? (() => {});
    },
    lastLines,
    quote(instance, tell) {
      const intake = intakes.get(instance)?.intake ?? leaving.get(instance);
      let told = false;
      const speak = (): void => {
        cancel();
        if (!told) tell(lastLines(instance));
        told = true;
      };
      const cancel = clock.after(STILL_MS, speak);
      if (intake === undefined) speak();
      else intake.whenStill(speak);
    },
    async reopenFiles() {
      await Promise.all(Array.from(channels.values(), (channel) => channel.reopen()));
    },
    handOver: (copy) => Array.from(intakes.values(), ({ intake }) => [serialOf(intake), copy(intake.fd)] as const),
    sweep() {
      for (const [serial, fd] of kept) {
        keeper.drop(keptName('log', serial));
        closeSync(fd);
      }
      kept.clear();
      const known = new Set(Array.from(intakes.values(), ({ intake }) => intake.path));
      for (const name of readdirSync(fifoFolder)) {
        const path = join(fifoFolder, name);
        if (!known.has(path)) removeFifo(path);
      }
    },
    async [Symbol.asyncDispose]() {
      epoll[Symbol.dispose]();
      // Their FIFOs stay: the next emperor reads on.
      intakes.clear();
      stop.abort();
      await Promise.all(Array.from(channels.values(), (channel) => channel.close()));
      await compressions.idle();
      channels.clear();
      splice[Symbol.dispose]();
    },
  };
}

/** It is the name of its FIFO. */
function serialOf({ path }: Intake): number {
  return Number(basename(path));
}

/** Lines as objects. One that is not complete is not waited for any more: it is one as it is. */
function jsonOf(id: InstanceId, clock: Clock): (lines: Buffer) => Buffer {
  const json = new JsonLines(id);
  return (lines) => {
    const { at } = clock.now();
    return Buffer.concat([json.push(lines, at), json.end(at)]);
  };
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new EmperorError('E_KERNEL', `cannot ${what}: ${reasonOf(cause)}`, { cause });
  }
}
