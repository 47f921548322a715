import { describe, expect, it } from 'vitest';
import { openPatterns } from '../../src/world/pattern.ts';

const patterns = openPatterns();

describe('a pattern', () => {
  it.each([
    ['ready', ['starting', 'it is ready now'], 1],
    ['^ready$', ['is ready', 'ready'], 1],
    ['^ok$', ['first line\nok\n'], 0],
    ['listening on (\\d+)', ['listening on 8000', 'listening on 9000'], 0],
    ['', ['anything'], 0],
  ])('%j finds the first text of %j that matches', (source, texts, index) => {
    expect(patterns(source).find(texts)).toEqual({ kind: 'found', index });
  });

  it.each([['ready', ['READY']], ['^ready', ['not ready']], ['x', []]])('%j finds none in %j', (source, texts) => {
    expect(patterns(source).find(texts)).toEqual({ kind: 'none' });
  });

  it.each([
    ['(a+)+$', `${'a'.repeat(64)}b`],
    ['(x+x+)+y', 'x'.repeat(60_000)],
    ['.*.*.*.*z', 'y'.repeat(60_000)],
  ])('%j, which would take for ever, is given up, and after the second time not tried any more', (source, text) => {
    const pattern = patterns(source);
    const why = `/${source}/ takes too long to match`;
    expect(pattern.find([text])).toEqual({ kind: 'unusable', why, lasting: false });
    expect(pattern.find([text])).toEqual({ kind: 'unusable', why, lasting: true });
    expect(pattern.find(['a'])).toEqual({ kind: 'unusable', why, lasting: true });
    expect(patterns('a').find(['a'])).toEqual({ kind: 'found', index: 0 });
  });

  it('that was too slow once gets another chance with the next text', () => {
    const pattern = patterns('(a+)+$');
    const slow = [`${'a'.repeat(64)}b`];
    for (let round = 0; round < 3; round++) {
      expect(pattern.find(slow)).toMatchObject({ kind: 'unusable', lasting: false });
      expect(pattern.find(['a'])).toEqual({ kind: 'found', index: 0 });
    }
  });

  it('that is no regular expression matches nothing, and says so', () => {
    expect(patterns('(').find(['('])).toEqual({ kind: 'unusable', why: '/(/ is no regular expression', lasting: true });
  });

  it('is shown cut and without control characters', () => {
    expect(patterns(`\u001B${'x'.repeat(200)}`).text).toBe(`/\\e${'x'.repeat(79)}…/`);
  });
});
