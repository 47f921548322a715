import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { InstanceEvent } from '../../src/core/event.ts';
import type { Instance, InstanceId, Proof } from '../../src/core/state.ts';
import { fifoMaker } from '../../src/kernel/fifo.ts';
import { openLibc, type Libc } from '../../src/kernel/libc.ts';
import type { Cage } from '../../src/runner/cage.ts';
import { openDirectRunner } from '../../src/runner/direct.ts';
import { openCage } from '../../src/runner/open-cage.ts';
import { readStartTicks } from '../../src/runner/proc.ts';
import type { OutputSink, Runner } from '../../src/runner/runner.ts';
import { findMarked } from '../../src/runner/strays.ts';
import { systemClock } from '../../src/world/clock.ts';
import { until } from '../until.ts';

/** Folder with the little programs that are named for their manners. */
export const PROGRAMS_FOLDER: string = new URL('../fixtures/programs/', import.meta.url).pathname;

/** How to run one of them. */
export function program(name: string, ...args: string[]): { argv: [string, ...string[]] } {
  return { argv: [process.execPath, join(PROGRAMS_FOLDER, `${name}.mjs`), ...args] };
}

/** A runner and real processes. */
export interface Household extends AsyncDisposable {
  readonly libc: Libc;
  readonly runner: Runner;
  readonly events: InstanceEvent[];
  /** A state folder of its own; also the mark of all processes that it starts. */
  readonly state: string;
  readonly output: Output;
  /** Another runner on the same state folder. */
  open(): { readonly runner: Runner; readonly events: InstanceEvent[]; readonly cage: Cage };
  readonly cage: Cage;
  /** What its cages told. */
  readonly troubles: string[];
  /** Launches an instance and waits until it lives. */
  launch(instance: Instance): Promise<Proof>;
  /** Waits until it has ended. */
  exit(id: InstanceId): Promise<Extract<InstanceEvent, { type: 'exited' }>>;
}

/** An output sink that keeps what is printed, to be looked at. */
export interface Output extends OutputSink {
  textOf(id: InstanceId): string;
  readonly finishedOnes: InstanceId[];
}

/** Opens a household. When it is disposed, all that it started is killed, and that nothing is left is checked. */
export function openHousehold(environment: Record<string, string | undefined> = process.env, cgroup = 'none'): Household {
  const state = mkdtempSync(join(tmpdir(), 'emperor-runner-'));
  const libc = openLibc();
  const output = keepOutput(libc, state);
  const runners: Runner[] = [];
  const cages: Cage[] = [];

  const troubles: string[] = [];
  const open = (): { runner: Runner; events: InstanceEvent[]; cage: Cage } => {
    const events: InstanceEvent[] = [];
    const cage = openCage({ libc, clock: systemClock(), state, cgroup, onTrouble: (message) => troubles.push(message) });
    cages.push(cage);
    const runner = openDirectRunner({ libc, output, cage, files: null, state, environment, notifySocket: join(state, 'notify'), sink: (event) => events.push(event) });
    runners.push(runner);
    return { runner, events, cage };
  };
  const { runner, events, cage } = open();

  return {
    libc,
    runner,
    events,
    cage,
    troubles,
    state,
    output,
    open,
    async launch(instance) {
      runner.launch('shop', instance, []);
      return await until(() => {
        const event = events.find((each) => each.instance === instance.id);
        if (event?.type !== 'spawned') throw new Error(`not spawned: ${JSON.stringify(event)}`);
        return event.process;
      });
    },
    exit: (id) =>
      until(
        () => {
          const event = events.find((each) => each.type === 'exited' && each.instance === id);
          if (event?.type !== 'exited') throw new Error(`${id} has not ended: ${JSON.stringify(events)}`);
          return event;
        }),
    async [Symbol.asyncDispose]() {
      for (const each of runners) await each[Symbol.asyncDispose]();
      for (const { process: proof } of findMarked(state)) {
        if (isThere(proof)) process.kill(proof.pid, 'SIGKILL');
      }
      await expectNobodyLeft(state);
      for (const each of cages) each[Symbol.dispose]();
      output.close();
      rmSync(state, { recursive: true });
    },
  };
}

/** Whether the process of a proof lives; a zombie does not. */
export function isThere(proof: Proof): boolean {
  return readStartTicks(proof.pid) === proof.startTicks && stateOf(proof.pid) !== 'Z';
}

/** `R`, `S`, `Z` … as in proc_pid_stat(5); null: there is no such process. */
export function stateOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return null;
  }
}

/** Waits until no process with the mark of this state folder lives. */
export async function expectNobodyLeft(state: string): Promise<void> {
  await until(() => expect(findMarked(state)).toEqual([]));
}

function keepOutput(libc: Libc, folder: string): Output & { close(): void } {
  const makeFifo = fifoMaker(libc);
  const fds = new Map<InstanceId, number>();
  const texts = new Map<InstanceId, string>();
  const finishedOnes: InstanceId[] = [];
  const scratch = Buffer.alloc(65_536);

  const pull = (id: InstanceId): void => {
    const fd = fds.get(id);
    if (fd === undefined) return;
    try {
      for (let length = readSync(fd, scratch); length > 0; length = readSync(fd, scratch)) {
        texts.set(id, (texts.get(id) ?? '') + scratch.toString('utf8', 0, length));
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  };

  return {
    finishedOnes,
    open(_vassalName, instance) {
      const path = join(folder, String(instance.serial));
      makeFifo(path, 0o600);
      fds.set(instance.id, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
      return { writeFd: openSync(path, constants.O_RDWR) };
    },
    reopen() {},
    finished(id) {
      pull(id);
      finishedOnes.push(id);
    },
    textOf(id) {
      pull(id);
      return texts.get(id) ?? '';
    },
    close() {
      for (const fd of fds.values()) closeSync(fd);
    },
  };
}
