import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import { Daemon, makePlace, type Place } from './daemon.ts';
import { answer, freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** Two emperors start, one after the other, and often a third: on a busy machine each takes its time. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 4 * PATIENCE_MS });

async function until<T>(holds: () => T): Promise<T> {
  return await vi.waitFor(holds, { timeout: PATIENCE_MS, interval: 20 });
}

/** An emperor that is a vassal of another one, with one vassal of its own. */
class Sub implements AsyncDisposable {
  readonly place: Place;
  readonly command: readonly string[];

  constructor(...flags: readonly string[]) {
    this.place = makePlace();
    const { vassals, state, logs, control } = this.place;
    writeFileSync(join(vassals, 'inner.toml'), '[vassal]\ncommand = ["sleep", "1000"]\nready = { after = "1ms" }\n');
    this.command = [process.execPath, MAIN, 'run', vassals, '--state', state, '--logs', logs, '--control', control, ...flags];
  }

  async status(): Promise<StatusDocument> {
    return await new Promise((resolve, reject) => {
      request({ socketPath: this.place.control, path: '/v1/status' }, (response) => {
        json(response).then((document) => resolve(document as StatusDocument), reject);
      }).on('error', reject).end();
    });
  }

  /** Waits until it governs, with its vassal ready. @param not to be another than this one, by the time of its start */
  async governs(not = ''): Promise<{ readonly pid: number; readonly startedAt: string; readonly inner: number }> {
    return await until(async () => {
      const { emperor: { pid, startedAt }, vassals: [inner] } = await this.status();
      expect([inner?.state, startedAt === not]).toEqual(['ready', false]);
      return { pid, startedAt, inner: inner!.instances[0]!.pid! };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever was left alone by a test that failed.
    for (const pid of ours(this.place.state)) process.kill(pid, 'SIGKILL');
    rmSync(this.place.folder, { recursive: true, force: true });
  }
}

/** All that runs by this state folder: the mark of instances, and the command line of the emperor. */
function ours(state: string): readonly number[] {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).map(Number).filter((pid) => {
    const of = (file: string): readonly string[] => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\0');
      } catch (error) {
        if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    };
    return pid !== process.pid && (of('environ').includes(`EMPEROR_STATE=${state}`) || of('cmdline').includes(state));
  });
}

/** What a process has of the channel of its emperor: nothing, it is hoped. */
function leaked(pid: number): readonly string[] {
  const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').filter((each) => each.startsWith('UWSGI_'));
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)).filter((target) => target.startsWith('socket:'));
  return [...variables, ...descriptors];
}

/** A real Emperor of uWSGI with one vassal: ours, by the option that has uWSGI execute another program. */
class Above implements AsyncDisposable {
  readonly folder: string;
  readonly file: string;
  readonly output: string[] = [];
  readonly #sub: Sub;
  #child: ChildProcess | null = null;

  constructor(sub: Sub) {
    this.#sub = sub;
    this.folder = join(sub.place.folder, 'above');
    mkdirSync(this.folder);
    this.file = join(this.folder, 'sub.ini');
    this.deploy();
  }

  deploy(): void {
    writeFileSync(this.file, `[uwsgi]\nenv = EMPEROR_CGROUP=none\nprivileged-binary-patch-arg = ${this.#sub.command.join(' ')}\n`);
  }

  async start(): Promise<void> {
    this.#child = spawn('uwsgi', ['--emperor', this.folder, '--emperor-freq', '1', '--emperor-graceful-shutdown'], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk: Buffer) => this.output.push(chunk.toString()));
    await once(this.#child, 'spawn');
  }

  async says(what: string, times = 1): Promise<void> {
    await until(() => expect(this.output.join('').split(what).length - 1, this.output.join('')).toBeGreaterThanOrEqual(times));
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

describe('under the real Emperor of uWSGI', () => {
  it('we are accepting and loyal; a touch reloads us in place, and none of ours feels it; without its file all ends', async () => {
    await using sub = new Sub();
    await using above = new Above(sub);
    await above.start();
    await above.says('vassal sub.ini is ready to accept requests');
    await above.says('vassal sub.ini is now loyal');
    const first = await sub.governs();
    expect(leaked(first.inner)).toEqual([]);
    const later = new Date(Date.now() + 5_000);
    utimesSync(above.file, later, later);
    const second = await sub.governs(first.startedAt);
    expect([second.pid, second.inner]).toEqual([first.pid, first.inner]);
    await above.says('vassal sub.ini is ready to accept requests', 2);
    expect(leaked(second.inner)).toEqual([]);
    rmSync(above.file);
    await above.says('removed uwsgi instance sub.ini');
    await until(() => expect(ours(sub.place.state)).toEqual([]));
    expect(above.output.join('')).not.toContain('[emperor] curse');
  });

  it('which ends, we end with all of ours', async () => {
    await using sub = new Sub();
    await using above = new Above(sub);
    await above.start();
    await sub.governs();
    await above.end('SIGTERM');
    await until(() => expect(ours(sub.place.state)).toEqual([]));
  });

  it('which is killed, ours serve on; the next one has us back, and we have them', async () => {
    await using sub = new Sub();
    await using above = new Above(sub);
    await above.start();
    const first = await sub.governs();
    await above.end('SIGKILL');
    await until(() => expect(ours(sub.place.state)).toEqual([first.inner]));
    await above.start();
    const second = await sub.governs(first.startedAt);
    expect(second.inner).toBe(first.inner);
    expect(second.pid).not.toBe(first.pid);
  });
});

describe('under one of our own kind', () => {
  const deploy = (daemon: Daemon, sub: Sub, ...lines: readonly string[]): string => daemon.write('sub.toml', ['[vassal]', `command = ${JSON.stringify(sub.command)}`, 'channel = true', ...lines, ''].join('\n'));
  const quietly = async (): Promise<Daemon> => await Daemon.start();
  /** @param old another instance than this one's */
  const isReady = async (daemon: Daemon, old?: VassalDocument): Promise<VassalDocument> => await until(async () => {
    const vassal = await daemon.vassal('sub');
    expect([vassal?.state, vassal?.instances[0]?.id === old?.instances[0]?.id]).toEqual(['ready', false]);
    return vassal!;
  });

  it('we are ready when we say so; a touch reloads us in place, and none of ours feels it; with `stop` all ends', async () => {
    await using sub = new Sub();
    await using daemon = await quietly();
    const file = deploy(daemon, sub);
    await isReady(daemon);
    const first = await sub.governs();
    expect(leaked(first.inner)).toEqual([]);
    utimesSync(file, new Date(), new Date());
    const second = await sub.governs(first.startedAt);
    expect([second.pid, second.inner]).toEqual([first.pid, first.inner]);
    expect(leaked(second.inner)).toEqual([]);
    await until(async () => expect((await daemon.events('sub')).filter(({ event }) => event === 'ready').map(({ why }) => why)).toEqual(['it takes requests', 'it takes requests']));
    expect(await daemon.cli('stop', 'sub')).toMatchObject({ code: 0 });
    expect(ours(sub.place.state)).toEqual([]);
    expect((await daemon.events('sub')).find(({ event }) => event === 'exited')?.why).toContain('exited with code 0');
  });

  it('which is killed, we reign on, and the next one tells us to reload: still the same process', async () => {
    await using sub = new Sub();
    const dead = await quietly();
    const file = deploy(dead, sub);
    await isReady(dead);
    const first = await sub.governs();
    await dead.end('SIGKILL');
    expect((await sub.governs()).startedAt).toBe(first.startedAt);
    await using daemon = await dead.successor();
    expect(daemon.output.join('\n')).toContain('1 of 1 adopted, 0 started');
    for (let known = first, turn = 0; turn < 2; turn += 1) {
      utimesSync(file, new Date(), new Date());
      const next = await sub.governs(known.startedAt);
      expect([next.pid, next.inner]).toEqual([first.pid, first.inner]);
      known = next;
      await isReady(daemon);
    }
  });

  it('one of us that hangs misses its heartbeat and is replaced, and the next one has its vassals back', async () => {
    await using sub = new Sub('--heartbeat', '100ms');
    await using daemon = await quietly();
    deploy(daemon, sub, 'health = { watchdog = "10s" }', 'stop-timeout = "300ms"');
    const before = await isReady(daemon);
    const first = await sub.governs();
    process.kill(first.pid, 'SIGSTOP');
    await isReady(daemon, before);
    const second = await sub.governs(first.startedAt);
    expect(second.inner).toBe(first.inner);
  });

  it('a sub-Emperor of uWSGI is ready once it is loyal, and starts anew with its vassals when its file is touched', async () => {
    await using daemon = await quietly();
    const port = await freePort();
    const inner = join(daemon.place.folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'app.ini'), `[uwsgi]\nplugin = python3\nhttp-socket = 127.0.0.1:${port}\neval = application = lambda environ, start: [start('200 OK', []), [b'app']][1]\n`);
    const file = daemon.write('sub.ini', `[uwsgi]\nemperor = ${inner}\n`);
    const before = await isReady(daemon);
    await untilAnswer(port, (text) => text === 'app');
    utimesSync(file, new Date(), new Date());
    await isReady(daemon, before);
    await untilAnswer(port, (text) => text === 'app');
    expect(await daemon.cli('stop', 'sub')).toMatchObject({ code: 0 });
    expect(await answer(port)).toBeNull();
  });
});
