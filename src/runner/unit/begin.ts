import { closeSync, readSync } from 'node:fs';
import type { Instance } from '../../core/state.ts';
import { EmperorError, errnoOf } from '../../errors.ts';
import type { Epoll } from '../../kernel/epoll.ts';
import { errnoName, type Libc } from '../../kernel/libc.ts';
import { memoryFile } from '../../kernel/memory-file.ts';
import { openPassDescriptors } from '../../kernel/pass-descriptors.ts';
import { openSocketPairs } from '../../kernel/socket-pair.ts';
import type { Clock } from '../../world/clock.ts';
import { cannotStart, judgeErrno, type Refusal } from '../refusal.ts';
import { launcherCommand, errandText, type Errand } from './launcher.ts';
import type { SystemdPrograms } from './systemd-programs.ts';

/** What it takes to begin units. */
export interface BeginOptions {
  readonly libc: Libc;
  readonly clock: Pick<Clock, 'after'>;
  readonly epoll: Epoll;
  readonly systemd: SystemdPrograms;
}

/** A unit that is to be begun. */
export interface Beginning {
  readonly vassalName: string;
  readonly instance: Instance;
  readonly unit: string;
  readonly properties: readonly string[];
  readonly errand: Errand;
  /** Path of perl. */
  readonly perl: string;
  /** Where it prints to. */
  readonly output: number;
  /** Become its descriptors from 3 on. They, and the output, may be closed when this has returned. */
  readonly descriptors: readonly number[];
  /** It is not waited for any longer. */
  readonly givenUp: AbortSignal;
}

/** Who is told how it goes. */
export interface Told {
  /** Its first process is there, and waits. With a refusal it goes no further. @param pid by its own word: in a PID namespace of the unit that is another one */
  there(pid: number): Promise<Refusal | null>;
  /** It executes its program now, and is not heard of any more. */
  executed(): void;
}

/** Begins a unit. Resolves after its program was executed, with null, or with why it is not. Never rejects for what a file asked. */
export type Begin = (beginning: Beginning, told: Told) => Promise<Refusal | null>;

/** A start that takes longer has failed, whatever `start-timeout` says: systemd itself gives up after 90 s, DefaultTimeoutStartSec= of systemd-system.conf(5). */
const LONGEST_MS = 120_000;
/** What systemd says of what is there today and may be gone tomorrow, or the other way round. */
const PASSING = /Failed to connect|timed out|Connection|Transport endpoint|Failed to activate|being reloaded|reexec|destructive/i;

/** Makes what begins units. */
export function openBegin({ libc, clock, epoll, systemd }: BeginOptions): Begin {
  const pairs = openSocketPairs(libc);
  const pass = openPassDescriptors(libc);

  /**
   * Hears what the launcher reports, up to its end. That is no news if nobody was there: what has not arrived when the socket is closed that it is on its way on
   * is closed as well, and then systemd tells why.
   */
  const hear = (fd: number, onThere: (pid: number) => void, onEnd: (errno: number) => void): void => {
    let said = '';
    epoll.watch(fd, () => {
      const word = Buffer.alloc(16);
      const length = readSome(fd, word);
      if (length === null) return;
      const wasThere = said.includes('\n');
      said += word.toString('latin1', 0, length);
      const [pid = '', errno] = said.split('\n');
      if (!wasThere && errno !== undefined) onThere(Number(pid));
      if (length > 0) return;
      epoll.unwatch(fd);
      if (errno !== undefined) onEnd(Number(errno));
    });
  };

  return async ({ vassalName, instance, unit, properties, errand, perl, output, descriptors, givenUp }, told) => {
    const refuse = (code: Refusal['code'], why: string, lasting: boolean): Refusal => ({ code, reason: cannotStart(errand.file, vassalName, why), lasting });
    const command = launcherCommand(perl, process.arch);
    const text = errandText(errand);
    if (command === null) return refuse('E_UNIT', `instances cannot be units on ${process.arch}`, true);
    if (text === null) return refuse('E_SPAWN', 'EINVAL', true);
    const ours: number[] = [];
    const theirs: number[] = [];
    const longestMs = Math.min(LONGEST_MS, instance.runs.spec.startTimeoutMs);
    let cancel = (): void => {};
    try {
      const way = pairs.open(`emperor/unit/${unit}`.slice(0, 100));
      ours.push(way.ours);
      theirs.push(way.theirs);
      const report = pairs.open(`emperor/report/${unit}`.slice(0, 100));
      ours.push(report.ours);
      theirs.push(report.theirs);
      const file = memoryFile(libc, text);
      theirs.push(file);
      const errno = pass(way.ours, [...descriptors, file, report.theirs]);
      if (errno !== null) return refuse('E_SPAWN', errno, false);
      const start = systemd.start(unit, `${instance.id}, an instance of the emperor`, properties, [way.theirs, output], command);
      for (const fd of theirs.splice(0)) closeSync(fd);
      try {
        return await Promise.race([
          new Promise<Refusal | null>((resolve) => {
            const go = async (pid: number): Promise<void> => {
              const refusal = await told.there(pid);
              if (refusal !== null) resolve(refusal);
              // It may have been given up meanwhile. If nobody is there any more, the report ends.
              else if (ours.includes(way.ours)) pass(way.ours, []);
            };
            hear(report.ours, (pid) => void go(pid), (errno) => {
              if (errno === 0) told.executed();
              resolve(errno === 0 ? null : { ...refuse('E_SPAWN', errnoName(errno), false), ...judgeErrno(errnoName(errno)) });
            });
          }),
          start.refused.then(async (why) => refuse('E_UNIT', await detailed(why, unit, systemd), !PASSING.test(why))),
          new Promise<Refusal>((resolve) => (cancel = clock.after(longestMs, () => resolve(refuse('E_UNIT', `systemd has not started ${unit} for ${longestMs / 1_000} s`, false))))),
          new Promise<Refusal>((resolve) => givenUp.addEventListener('abort', () => resolve(refuse('E_UNIT', `systemd has not started ${unit} yet, and it is not wanted any more`, false)))),
        ]);
      } finally {
        await start.leave();
      }
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      return refuse('E_SPAWN', error.message, false);
    } finally {
      cancel();
      for (const fd of ours.splice(0)) {
        epoll.unwatch(fd);
        closeSync(fd);
      }
      for (const fd of theirs) closeSync(fd);
    }
  };
}

/** systemd-run(1) says nothing, or only where to look, when the unit was made and could not be started. */
async function detailed(why: string, unit: string, systemd: SystemdPrograms): Promise<string> {
  if (why !== '' && !why.startsWith('Job for ')) return why;
  const words = (await systemd.lastWords(unit)).split('\n').filter((line) => line !== '' && !/^(?:Starting|Started|Stopped) /.test(line));
  return words.join('; ') || why || 'systemd-run ended without a word';
}

/** null: there is nothing now. */
function readSome(fd: number, into: Buffer): number | null {
  try {
    return readSync(fd, into);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return null;
    throw error;
  }
}
