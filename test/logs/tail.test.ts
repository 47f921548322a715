import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { follow } from '../../src/logs/follow.ts';
import { cutLastLines } from '../../src/logs/last-lines.ts';
import { tail } from '../../src/logs/tail.ts';
import { until } from '../until.ts';

const scratch = mkdtempSync(join(tmpdir(), 'emperor-tail-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function logOf(parts: Record<string, string>): string {
  const folder = mkdtempSync(join(scratch, 'log-'));
  for (const [name, text] of Object.entries(parts)) writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
  return join(folder, 'x.log');
}

describe('the last lines', () => {
  it.each([
    ['', 3, '', 0],
    ['a\nb\nc\n', 0, '', 0],
    ['a\nb\nc\n', 1, 'c\n', 1],
    ['a\nb\nc\n', 2, 'b\nc\n', 2],
    ['a\nb\nc\n', 3, 'a\nb\nc\n', 3],
    ['a\nb\nc\n', 9, 'a\nb\nc\n', 3],
    ['a\nb', 1, 'b', 1],
    ['a\nb', 2, 'a\nb', 2],
    ['\n\n\n', 2, '\n\n', 2],
    ['\n', 1, '\n', 1],
    ['a', 1, 'a', 1],
  ])('of %j, %i of them, are %j', (text, lines, expected, found) => {
    const last = cutLastLines(Buffer.from(text), lines);
    expect([last.text.toString(), last.found]).toEqual([expected, found]);
  });

  it.each([
    ['the current file alone', 2, 'g\nh\n'],
    ['part 1, too', 5, 'd\ne\nf\ng\nh\n'],
    ['compressed parts, too', 7, 'b\nc\nd\ne\nf\ng\nh\n'],
    ['everything there is', 99, 'a\nb\nc\nd\ne\nf\ng\nh\n'],
  ])('come from %s', async (_where, lines, expected) => {
    const log = logOf({ 'x.log': 'f\ng\nh\n', 'x.log.1': 'd\ne\n', 'x.log.2.gz': 'c\n', 'x.log.3': 'a\nb\n' });
    expect((await tail(log, lines)).toString()).toBe(expected);
  });

  it.each([
    ['there is no log', {}, ''],
    ['only older parts are there', { 'x.log.1': 'a\n', 'x.log.2.gz': 'b\n' }, 'b\na\n'],
    ['a part is there in both forms', { 'x.log': 'c\n', 'x.log.1': 'b\n', 'x.log.2': 'a\n', 'x.log.2.gz': 'a\n' }, 'a\nb\nc\n'],
  ])('are right when %s', async (_when, parts, expected) => {
    expect((await tail(logOf(parts as Record<string, string>), 10)).toString()).toBe(expected);
  });

  it('are found across the blocks in which files are read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 13 }), async (widths, lines) => {
        const texts = widths.map((width, index) => `${index}${'.'.repeat(width)}\n`);
        const expected = texts.slice(texts.length - Math.min(lines, texts.length)).join('');
        expect((await tail(logOf({ 'x.log': texts.join('') }), lines)).toString()).toBe(expected);
        expect((await tail(logOf({ 'x.log.1': 'older\n', 'x.log.2.gz': texts.join('') }), lines + 1)).toString()).toBe(`${expected}older\n`);
      }),
      { numRuns: 20 },
    );
  });
});

describe('following', () => {
  function listen(log: string, lines = 0): { heard: () => string; stop: () => Promise<void> } {
    const end = new AbortController();
    let text = '';
    const done = (async () => {
      for await (const block of follow(log, end.signal, lines)) text += block.toString();
    })();
    return {
      heard: () => text,
      async stop() {
        end.abort();
        await done;
      },
    };
  }

  it('begins with the last lines and goes on without a gap', async () => {
    const log = logOf({ 'x.log': 'a\nb\n' });
    const { heard, stop } = listen(log, 1);
    await until(() => expect(heard()).toBe('b\n'));
    appendFileSync(log, 'c\n');
    await until(() => expect(heard()).toBe('b\nc\n'));
    await stop();
  });

  it('begins with a log that is not there yet', async () => {
    const log = logOf({});
    const { heard, stop } = listen(log, 5);
    writeFileSync(log, 'a\n');
    await until(() => expect(heard()).toBe('a\n'));
    await stop();
  });

  it('goes on across rotations, also several at once', async () => {
    const log = logOf({ 'x.log': 'a\n' });
    const { heard, stop } = listen(log, 9);
    await until(() => expect(heard()).toBe('a\n'));
    appendFileSync(log, 'b\n');
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'c\n');
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, 'd\n');
    await until(() => expect(heard()).toBe('a\nb\nc\nd\n'));
    renameSync(`${log}.2`, `${log}.3`);
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, 'late\n');
    writeFileSync(log, 'e\n');
    await until(() => expect(heard()).toBe('a\nb\nc\nd\nlate\ne\n'));
    await stop();
  });

  it('begins again with a log that was cut or removed', async () => {
    const log = logOf({ 'x.log': 'a long line\n' });
    const { heard, stop } = listen(log, 9);
    await until(() => expect(heard()).toBe('a long line\n'));
    truncateSync(log);
    appendFileSync(log, 'b\n');
    await until(() => expect(heard()).toBe('a long line\nb\n'));
    unlinkSync(log);
    writeFileSync(log, 'c\n');
    await until(() => expect(heard()).toBe('a long line\nb\nc\n'));
    await stop();
  });

  it('ends at once when it is told to, also before it began', async () => {
    const { heard, stop } = listen(logOf({ 'x.log': 'a\n' }));
    await stop();
    expect(heard()).toBe('');
  });

  it('says so when there is no folder', async () => {
    await expect(follow('/nowhere/x.log', new AbortController().signal).next()).rejects.toMatchObject({ code: 'E_KERNEL' });
  });
});
