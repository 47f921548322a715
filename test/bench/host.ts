import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Probe } from './probe.ts';
import { quietFolder } from './quiet-folder.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** A temp folder with a probe in it; leaving its scope ends every process that carries its mark. */
export class Bench implements AsyncDisposable {
  readonly folder: string = quietFolder();
  readonly vassals: string = join(this.folder, 'vassals');
  readonly aside: string = join(this.folder, 'aside');
  readonly control: string = join(this.folder, 'control');
  readonly probe: Probe;
  readonly #processes: ChildProcess[] = [];

  constructor() {
    mkdirSync(this.vassals);
    mkdirSync(this.aside);
    this.probe = new Probe(join(this.folder, 'fifo'));
  }

  /**
   * Starts the emperor on the folder; resolves when its control socket answers.
   * @param cgroup in which each instance gets one; `none`: as the floors, which do not have any
   */
  async emperor(cgroup = 'none'): Promise<ChildProcess> {
    const args = [MAIN, 'run', this.vassals, '--state', join(this.folder, 'state'), '--logs', join(this.folder, 'logs'), '--control', this.control, '--log-level', 'warn'];
    const child = this.node(args, { EMPEROR_CGROUP: cgroup });
    while (!(await answers(this.control))) await pause(5);
    return child;
  }

  /** Starts a program on Node, to be ended with the bench. */
  node(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BENCH: this.folder, ...env } });
    this.#processes.push(child);
    return child;
  }

  /** The process of each name, by the word that its command line says it with. */
  processesByName(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const pid of marked(this.folder)) {
      const said = /echo up (\S+) >/.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))?.[1];
      const name = said ?? environmentOf(pid).get('EMPEROR_VASSAL');
      // A shell that has a child is the process; one that has become its child is known by its environment.
      if (name !== undefined && (said !== undefined || !found.has(name))) found.set(name, pid);
    }
    return found;
  }

  /** A process whose command line begins so. */
  find(commandLine: string): number {
    const pid = marked(this.folder).find((each) => readFileSync(`/proc/${each}/cmdline`, 'latin1').startsWith(commandLine));
    if (pid === undefined) throw new Error(`no process ${commandLine}`);
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    for (const pid of marked(this.folder)) process.kill(pid, 'SIGKILL');
    this.probe[Symbol.dispose]();
  }
}

/** Processes that this bench has caused, by the marks in their environment or the FIFO in their command line. */
function marked(folder: string): readonly number[] {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).map(Number).filter((pid) => {
    if (pid === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(folder) || readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder);
    } catch (error) {
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  });
}

function environmentOf(pid: number): ReadonlyMap<string, string> {
  return new Map(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

/** A benchmark may wait for time; a test may not. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resident memory in bytes: /proc/PID/status, VmRSS. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** CPU time in ms (user and system): /proc/PID/stat, fields 14 and 15, at 100 ticks a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Times that any thread went to sleep and was woken: the sum of voluntary context switches. */
export function wakeUps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1]);
  }, 0);
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function toml(command: readonly string[], ...more: readonly string[]): string {
  return ['[vassal]', `command = ${JSON.stringify(command)}`, ...more, ''].join('\n');
}
