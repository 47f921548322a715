import { closeSync, constants, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openEpoll } from '../../src/kernel/epoll.ts';
import { fifoMaker } from '../../src/kernel/fifo.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSplice, type Splice } from '../../src/kernel/splice.ts';
import { until } from '../until.ts';

const libc = openLibc();
const scratch = mkdtempSync(join(tmpdir(), 'emperor-splice-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A FIFO with both ends, and a file. */
class Pair implements Disposable {
  static #made = 0;
  readonly path: string = join(scratch, String((Pair.#made += 1)));
  readonly fifo: number;
  readonly writeFd: number;
  readonly file: number;

  constructor(flags = 0) {
    fifoMaker(libc)(`${this.path}.fifo`, 0o600);
    this.fifo = openSync(`${this.path}.fifo`, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writeFd = openSync(`${this.path}.fifo`, constants.O_RDWR);
    this.file = openSync(this.path, constants.O_RDWR | constants.O_CREAT | flags);
  }

  get text(): string {
    return readFileSync(this.path, 'utf8');
  }

  [Symbol.dispose](): void {
    for (const fd of [this.fifo, this.writeFd, this.file]) closeSync(fd);
  }
}

function peek(splice: Splice, fifo: number, most = 2 ** 20): string | number | null {
  let text = '';
  const seen = splice.peek(fifo, most, (piece) => {
    text += piece.toString();
  });
  if (typeof seen === 'number') expect(text).toHaveLength(seen);
  return text === '' ? seen : text;
}

describe('a FIFO', () => {
  it('is looked at without taking anything out, and moved to where it is told', async () => {
    using splice = openSplice(libc);
    using pair = new Pair();
    writeSync(pair.writeFd, 'one\ntwo\n');
    expect([peek(splice, pair.fifo), peek(splice, pair.fifo, 3), peek(splice, pair.fifo)]).toEqual(['one\ntwo\n', 'one', 'one\ntwo\n']);
    expect(await splice.move(pair.fifo, pair.file, 0, 4)).toBe(4);
    expect([pair.text, peek(splice, pair.fifo)]).toEqual(['one\n', 'two\n']);
    writeSync(pair.writeFd, 'three\n');
    expect(await splice.move(pair.fifo, pair.file, 4, 10)).toBe(10);
    expect([pair.text, peek(splice, pair.fifo)]).toEqual(['one\ntwo\nthree\n', null]);
  });

  it('that nobody can write to any more is told from one that is empty, and so is what is no FIFO', () => {
    using splice = openSplice(libc);
    using pair = new Pair();
    expect([peek(splice, pair.fifo), peek(splice, pair.file)]).toEqual([null, 0]);
    const other = openSync(`${pair.path}.fifo`, constants.O_RDONLY | constants.O_NONBLOCK);
    closeSync(pair.writeFd);
    expect(peek(splice, other)).toBe(0);
    // The number is closed once more when the pair is.
    expect(openSync('/dev/null', 'r')).toBe(pair.writeFd);
    closeSync(other);
  });

  it('holds 1 MiB once it is large, and is looked at to its end', async () => {
    using splice = openSplice(libc);
    using pair = new Pair();
    expect(splice.enlarge(pair.fifo)).toBe(true);
    const text = Array.from({ length: 100_000 }, (_, index) => `${index}`).join('\n');
    writeSync(pair.writeFd, text);
    expect(peek(splice, pair.fifo) === text).toBe(true);
    for (let size = 0; size < text.length; ) size += (await splice.move(pair.fifo, pair.file, size, text.length - size)) ?? Number.NaN;
    expect(pair.text === text).toBe(true);
  });

  it('keeps what cannot be moved, until it is dropped', async () => {
    using splice = openSplice(libc);
    using pair = new Pair(constants.O_APPEND);
    writeSync(pair.writeFd, 'one\ntwo\n');
    expect(await splice.move(pair.fifo, pair.file, 0, 8)).toBe(null);
    splice.drop(pair.fifo, 4);
    expect(peek(splice, pair.fifo)).toBe('two\n');
  });
});

it('the size of a file is told as it is now', async () => {
  using splice = openSplice(libc);
  using pair = new Pair();
  writeSync(pair.file, '123456');
  expect(await splice.sizeOf(pair.file)).toBe(6);
  ftruncateSync(pair.file, 2);
  expect(await splice.sizeOf(pair.file)).toBe(2);
});

describe('what is watched once', () => {
  let turns = 0;
  beforeEach(() => {
    turns = 0;
  });

  /** Resolves when whatever is due by now was called back. */
  async function rest(epoll: ReturnType<typeof openEpoll>): Promise<void> {
    using other = new Pair();
    for (const wanted of [1, 2]) {
      epoll.watch(other.fifo, () => {
        epoll.unwatch(other.fifo);
        turns += 1;
      });
      if (wanted === 1) writeSync(other.writeFd, 'x');
      await until(() => expect(turns % 2).toBe(wanted % 2));
    }
  }

  it('calls back once, and again when it is asked for, as long as there is something', async () => {
    using epoll = openEpoll(libc);
    using pair = new Pair();
    let called = 0;
    epoll.watchOnce(pair.fifo, () => (called += 1));
    writeSync(pair.writeFd, 'x');
    await until(() => expect(called).toBe(1));
    await rest(epoll);
    expect(called).toBe(1);
    epoll.again(pair.fifo, 'readable');
    await until(() => expect(called).toBe(2));
    epoll.unwatch(pair.fifo);
    epoll.again(pair.fifo, 'readable');
    await rest(epoll);
    expect(called).toBe(2);
  });

  it('calls back at what comes, and not all the time for what is there, when it waits for more', async () => {
    using epoll = openEpoll(libc);
    using pair = new Pair();
    let called = 0;
    epoll.watchOnce(pair.fifo, () => (called += 1));
    writeSync(pair.writeFd, 'x');
    await until(() => expect(called).toBe(1));
    epoll.again(pair.fifo, 'more');
    await rest(epoll);
    const before = called;
    expect(before).toBeLessThanOrEqual(2);
    await rest(epoll);
    expect(called).toBe(before);
    writeSync(pair.writeFd, 'y');
    await until(() => expect(called).toBe(before + 1));
    writeSync(pair.writeFd, 'z');
    await until(() => expect(called).toBe(before + 2));
  });
});
