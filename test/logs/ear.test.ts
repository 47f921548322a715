import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ear, type EarParts } from '../../src/logs/ear.ts';
import type { Seen } from '../../src/logs/line-watch.ts';
import { openPatterns } from '../../src/world/pattern.ts';
import { HandClock } from '../fakes/clock.ts';

const patterns = openPatterns();

interface Stage {
  readonly clock: HandClock;
  readonly ear: Ear;
  readonly seen: Seen[];
  print(text: string): void;
  watch(pattern: string): () => void;
}

function openStage(early: EarParts['early'] = null): Stage {
  const clock = new HandClock();
  const ear = new Ear({ clock, patterns, early });
  const seen: Seen[] = [];
  return { clock, ear, seen, print: (text) => ear.hear(Buffer.from(text)), watch: (pattern) => ear.watch(pattern, (each) => seen.push(each)) };
}

describe('a watch', () => {
  it('tells of the first line that matches, once, and not from within the call', () => {
    const stage = openStage();
    stage.watch('^ready');
    stage.print('starting\nready: 1\nready: 2\n');
    expect(stage.seen).toEqual([]);
    stage.clock.advance(0);
    stage.print('ready: 3\n');
    stage.clock.advance(0);
    expect(stage.seen).toEqual([{ kind: 'matched', line: 'ready: 1' }]);
  });

  it('waits for the end of a line, however it is cut', () => {
    const stage = openStage();
    stage.watch('^ready to serve$');
    for (const piece of ['rea', 'dy', ' to ser', 've']) stage.print(piece);
    stage.clock.advance(0);
    expect(stage.seen).toEqual([]);
    stage.print('\nmore');
    stage.clock.advance(0);
    expect(stage.seen).toEqual([{ kind: 'matched', line: 'ready to serve' }]);
  });

  it.each([[4_090, true], [4_096, false]])('of a line looks at the first 4 KiB: a word after %i bytes is found: %s', (before, found) => {
    const stage = openStage();
    stage.watch('ready');
    stage.print('x'.repeat(before));
    stage.print('ready\n');
    stage.clock.advance(0);
    expect(stage.seen.length > 0).toBe(found);
  });

  it('sees what was printed before anybody looked, where readiness is such a line', () => {
    const stage = openStage('^ready');
    stage.print('ready\n');
    stage.print('x\n'.repeat(100_000));
    stage.watch('^ready');
    expect(stage.seen).toEqual([]);
    stage.clock.advance(0);
    expect(stage.seen).toEqual([{ kind: 'matched', line: 'ready' }]);
    // The second one looks from now on.
    stage.watch('^ready');
    stage.clock.advance(0);
    expect(stage.seen).toHaveLength(1);
  });

  it('looks from now on for another pattern than the one of its readiness', () => {
    const stage = openStage('^ready');
    stage.print('serving\n');
    stage.watch('^serving');
    stage.print('ready\n');
    stage.clock.advance(0);
    expect(stage.seen).toEqual([]);
    stage.print('serving again\n');
    stage.clock.advance(0);
    expect(stage.seen).toEqual([{ kind: 'matched', line: 'serving again' }]);
  });

  it('that was ended tells nothing, even if the line is there already', () => {
    const stage = openStage();
    const first = stage.watch('ready');
    const second = stage.watch('ready');
    first();
    stage.print('ready\n');
    second();
    stage.clock.advance(0);
    expect(stage.seen).toEqual([]);
  });

  it('ends when its pattern takes too long', () => {
    const stage = openStage();
    stage.watch('(a+)+$');
    for (let count = 0; count < 3; count++) stage.print(`${'a'.repeat(64)}b\n`);
    stage.clock.advance(0);
    expect(stage.seen).toEqual([{ kind: 'unusable', why: '/(a+)+$/ takes too long to match' }]);
  });
});

describe('the last words', () => {
  it.each<[string, readonly string[]]>([
    ['', []],
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\n\ntwo\n', ['one', '', 'two']],
    ['one\r\ntwo', ['one', 'two']],
    ['\u001B[31mred\u001B[0m \u0007\n', ['red \\x07']],
    ['ü\n', ['ü']],
  ])('of %j are %j', (text, lines) => {
    const stage = openStage();
    stage.print(text);
    expect(stage.ear.lastLines()).toEqual(lines);
  });

  it('are at most 20 lines and 4 KiB, however it was printed', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 3_000 }), { maxLength: 8 }), (pieces) => {
      const stage = openStage();
      for (const piece of pieces) stage.print(piece);
      const all = pieces.join('').replace(/\n$/, '').split('\n');
      const lines = stage.ear.lastLines();
      expect(lines.length).toBeLessThanOrEqual(20);
      expect(lines.join('\n').length).toBeLessThanOrEqual(4_096);
      const [first = '', ...rest] = lines;
      expect(all.slice(all.length - rest.length)).toEqual(rest.length === 0 ? [] : rest);
      expect((all.at(-lines.length) ?? '').endsWith(first)).toBe(true);
      // All of it, where that is little enough.
      if (all.length <= 20 && pieces.join('').length <= 4_096 && all.join('') !== '') expect(lines).toEqual(all);
    }));
  });
});
