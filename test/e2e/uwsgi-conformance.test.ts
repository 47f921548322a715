import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BRUTAL_STOP, COMMANDS, wordOf, type Word } from '../../src/channel/bytes.ts';
import { until } from '../until.ts';
import { answer, freePort, untilAnswer } from './http.ts';
import { needs } from './needs.ts';
import { FIXTURES } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

/** The real uWSGI with nothing between its bytes and us: what src/channel/bytes.ts says is what it says and hears. */
class Bare implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly words: (Word | null)[] = [];
  readonly process: ChildProcess;
  readonly channel: Duplex;
  /** Its code or signal. */
  readonly ended: Promise<unknown>;
  /** Nobody on its side has the channel any more. */
  over = false;

  private constructor(folder: string, port: number, options: readonly string[]) {
    this.folder = folder;
    this.port = port;
    // Of two pipes that Node makes for descriptor 3 both ends speak.
    this.process = spawn('uwsgi', ['--plugin', 'python3', '--need-app', '--http-socket', `127.0.0.1:${port}`, '--chdir', folder, '--wsgi-file', 'app.py', ...options], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'], detached: true, env: { PATH: process.env['PATH'], UWSGI_EMPEROR_FD: '3' },
    });
    this.channel = this.process.stdio[3] as Duplex;
    this.channel.on('data', (bytes: Buffer) => this.words.push(...[...bytes].map(wordOf)));
    this.channel.on('end', () => (this.over = true));
    // It resets what it has not read.
    this.channel.on('error', () => (this.over = true));
    this.ended = once(this.process, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
  }

  static async start(options: readonly string[] = [], version = 'one'): Promise<Bare> {
    const folder = mkdtempSync(join(tmpdir(), 'uwsgi-bare-'));
    copyFileSync(join(FIXTURES, 'app.py'), join(folder, 'app.py'));
    writeFileSync(join(folder, 'version'), version);
    return new Bare(folder, await freePort(), options);
  }

  tell(byte: number): void {
    this.channel.write(Uint8Array.of(byte));
  }

  async said(word: Word, times = 1): Promise<void> {
    await until(() => expect(this.words.filter((each) => each === word).length).toBeGreaterThanOrEqual(times));
  }

  /** A request that stays until the gate is opened. */
  async slow(): Promise<{ readonly answer: Promise<string | null> }> {
    writeFileSync(join(this.folder, 'slow.closed'), '');
    const answered = answer(this.port, '/slow');
    await until(() => expect(existsSync(join(this.folder, 'slow.reached'))).toBe(true));
    return { answer: answered };
  }

  openGate(): void {
    rmSync(join(this.folder, 'slow.closed'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined) process.kill(-this.process.pid, 'SIGKILL');
    await this.ended;
    this.channel.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("Debian's uWSGI, byte by byte", () => {
  it('says started, then accepting; loyal at its first request; accepting and nothing else after a reload, in the same process', async () => {
    await using uwsgi = await Bare.start();
    await uwsgi.said('accepting');
    expect(uwsgi.words).toEqual(['started', 'accepting']);
    await untilAnswer(uwsgi.port, (text) => text.startsWith('one'));
    await uwsgi.said('loyal');
    writeFileSync(join(uwsgi.folder, 'version'), 'two');
    uwsgi.tell(COMMANDS.reload);
    await uwsgi.said('accepting', 2);
    expect(uwsgi.words).toEqual(['started', 'accepting', 'loyal', 'accepting']);
    await untilAnswer(uwsgi.port, (text) => text.startsWith('two'));
  });

  it('told to stop closes its end, which tells that it has understood, and ends its request first; then code 0', async () => {
    await using uwsgi = await Bare.start(['--hook-emperor-stop', 'create:told']);
    await uwsgi.said('accepting');
    const slow = await uwsgi.slow();
    uwsgi.tell(COMMANDS.stop);
    await until(() => expect(existsSync(join(uwsgi.folder, 'told'))).toBe(true));
    const { pid = 0 } = uwsgi.process;
    await until(() => expect(existsSync(`/proc/${pid}/fd/3`)).toBe(false));
    uwsgi.openGate();
    expect(await slow.answer).toContain('one');
    expect(await uwsgi.ended).toBe(0);
    await until(() => expect(uwsgi.over).toBe(true));
  });

  it('told to stop at once cuts its request off; then code 0', async () => {
    await using uwsgi = await Bare.start();
    await uwsgi.said('accepting');
    const slow = await uwsgi.slow();
    uwsgi.tell(BRUTAL_STOP);
    expect([await slow.answer, await uwsgi.ended]).toEqual([null, 0]);
  });

  it('whose channel is closed ends with code 1: so an instance of ours has a copy of our end', async () => {
    await using uwsgi = await Bare.start();
    await uwsgi.said('accepting');
    uwsgi.channel.destroy();
    expect(await uwsgi.ended).toBe(1);
  });

  it.each([[COMMANDS.stop], [BRUTAL_STOP]])('that is idle says so, and waits for the answer %i; then code 0', async (byte) => {
    await using uwsgi = await Bare.start(['--idle', '1', '--die-on-idle']);
    await uwsgi.said('idle');
    uwsgi.tell(byte);
    expect(await uwsgi.ended).toBe(0);
  });

  it('asks for help by its master FIFO; and its heart beats', async () => {
    await using uwsgi = await Bare.start(['--heartbeat', '1', '--master-fifo', 'master']);
    await uwsgi.said('accepting');
    await until(() => expect(existsSync(join(uwsgi.folder, 'master'))).toBe(true));
    writeFileSync(join(uwsgi.folder, 'master'), 'B');
    await uwsgi.said('sos');
    await uwsgi.said('heartbeat', 2);
  });

  it.each([['in its master says nothing', [], []], ['in its worker has said that it was started', ['--lazy-apps'], ['started']]])('with an app that cannot be loaded %s, and ends', async (_where, options, words) => {
    await using uwsgi = await Bare.start(options, 'broken');
    // In a worker it is uWSGI's own race which code it ends with.
    expect(options.length === 0 ? [22] : [22, 0]).toContain(await uwsgi.ended);
    expect(uwsgi.words).toEqual(words);
  });
});
