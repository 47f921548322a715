import { expect, it } from 'vitest';
import { PIECE_BYTES } from '../../src/kernel/splice.ts';
import { LineWatch } from '../../src/logs/line-watch.ts';
import type { Found, Pattern } from '../../src/world/pattern.ts';

/** A pattern that takes too long so many times, and then finds the first line. */
function slow(times: number): Pattern {
  let left = times;
  const find = (): Found => {
    left -= 1;
    return left >= 0 ? { kind: 'unusable', why: 'too slow', lasting: times > 1 && left === 0 } : { kind: 'found', index: 0 };
  };
  return { text: '/^serves/', find };
}

it('looks at a line again that a busy host had no time for: it will not come again', () => {
  expect(new LineWatch(slow(1)).push(Buffer.from('serves\n'))).toEqual({ kind: 'matched', line: 'serves' });
});

it('gives up a pattern that takes too long twice', () => {
  expect(new LineWatch(slow(2)).push(Buffer.from('serves\n'))).toEqual({ kind: 'unusable', why: 'too slow' });
});

it('takes as many lines at once as the largest piece of output can hold', () => {
  const pattern: Pattern = { text: '/^serves/', find: (lines) => (lines.length > PIECE_BYTES / 2 ? { kind: 'found', index: lines.length - 1 } : { kind: 'none' }) };
  expect(new LineWatch(pattern).push(Buffer.alloc(PIECE_BYTES, '\n'))).toMatchObject({ kind: 'matched' });
});
