import {
  appendFileSync, closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, write, writeFileSync, writeSync,
} from 'node:fs';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LogPolicy } from '../../src/core/spec.ts';
import type { Instance } from '../../src/core/state.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSplice } from '../../src/kernel/splice.ts';
import { openCapture, type Capture, type CaptureOptions } from '../../src/logs/capture.ts';
import type { Seen } from '../../src/logs/line-watch.ts';
import { tail } from '../../src/logs/tail.ts';
import type { Loss } from '../../src/logs/losses.ts';
import type { Keeper } from '../../src/world/keeper.ts';
import { HandClock } from '../fakes/clock.ts';
import { instanceOf } from '../fakes/instance.ts';
import { until } from '../until.ts';

const writeElsewhere = promisify(write);
const duplicate = openLibc().bind<(fd: number) => number>('int dup(int fd)');
const asRoot = process.getuid?.() === 0;
const RAW: LogPolicy = { to: 'file', maxBytes: 10 * 1024 ** 2, keep: 10, format: 'raw' };

interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly logs: string;
  readonly fifos: string;
  readonly clock: HandClock;
  readonly lost: { readonly vassal: string; readonly loss: Loss }[];
  capture: Capture;
  /** Another emperor on the same folders; the first one is disposed before. */
  successor(kept?: ReadonlyMap<number, number>): Promise<Capture>;
  /** What is kept for it, by name. */
  readonly keeper: Keeper & { readonly names: Map<string, number> };
  text(name?: string): string;
}

/** A capture; in these tests who prints is the test itself, through the descriptor that an instance would get. */
function openStage(logs?: string, journal?: CaptureOptions['journal']): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-capture-'));
  const clock = new HandClock(Date.UTC(2026, 0, 1));
  const lost: Stage['lost'] = [];
  const names = new Map<string, number>();
  const keeper = { names, keep: (name: string, fd: number) => void (names.has(name) || names.set(name, duplicate(fd))), drop: (name: string) => void names.delete(name) };
  const options: CaptureOptions = {
    libc: openLibc(),
    clock,
    fifoFolder: join(folder, 'fifos'),
    logFolder: logs ?? join(folder, 'logs'),
    onLost: (vassal, loss) => lost.push({ vassal, loss }),
    keeper,
    ...(journal === undefined ? {} : { journal }),
  };
  const stage: Stage = {
    folder,
    logs: options.logFolder,
    fifos: options.fifoFolder,
    clock,
    lost,
    keeper,
    capture: openCapture(options),
    async successor(kept = new Map()) {
      await stage.capture[Symbol.asyncDispose]();
      stage.capture = openCapture({ ...options, kept });
      return stage.capture;
    },
    text: (name = 'shop.log') => (existsSync(join(options.logFolder, name)) ? readFileSync(join(options.logFolder, name), 'utf8') : ''),
    async [Symbol.asyncDispose]() {
      await stage.capture[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
  return stage;
}

/** Writes it all, as a program with a blocking stdout would; in another thread, as who reads is here. */
async function print(fd: number, text: string): Promise<void> {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    const { bytesWritten } = await writeElsewhere(fd, rest);
    rest = rest.subarray(bytesWritten);
  }
}

const printed = (log: LogPolicy, serial = 1): Instance => instanceOf(serial, { log });

describe('a capture', () => {
  it('refuses a symlink in place of the folder of its FIFOs', async () => {
    await using stage = openStage();
    const elsewhere = join(stage.folder, 'elsewhere');
    mkdirSync(elsewhere);
    await stage.capture[Symbol.asyncDispose]();
    rmSync(stage.fifos, { recursive: true });
    symlinkSync(elsewhere, stage.fifos);
    await expect(stage.successor()).rejects.toMatchObject({ code: 'E_KERNEL', message: expect.stringContaining('it is a symlink, which is not followed') });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('goes on when a FIFO cannot be removed', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    await print(writeFd, 'last words\n');
    closeSync(writeFd);
    // A folder cannot be unlinked, as nothing can on a file system that has become read-only.
    rmSync(join(stage.fifos, '1'));
    mkdirSync(join(stage.fifos, '1'));
    stage.capture.finished(printed(RAW).id);
    stage.capture.sweep();
    await until(() => expect(stage.text()).toBe('last words\n'));
  });

  it('writes what an instance prints to the file of its vassal, which is not there before', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    expect(existsSync(stage.logs)).toBe(false);
    writeSync(writeFd, 'hello\n');
    await until(() => expect(stage.text()).toBe('hello\n'));
    closeSync(writeFd);
  });

  it('reads all that is left when an instance has ended, and removes its FIFO', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'x'.repeat(60_000) + '\n');
    closeSync(writeFd);
    stage.capture.finished(instance.id);
    expect(readdirSync(stage.fifos)).toEqual([]);
    await until(() => expect(stage.text()).toHaveLength(60_001));
  });

  it('reads what is there, when someone still holds the FIFO of an instance that has ended', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'last words\n');
    stage.capture.finished(instance.id);
    expect(readdirSync(stage.fifos)).toEqual([]);
    await until(() => expect(stage.text()).toBe('last words\n'));
    closeSync(writeFd);
  });

  it('closes the FIFO of an instance that closes its output and lives on', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'goodbye\n');
    closeSync(writeFd);
    await until(() => expect(readdirSync(stage.fifos)).toEqual([]));
    stage.capture.finished(instance.id);
    await until(() => expect(stage.text()).toBe('goodbye\n'));
  });

  it('appends the output of all instances of a vassal to one file', async () => {
    await using stage = openStage();
    const [one, two] = [printed(RAW, 1), printed(RAW, 2)];
    const first = stage.capture.open('shop', one);
    const second = stage.capture.open('shop', two);
    writeSync(first.writeFd, '1\n');
    await until(() => expect(stage.text()).toBe('1\n'));
    writeSync(second.writeFd, '2\n');
    await until(() => expect(stage.text()).toBe('1\n2\n'));
    closeSync(first.writeFd);
    stage.capture.finished(one.id);
    const third = stage.capture.open('shop', printed(RAW, 3));
    writeSync(third.writeFd, '3\n');
    await until(() => expect(stage.text()).toBe('1\n2\n3\n'));
    closeSync(second.writeFd);
    closeSync(third.writeFd);
  });

  it('keeps the order when a vassal ends and starts again at once', async () => {
    await using stage = openStage();
    for (let serial = 1; serial <= 50; serial++) {
      const instance = printed({ ...RAW, maxBytes: 60, keep: 100 }, serial);
      const { writeFd } = stage.capture.open('shop', instance);
      writeSync(writeFd, `this is ${serial}\n`);
      closeSync(writeFd);
      stage.capture.finished(instance.id);
    }
    await stage.successor();
    const numbers = readAll(stage.logs, 'shop.log').match(/\d+/g)?.map(Number);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('loses and doubles no line across many rotations, and cuts none', async () => {
    await using stage = openStage();
    const instance = printed({ to: 'file', maxBytes: 10_000, keep: 200, format: 'raw' });
    const { writeFd } = stage.capture.open('shop', instance);
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'.'.repeat(index % 60)}\n`);
    await print(writeFd, lines.join(''));
    closeSync(writeFd);
    stage.capture.finished(instance.id);
    await stage.successor();
    const parts = partsOf(stage.logs, 'shop.log');
    expect(parts.length).toBeGreaterThan(70);
    expect(parts.join('')).toBe(lines.join(''));
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(10_000);
    for (const part of parts) expect(part.endsWith('\n')).toBe(true);
    expect(stage.lost).toEqual([]);
  });

  it('goes on after a file that ends within a line, in the same line', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed({ ...RAW, maxBytes: 10 }));
    writeSync(writeFd, '123456');
    await until(() => expect(stage.text()).toBe('123456'));
    await stage.capture.reopenFiles();
    writeSync(writeFd, '7890abc\nnext\n');
    await until(() => expect([stage.text('shop.log.1'), stage.text()]).toEqual(['1234567890abc\n', 'next\n']));
    closeSync(writeFd);
  });

  it('writes objects in the format json', async () => {
    await using stage = openStage();
    const instance = printed({ ...RAW, format: 'json' });
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'one\ntwo');
    closeSync(writeFd);
    stage.capture.finished(instance.id);
    await until(() =>
      expect(stage.text()).toBe(
        '{"time":"2026-01-01T00:00:00.000Z","instance":"shop#1","text":"one"}\n{"time":"2026-01-01T00:00:00.000Z","instance":"shop#1","text":"two"}\n',
      ),
    );
  });

  it('opens its files anew when it is told to, also while output never stops', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    writeSync(writeFd, 'before\n');
    await until(() => expect(stage.text()).toBe('before\n'));
    renameSync(join(stage.logs, 'shop.log'), join(stage.logs, 'moved'));
    const end = new AbortController();
    const endless = (async () => {
      while (!end.signal.aborted) await print(writeFd, 'x'.repeat(100) + '\n');
    })();
    await stage.capture.reopenFiles();
    await until(() => expect(stage.text()).toContain('x\n'));
    end.abort();
    await endless;
    closeSync(writeFd);
  });

  it('lets what comes while no emperor is there wait for the next one', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'to the first\n');
    const next = await stage.successor();
    writeSync(writeFd, 'in between\n');
    next.reopen('shop', instance);
    writeSync(writeFd, 'to the second\n');
    await until(() => expect(stage.text()).toBe('to the first\nin between\nto the second\n'));
    closeSync(writeFd);
    next.finished(instance.id);
    expect(readdirSync(stage.fifos)).toEqual([]);
  });

  it('finds the output of an instance through its process, when the FIFO was removed', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    const reader = spawn('/bin/sleep', ['1000'], { stdio: ['ignore', writeFd, 'ignore'] });
    const next = await stage.successor();
    rmSync(join(stage.fifos, '1'));
    next.reopen('shop', { ...instance, process: { pid: reader.pid ?? 0, startTicks: 1, bootId: '' } });
    writeSync(writeFd, 'still heard\n');
    await until(() => expect(stage.text()).toBe('still heard\n'));
    closeSync(writeFd);
    reader.kill('SIGKILL');
    await once(reader, 'exit');
  });

  it('says so when the output of an adopted instance cannot be read', async () => {
    await using stage = openStage();
    stage.capture.reopen('shop', printed(RAW));
    expect(stage.lost).toMatchObject([{ vassal: 'shop', loss: { lines: 0, reason: expect.stringContaining('cannot read the output of shop#1') } }]);
  });

  it('sweeps away FIFOs that nobody prints to', async () => {
    await using stage = openStage();
    const [dead, living] = [printed(RAW, 1), printed(RAW, 2)];
    closeSync(stage.capture.open('shop', dead).writeFd);
    const { writeFd } = stage.capture.open('shop', living);
    const next = await stage.successor();
    next.reopen('shop', living);
    next.sweep();
    expect(readdirSync(stage.fifos)).toEqual(['2']);
    closeSync(writeFd);
  });

  it('takes over a FIFO that was left with the same number', async () => {
    await using stage = openStage();
    closeSync(stage.capture.open('shop', printed(RAW)).writeFd);
    const next = await stage.successor();
    const { writeFd } = next.open('shop', printed(RAW));
    writeSync(writeFd, 'new\n');
    await until(() => expect(stage.text()).toBe('new\n'));
    closeSync(writeFd);
  });

  it.runIf(asRoot)('lets a program of another user open its output again', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    execFileSync('setpriv', ['--reuid', '65534', '--clear-groups', 'sh', '-c', 'echo again > /proc/self/fd/1'], { stdio: ['ignore', writeFd, 'inherit'] });
    await until(() => expect(stage.text()).toBe('again\n'));
    closeSync(writeFd);
  });
});

describe('when a log cannot be written', () => {
  it.runIf(asRoot)('the instance is drained, the loss is counted and told of, and others are not harmed', async () => {
    await using stage = openStage();
    const full = stage.capture.open('full', printed(RAW, 1));
    const fine = stage.capture.open('fine', printed(RAW, 2));
    writeSync(fine.writeFd, 'x\n');
    await until(() => expect(stage.text('fine.log')).toBe('x\n'));
    execFileSync('mknod', [join(stage.logs, 'full.log'), 'c', '1', '7']);
    await print(full.writeFd, 'lost line\n'.repeat(50_000));
    closeSync(full.writeFd);
    stage.capture.finished(printed(RAW, 1).id);
    await until(() => expect(stage.lost.at(-1)?.loss).toEqual({ lines: 50_000, bytes: 500_000, reason: 'ENOSPC: no space left on device, write', over: false }));
    expect(stage.lost.length).toBeLessThanOrEqual(2);
    writeSync(fine.writeFd, 'y\n');
    await until(() => expect(stage.text('fine.log')).toBe('x\ny\n'));
    closeSync(fine.writeFd);
  });

  it.runIf(asRoot)('a full disk costs lines, which are counted to the last one, and no other than those', async () => {
    await using stage = openStage();
    using disk = mountTiny(stage.folder);
    symlinkSync(disk.path, stage.logs);
    const { writeFd } = stage.capture.open('shop', printed({ ...RAW, keep: 0 }));
    const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('');
    await print(writeFd, lines(0, 100_000));
    writeSync(writeFd, 'half a li');
    await until(() => {
      stage.clock.advance(10_000);
      expect(kept(stage.text()) + (stage.lost.at(-1)?.loss.lines ?? 0)).toBe(100_000);
    });
    disk.makeRoom();
    await print(writeFd, 'ne\nnow it fits\n');
    await until(() => expect(stage.text().endsWith('\nnow it fits\n')).toBe(true));
    stage.clock.advance(60_000);
    await until(() => expect(stage.lost.at(-1)).toMatchObject({ vassal: 'shop', loss: { over: true, reason: expect.stringContaining('ENOSPC') } }));
    closeSync(writeFd);
  });

  it('a symlink in its place is not followed, and not read', async () => {
    await using stage = openStage();
    const precious = join(stage.folder, 'precious');
    writeFileSync(precious, 'precious\n');
    mkdirSync(stage.logs);
    symlinkSync(precious, join(stage.logs, 'shop.log'));
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    await print(writeFd, 'one\ntwo\n');
    await until(() => expect(stage.lost.at(-1)?.loss).toMatchObject({ lines: 2, reason: expect.stringContaining('ELOOP') }));
    closeSync(writeFd);
    expect(readFileSync(precious, 'utf8')).toBe('precious\n');
    await expect(tail(join(stage.logs, 'shop.log'), 5)).rejects.toMatchObject({ code: 'E_KERNEL', message: expect.stringContaining('it is a symlink, which is not followed') });
  });

  it('a log folder that cannot be made costs lines only', async () => {
    await using stage = openStage('/dev/null/logs');
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    writeSync(writeFd, 'a\nb\n');
    await until(() => expect(stage.lost).toMatchObject([{ loss: { lines: 2, bytes: 4, over: false } }]));
    closeSync(writeFd);
  });
});

/** Parts of a log, oldest first. */
function partsOf(folder: string, log: string): string[] {
  const number = (name: string): number => Number(/\.log\.(\d+)/.exec(name)?.[1] ?? 0);
  return readdirSync(folder)
    .filter((name) => name.startsWith(log))
    .sort((one, other) => number(other) - number(one))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    });
}

function readAll(folder: string, log: string): string {
  return partsOf(folder, log).join('');
}

function kept(text: string): number {
  return text.match(/^line \d+\n/gm)?.length ?? 0;
}

/** A real file system with room for 64 kB. */
function mountTiny(folder: string): Disposable & { readonly path: string; makeRoom(): void } {
  const path = join(folder, 'tiny');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', path]);
  return {
    path,
    makeRoom: () => void execFileSync('mount', ['-o', 'remount,size=1m', path]),
    [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', path]),
  };
}

describe('what an instance prints', () => {
  const READY_LINE = { kind: 'log', pattern: '^ready' } as const;

  it('is looked at for the line that it becomes ready by, from the first byte on', async () => {
    await using stage = openStage();
    const instance = instanceOf(1, { log: RAW, ready: READY_LINE });
    const { writeFd } = stage.capture.open('shop', instance);
    await print(writeFd, `ready for everything\n${'x\n'.repeat(10_000)}`);
    await until(() => expect(stage.text().length).toBeGreaterThan(20_000));
    const seen: Seen[] = [];
    stage.capture.watchLog(instance.id, '^ready', (each) => seen.push(each));
    await until(() => expect(seen).toEqual([{ kind: 'matched', line: 'ready for everything' }]));
    closeSync(writeFd);
  });

  it('is looked at when the next emperor reads on', async () => {
    await using stage = openStage();
    const instance = instanceOf(1, { log: RAW, ready: READY_LINE });
    const { writeFd } = stage.capture.open('shop', instance);
    const capture = await stage.successor();
    writeSync(writeFd, 'ready\n');
    capture.reopen('shop', instance);
    const seen: Seen[] = [];
    capture.watchLog(instance.id, '^ready', (each) => seen.push(each));
    await until(() => expect(seen).toHaveLength(1));
    closeSync(writeFd);
  });

  it('last is told of one that lives, before it was read, and of one that has ended', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    writeSync(writeFd, 'cannot go on\n');
    expect(stage.capture.lastLines(instance.id)).toEqual(['cannot go on']);
    writeSync(writeFd, 'goodbye\n');
    closeSync(writeFd);
    stage.capture.finished(instance.id);
    expect(stage.capture.lastLines(instance.id)).toEqual(['cannot go on', 'goodbye']);
    expect(stage.capture.lastLines(printed(RAW, 2).id)).toEqual([]);
    await until(() => expect(stage.text()).toBe('cannot go on\ngoodbye\n'));
  });

  it('last is kept of the 100 that ended last', async () => {
    await using stage = openStage();
    for (let serial = 1; serial <= 101; serial++) {
      const { writeFd } = stage.capture.open('shop', printed(RAW, serial));
      writeSync(writeFd, `${serial}\n`);
      closeSync(writeFd);
      stage.capture.finished(printed(RAW, serial).id);
    }
    expect([1, 2, 101].map((serial) => stage.capture.lastLines(printed(RAW, serial).id))).toEqual([[], ['2'], ['101']]);
  });
});

describe('what prints into one log', () => {
  /** Two instances, both of which have printed something. */
  async function openPair(stage: Stage, log: LogPolicy = RAW): Promise<readonly [first: number, second: number]> {
    const [first, second] = [stage.capture.open('shop', printed(log, 1)).writeFd, stage.capture.open('shop', printed(log, 2)).writeFd];
    writeSync(first, '1\n');
    await until(() => expect(stage.text()).toBe('1\n'));
    writeSync(second, '2\n');
    await until(() => expect(stage.text()).toBe('1\n2\n'));
    return [first, second];
  }

  it('does not get into the lines of another: a line that has begun waits for its end', async () => {
    await using stage = openStage();
    const [first, second] = await openPair(stage);
    writeSync(first, 'begin');
    writeSync(second, 'whole\n');
    await until(() => expect(stage.text()).toBe('1\n2\nwhole\n'));
    writeSync(first, ' and ');
    writeSync(second, 'another\n');
    await until(() => expect(stage.text()).toBe('1\n2\nwhole\nanother\n'));
    writeSync(first, 'end\n');
    await until(() => expect(stage.text()).toBe('1\n2\nwhole\nanother\nbegin and end\n'));
    closeSync(first);
    closeSync(second);
  });

  it('does not wait longer than 5 s for the end of a line', async () => {
    await using stage = openStage();
    const [first, second] = await openPair(stage);
    writeSync(first, 'name? ');
    await until(() => expect(stage.clock.waiting).toBe(1));
    expect(stage.text()).toBe('1\n2\n');
    stage.clock.advance(5_000);
    await until(() => expect(stage.text()).toBe('1\n2\nname? '));
    closeSync(first);
    closeSync(second);
  });

  it('does not wait for the end of a line once it is alone', async () => {
    await using stage = openStage();
    const [first, second] = await openPair(stage);
    writeSync(first, 'name? ');
    await until(() => expect(stage.clock.waiting).toBe(1));
    closeSync(second);
    stage.capture.finished(printed(RAW, 2).id);
    await until(() => expect(stage.text()).toBe('1\n2\nname? '));
    closeSync(first);
  });

  it('does not wait for the end of a line that is longer than a FIFO', async () => {
    await using stage = openStage();
    const [first, second] = await openPair(stage);
    const line = 'x'.repeat(300_000);
    await print(first, line);
    await until(() => expect(stage.text().length).toBeGreaterThan(200_000));
    await print(first, '\n');
    await until(() => expect(stage.text()).toBe(`1\n2\n${line}\n`));
    closeSync(first);
    closeSync(second);
  });

  it('begins a new line where another one has left its own open', async () => {
    await using stage = openStage();
    const first = stage.capture.open('shop', printed(RAW, 1)).writeFd;
    writeSync(first, 'name? ');
    await until(() => expect(stage.text()).toBe('name? '));
    const second = stage.capture.open('shop', printed(RAW, 2)).writeFd;
    writeSync(second, 'whole\n');
    await until(() => expect(stage.text()).toBe('name? \nwhole\n'));
    writeSync(first, 'shop\n');
    await until(() => expect(stage.text()).toBe('name? \nwhole\nshop\n'));
    closeSync(first);
    closeSync(second);
  });
});

describe('what is not in the log yet', () => {
  it('stays in the FIFO for the next emperor, also the beginning of a line that will be an object', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed({ ...RAW, format: 'json' }));
    writeSync(writeFd, 'one\ntwo');
    await until(() => expect(stage.text()).toContain('"one"'));
    await until(() => expect(stage.clock.waiting).toBe(1));
    const other = openSync(join(stage.fifos, '1'), constants.O_RDONLY | constants.O_NONBLOCK);
    using splice = openSplice(openLibc());
    const seen: string[] = [];
    splice.peek(other, 100, (piece) => seen.push(piece.toString()));
    expect(seen).toEqual(['two']);
    closeSync(other);
    writeSync(writeFd, ' three\n');
    await until(() => expect(stage.text()).toContain('"two three"'));
    closeSync(writeFd);
  });

  it('is heard, and told of when it is asked for', async () => {
    await using stage = openStage();
    const instance = printed(RAW);
    const { writeFd } = stage.capture.open('shop', instance);
    const told: (readonly string[])[] = [];
    writeSync(writeFd, 'x\n'.repeat(30_000) + 'cannot go on\n');
    stage.capture.quote(instance.id, (lines) => told.push(lines));
    expect(told.map((lines) => lines.at(-1))).toEqual(['cannot go on']);
    await until(() => expect(stage.text()).toContain('go on\n'));
    writeSync(writeFd, 'goodbye\n');
    closeSync(writeFd);
    stage.capture.finished(instance.id);
    stage.capture.quote(instance.id, (lines) => told.push(lines));
    await until(() => expect(told.map((lines) => lines.at(-1))).toEqual(['cannot go on', 'goodbye']));
    expect(stage.clock.waiting).toBe(0);
  });
});

describe('a log file', () => {
  it('goes on at its end when somebody truncates it', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    writeSync(writeFd, 'copied away\n');
    await until(() => expect(stage.text()).toBe('copied away\n'));
    truncateSync(join(stage.logs, 'shop.log'));
    writeSync(writeFd, 'new\n');
    await until(() => expect(stage.text()).toBe('new\n'));
    appendFileSync(join(stage.logs, 'shop.log'), 'a remark\n');
    writeSync(writeFd, 'newer\n');
    await until(() => expect(stage.text()).toBe('new\na remark\nnewer\n'));
    closeSync(writeFd);
  });

  it('may be a FIFO, which is written to as a file is', async () => {
    await using stage = openStage();
    mkdirSync(stage.logs);
    execFileSync('mkfifo', [join(stage.logs, 'shop.log')]);
    const { writeFd } = stage.capture.open('shop', printed({ ...RAW, maxBytes: 1 }));
    const reader = spawn('head', ['-n', '2', join(stage.logs, 'shop.log')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const read = text(reader.stdout);
    writeSync(writeFd, 'one\n');
    writeSync(writeFd, 'two\n');
    expect(await read).toBe('one\ntwo\n');
    expect(readdirSync(stage.logs)).toEqual(['shop.log']);
    closeSync(writeFd);
  });

  it.runIf(asRoot)('may be one that can only be appended to', async (context) => {
    await using stage = openStage();
    mkdirSync(stage.logs);
    const log = join(stage.logs, 'shop.log');
    writeFileSync(log, 'old\n');
    try {
      execFileSync('chattr', ['+a', log], { stdio: 'pipe' });
    } catch {
      // Not every file system knows that.
      context.skip();
    }
    const { writeFd } = stage.capture.open('shop', printed(RAW));
    writeSync(writeFd, 'new\n');
    await until(() => expect(stage.text()).toBe('old\nnew\n'));
    expect(stage.lost).toEqual([]);
    execFileSync('chattr', ['-a', log]);
    closeSync(writeFd);
  });
});

describe('the ends of FIFOs that are kept', () => {
  it('give what an instance printed last, where it ended while no emperor was there, and are dropped then', async () => {
    await using stage = openStage();
    const instance = printed(RAW, 7);
    const { writeFd } = stage.capture.open('shop', instance);
    expect([...stage.keeper.names.keys()]).toEqual(['log-7']);
    const kept = stage.keeper.names.get('log-7')!;
    const next = stage.successor(new Map([[7, kept]]));
    await next;
    expect([...stage.keeper.names.keys()]).toEqual(['log-7']);
    await print(writeFd, 'last words');
    closeSync(writeFd);
    stage.capture.bury('shop', instance);
    stage.capture.sweep();
    await until(() => expect(stage.text()).toMatch(/last words\n?$/));
    await until(() => expect(stage.keeper.names.size).toBe(0));
    expect(readdirSync(stage.fifos)).toEqual([]);
  });

  it('are read on of an instance that lives, also when the path of its FIFO is gone', async () => {
    await using stage = openStage();
    const instance = printed(RAW, 7);
    const { writeFd } = stage.capture.open('shop', instance);
    const kept = stage.keeper.names.get('log-7')!;
    await stage.successor(new Map([[7, kept]]));
    rmSync(join(stage.fifos, '7'));
    stage.capture.reopen('shop', instance);
    await print(writeFd, 'goes on\n');
    await until(() => expect(stage.text()).toBe('goes on\n'));
    expect(stage.lost).toEqual([]);
    closeSync(writeFd);
  });

  it('are dropped where nobody knows whose they were', async () => {
    await using stage = openStage();
    const { writeFd } = stage.capture.open('shop', printed(RAW, 7));
    await stage.successor(new Map([[7, stage.keeper.names.get('log-7')!]]));
    stage.capture.sweep();
    expect(stage.keeper.names.size).toBe(0);
    closeSync(writeFd);
  });
});

describe('output for the journal', () => {
  const JOURNAL: LogPolicy = { ...RAW, to: 'journal' };

  /** A stage whose journal answers as `answer` says, and keeps what it was given as `INSTANCE PRIORITY MESSAGE`. */
  function withJournal(answer: () => string | null): { stage: Stage; entries: string[] } {
    const entries: string[] = [];
    const write: CaptureOptions['journal'] = (fields) => {
      const errno = answer();
      const of = (wanted: string): string => String(fields.find(([name]) => name === wanted)?.[1]);
      if (errno === null) entries.push(`${of('INSTANCE')} ${of('PRIORITY')} ${of('MESSAGE')}`);
      return errno;
    };
    return { stage: openStage(undefined, write), entries };
  }

  it('is a line an entry, with the priority that the line says', async () => {
    const { stage, entries } = withJournal(() => null);
    await using _stage = stage;
    const { writeFd } = stage.capture.open('shop', printed(JOURNAL));
    await print(writeFd, 'one\n\n<3>two\n<9>three\nfour');
    closeSync(writeFd);
    stage.capture.finished(printed(JOURNAL).id);
    await until(() => expect(entries).toEqual(['shop#1 6 one', 'shop#1 3 two', 'shop#1 6 <9>three', 'shop#1 6 four']));
    expect(existsSync(join(stage.logs, 'shop.log'))).toBe(false);
  });

  it('waits while the journal is busy, and loses nothing', async () => {
    let busy = 5;
    const { stage, entries } = withJournal(() => ((busy -= 1) >= 0 ? 'EAGAIN' : null));
    await using _stage = stage;
    const { writeFd } = stage.capture.open('shop', printed(JOURNAL));
    await print(writeFd, 'one\ntwo\n');
    await until(() => {
      stage.clock.advance(10);
      expect(entries).toEqual(['shop#1 6 one', 'shop#1 6 two']);
    });
    closeSync(writeFd);
    expect(stage.lost).toEqual([]);
  });

  it('is counted and told of where there is no journal', async () => {
    const { stage } = withJournal(() => 'ENOENT');
    await using _stage = stage;
    const { writeFd } = stage.capture.open('shop', printed(JOURNAL));
    await print(writeFd, 'one\ntwo\n');
    closeSync(writeFd);
    stage.capture.finished(printed(JOURNAL).id);
    await until(() => expect(stage.lost.at(-1)).toMatchObject({ vassal: 'shop', loss: { lines: 2, bytes: 8, reason: expect.stringContaining('ENOENT') } }));
  });
});
