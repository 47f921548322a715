import * as fc from 'fast-check';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { JsonLines } from '../../src/logs/json-lines.ts';
import { logFileName } from '../../src/logs/log-name.ts';
import { Rotation, Turnstile } from '../../src/logs/rotate.ts';
import { countLines, endsMidLine, splitForRotation } from '../../src/logs/split.ts';

const scratch = mkdtempSync(join(tmpdir(), 'emperor-rotation-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('the name of a log file', () => {
  it.each([
    ['shop', 'shop.log'],
    ['my shop.v2', 'my shop.v2.log'],
    ['日本', '日本.log'],
    ['a/b', 'a%2Fb.log'],
    ['a\nb\u007f', 'a%0Ab%7F.log'],
    ['100%', '100%25.log'],
  ])('of %j is %s', (name, file) => {
    expect(logFileName(name)).toBe(file);
  });

  it('fits into a directory entry, whatever the name, and names that differ get files that differ', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 400 }), (one, other) => {
        fc.pre(one !== other);
        expect(Buffer.byteLength(logFileName(one))).toBeLessThan(240);
        expect(logFileName(one)).not.toMatch(/[/\0\n]/);
        expect(logFileName(one)).not.toBe(logFileName(other));
      }),
    );
    expect(logFileName('é'.repeat(200) + '1')).not.toBe(logFileName('é'.repeat(200) + '2'));
  });
});

describe('where a log is cut', () => {
  it.each([
    ['all fits', 'aa\nbb\n', 0, 10, false, 6, false],
    ['all fits exactly', 'aa\nbb\n', 4, 10, false, 6, false],
    ['after the last line that fits', 'aa\nbb\n', 5, 10, false, 3, true],
    ['before a line that does not fit', 'aaaa\n', 8, 10, false, 0, true],
    ['after the end of the line that was begun', 'aaaa\nb\n', 8, 10, true, 5, true],
    ['not within a line that may still end', 'aaaa', 8, 10, true, 4, false],
    ['at twice the limit, within a line that never ends', 'a'.repeat(30), 8, 10, true, 12, true],
    ['at twice the limit in an empty file', 'a'.repeat(30), 0, 10, false, 20, true],
  ] as const)('%s', (_where, text, size, maxBytes, midLine, length, rotate) => {
    expect(splitForRotation(Buffer.from(text), size, maxBytes, midLine)).toEqual({ length, rotate });
  });

  it('loses and doubles nothing, keeps files below twice the limit, and cuts short lines only at their ends', () => {
    const block = fc.array(fc.constantFrom('a', 'bcd', '\n', '\n'), { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(block), fc.integer({ min: 1, max: 40 }), (blocks, maxBytes) => {
        const files = [''];
        for (const text of blocks) {
          for (let rest = Buffer.from(text); rest.length > 0; ) {
            const current = files.at(-1) ?? '';
            const { length, rotate } = splitForRotation(rest, current.length, maxBytes, endsMidLine(Buffer.from(current)));
            expect(length > 0 || (rotate && current !== '')).toBe(true);
            files[files.length - 1] = current + rest.toString('latin1', 0, length);
            rest = rest.subarray(length);
            if (rotate) files.push('');
          }
        }
        expect(files.join('')).toBe(blocks.join(''));
        for (const file of files) expect(file.length).toBeLessThanOrEqual(2 * maxBytes);
        for (const file of files.slice(0, -1)) expect(file.endsWith('\n') || file.length === 2 * maxBytes).toBe(true);
      }),
    );
  });

  it('counts lines by their ends', () => {
    expect(['', 'a', 'a\n', 'a\nb', '\n\n'].map((text) => countLines(Buffer.from(text)))).toEqual([0, 0, 1, 1, 2]);
  });
});

describe('rotation', () => {
  const readAll = (folder: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(folder).sort().map((name) => {
        const bytes = readFileSync(join(folder, name));
        return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()];
      }),
    );

  function open(files: Record<string, string>): { folder: string; rotation: Rotation; compressions: Turnstile; stop: AbortController } {
    const folder = mkdtempSync(join(scratch, 'log-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
    const compressions = new Turnstile();
    const stop = new AbortController();
    return { folder, compressions, stop, rotation: new Rotation(join(folder, 'x.log'), compressions, stop.signal) };
  }

  it.each([
    ['the first time', { 'x.log': 'c' }, 3, { 'x.log.1': 'c' }],
    ['the second time, compressing from part 2 on', { 'x.log': 'd', 'x.log.1': 'c' }, 3, { 'x.log.1': 'd', 'x.log.2.gz': 'c' }],
    ['dropping what is beyond the number to keep', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b', 'x.log.3.gz': 'a' }, 3, { 'x.log.1': 'd', 'x.log.2.gz': 'c', 'x.log.3.gz': 'b' }],
    ['after the number to keep was lowered', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b', 'x.log.3.gz': 'a' }, 1, { 'x.log.1': 'd' }],
    ['keeping nothing', { 'x.log': 'd' }, 0, {}],
    ['with parts that were never compressed', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2': 'b', 'x.log.3': 'a' }, 9, { 'x.log.1': 'd', 'x.log.2.gz': 'c', 'x.log.3.gz': 'b', 'x.log.4.gz': 'a' }],
    ['after a death between compressing and removing', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2': 'b', 'x.log.2.gz': 'b' }, 9, { 'x.log.1': 'd', 'x.log.2.gz': 'c', 'x.log.3.gz': 'b' }],
    ['leaving other logs alone', { 'x.log': 'd', 'x.log.old': 'o', 'y.log.1': 'y' }, 9, { 'x.log.1': 'd', 'x.log.old': 'o', 'y.log.1': 'y' }],
    ['without a current file', { 'x.log.1': 'c' }, 9, { 'x.log.2.gz': 'c' }],
  ])('moves the parts up: %s', async (_what, before, keep, after) => {
    const { folder, rotation, compressions } = open(before);
    await rotation.rotate(keep);
    await compressions.idle();
    expect(readAll(folder)).toEqual(after);
  });

  it('compresses a part that is moved up or dropped meanwhile, once and in its place', async () => {
    const { folder, rotation, compressions } = open({});
    const texts = Array.from({ length: 12 }, (_, index) => `${index} `.repeat(200_000));
    for (const text of texts) {
      writeFileSync(join(folder, 'x.log'), text);
      await rotation.rotate(5);
    }
    await compressions.idle();
    const expected = texts.toReversed().slice(0, 5).map((text, index) => [index === 0 ? 'x.log.1' : `x.log.${index + 1}.gz`, text]);
    expect(readAll(folder)).toEqual(Object.fromEntries(expected));
  });

  it.each([
    ['nothing, where all is in its place', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b' }, { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b' }],
    ['a rotation that had moved some parts', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.3.gz': 'b' }, { 'x.log.1': 'd', 'x.log.2.gz': 'c', 'x.log.3.gz': 'b' }],
    ['a rotation that had moved all parts', { 'x.log': 'd', 'x.log.2': 'c', 'x.log.3.gz': 'b' }, { 'x.log.1': 'd', 'x.log.2.gz': 'c', 'x.log.3.gz': 'b' }],
    ['compressions that were not done', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2': 'b', 'x.log.3': 'a' }, { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b', 'x.log.3.gz': 'a' }],
    ['a compression that was half done', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2': 'b', 'x.log.gz.tmp': 'half' }, { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b' }],
    ['a compression after which the plain part is there', { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2': 'b', 'x.log.2.gz': 'b' }, { 'x.log': 'd', 'x.log.1': 'c', 'x.log.2.gz': 'b' }],
    ['what is left of a compression of a part that is gone', { 'x.log': 'd', 'x.log.gz.tmp': 'half' }, { 'x.log': 'd' }],
  ])('is finished by the next emperor: %s', async (_what, before, after) => {
    const { folder, rotation, compressions } = open(before);
    await rotation.recover(9);
    await compressions.idle();
    expect(readAll(folder)).toEqual(after);
  });

  it('leaves a part plain when it is told to stop', async () => {
    const { folder, rotation, compressions, stop } = open({ 'x.log': 'd', 'x.log.1': 'c' });
    stop.abort();
    await rotation.rotate(9);
    await compressions.idle();
    expect(readAll(folder)).toEqual({ 'x.log.1': 'd', 'x.log.2': 'c' });
  });
});

describe('the format json', () => {
  const parse = (bytes: Buffer): unknown[] => bytes.toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));

  it('wraps each line with the time and the instance', () => {
    const lines = new JsonLines('shop#1');
    expect(parse(lines.push(Buffer.from('a "b"\n\nc'), 0))).toEqual([
      { time: '1970-01-01T00:00:00.000Z', instance: 'shop#1', text: 'a "b"' },
      { time: '1970-01-01T00:00:00.000Z', instance: 'shop#1', text: '' },
    ]);
    expect(parse(lines.push(Buffer.from('d\n'), 1_000))).toEqual([{ time: '1970-01-01T00:00:01.000Z', instance: 'shop#1', text: 'cd' }]);
    expect(lines.end(1_000)).toHaveLength(0);
  });

  it('gives the last line, though it never ended', () => {
    const lines = new JsonLines('shop#1');
    expect(lines.push(Buffer.from('half'), 0)).toHaveLength(0);
    expect(parse(lines.end(0))).toMatchObject([{ text: 'half' }]);
    expect(lines.end(0)).toHaveLength(0);
  });

  it('keeps a character together that came in two pieces', () => {
    const lines = new JsonLines('shop#1');
    const bytes = Buffer.from('ü\n');
    lines.push(bytes.subarray(0, 1), 0);
    expect(parse(lines.push(bytes.subarray(1), 0))).toMatchObject([{ text: 'ü' }]);
  });

  it('cuts a line that does not end', () => {
    const lines = new JsonLines('shop#1');
    const objects = parse(lines.push(Buffer.from('x'.repeat(150_000)), 0)) as { text: string }[];
    expect(objects.map((object) => object.text.length)).toEqual([65_536, 65_536]);
    expect(parse(lines.push(Buffer.from('\n'), 0))).toMatchObject([{ text: 'x'.repeat(150_000 - 131_072) }]);
  });
});
