import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { EventDocument, StatusDocument, VassalDocument } from '../../src/control/protocol.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Folders of one emperor, all in a temp folder of their own. */
export interface Place {
  readonly folder: string;
  readonly vassals: string;
  readonly state: string;
  readonly logs: string;
  readonly control: string;
}

export function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-'));
  const place = { folder, vassals: join(folder, 'vassals'), state: join(folder, 'state'), logs: join(folder, 'logs'), control: join(folder, 'control') };
  mkdirSync(place.vassals);
  return place;
}

/** A real emperor, as built, in a process of its own. Leaving its scope ends it with all that it runs. */
export class Daemon implements AsyncDisposable {
  readonly place: Place;
  readonly process: ChildProcess;
  /** What the daemon itself logged. */
  readonly output: string[] = [];
  readonly #sources: readonly string[];

  private constructor(place: Place, sources: readonly string[], child: ChildProcess) {
    this.place = place;
    this.#sources = sources;
    this.process = child;
  }

  /** Starts one and waits until it answers. `through`: a command that ends in executing the emperor, so that the pid is the same. `program`: another installation. */
  static async start(place: Place = makePlace(), options: { readonly sources?: readonly string[]; readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv; readonly through?: readonly string[]; readonly program?: string } = {}): Promise<Daemon> {
    const sources = options.sources ?? [place.vassals];
    const [program, ...first] = [...(options.through ?? []), process.execPath] as const;
    const args = [...first, options.program ?? MAIN, 'run', ...sources, '--state', place.state, '--logs', place.logs, '--control', place.control, ...(options.args ?? [])];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, EMPEROR_CGROUP: 'none', ...options.env } });
    const daemon = new Daemon(place, sources, child);
    const exited = once(child, 'exit');
    const started = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          daemon.output.push(line);
          if (line.includes('"reigns"')) resolve();
        });
      }
    });
    await Promise.race([started, exited.then(([code]) => { throw new Error(`the emperor ended with ${code}:\n${daemon.output.join('\n')}`); })]);
    return daemon;
  }

  /** Another emperor on the same folders, after this one has gone. */
  async successor(): Promise<Daemon> {
    await this.gone();
    return Daemon.start(this.place, { sources: this.#sources });
  }

  /** Writes a vassal file in place; gives its path. */
  write(file: string, text: string): string {
    const path = join(this.place.vassals, file);
    writeFileSync(path, text);
    return path;
  }

  /** Asks on the control socket. */
  async get<T>(path: string): Promise<T> {
    return new Promise((resolve, reject) => {
      request({ socketPath: this.place.control, path }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as T));
        response.on('error', reject);
      }).on('error', reject).end();
    });
  }

  async status(): Promise<StatusDocument> {
    return this.get('/v1/status');
  }

  async vassal(name: string): Promise<VassalDocument | undefined> {
    return (await this.status()).vassals.find((each) => each.name === name);
  }

  /** Waits until the status is as wanted; looks again at each thing that happens. */
  async until(wanted: (status: StatusDocument) => boolean, what: string): Promise<StatusDocument> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 25_000);
    try {
      const stream = request({ socketPath: this.place.control, path: '/v1/events?follow=1&limit=1', signal: abort.signal }).end();
      const [response] = (await once(stream, 'response')) as [NodeJS.ReadableStream];
      let status = await this.status();
      if (wanted(status)) return status;
      for await (const _ of response) {
        status = await this.status();
        if (wanted(status)) return status;
      }
      throw new Error(`the emperor went away before ${what}`);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      throw new Error(`${what}: not after 25 s; ${JSON.stringify((await this.status()).vassals, null, 1)}\n${this.output.slice(-40).join('\n')}`, { cause: error });
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  /** Waits until a vassal is in that state; gives it. */
  async untilState(name: string, state: VassalDocument['state']): Promise<VassalDocument> {
    const status = await this.until((now) => now.vassals.some((each) => each.name === name && each.state === state), `${name} is ${state}`);
    return status.vassals.find((each) => each.name === name && each.state === state)!;
  }

  /** Waits until another instance than `old` serves. */
  async untilReplaced(name: string, old: VassalDocument): Promise<VassalDocument> {
    const fresh = (each: VassalDocument): boolean => each.name === name && each.state === 'ready' && each.instances[0]?.id !== old.instances[0]?.id;
    const status = await this.until((now) => now.vassals.some(fresh), `${name} has another instance than ${old.instances[0]?.id}`);
    return status.vassals.find(fresh)!;
  }

  /** All that has happened, oldest first. */
  async events(name?: string): Promise<readonly EventDocument[]> {
    const ended = await this.cli('events', '-n', '10000', '--json', ...(name === undefined ? [] : [name]));
    return ended.stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as EventDocument);
  }

  /** Runs a verb of the command line against this emperor. */
  async cli(...args: readonly string[]): Promise<Ended> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, ...args], { env: { EMPEROR_CONTROL: this.place.control }, reject: false, stripFinalNewline: false });
    return { code: exitCode ?? null, stdout, stderr };
  }

  /** Ends the daemon's process; waits until it is gone. What it runs goes on if the signal is SIGKILL. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal);
    return this.gone();
  }

  async gone(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
    return this.process.exitCode;
  }

  /** Process ids of every process that an emperor of this place has started and that still lives, by the mark in its environment. */
  survivors(): readonly number[] {
    return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).map(Number).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`EMPEROR_STATE=${this.place.state}`);
      } catch (error) {
        if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      for (const signal of ['SIGTERM', 'SIGTERM', 'SIGCONT'] as const) this.process.kill(signal);
      await this.gone();
    }
    for (const pid of this.survivors()) process.kill(pid, 'SIGKILL');
    rmSync(this.place.folder, { recursive: true, force: true });
  }
}

/** The vassal file of a command, in toml; `more` are further lines of its section. */
export function toml(command: readonly string[], ...more: readonly string[]): string {
  return ['[vassal]', `command = ${JSON.stringify(command)}`, 'ready = { after = "50ms" }', ...more, ''].join('\n');
}
