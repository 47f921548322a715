import { expect, it } from 'vitest';
import { parseDuration } from '../../src/core/duration.ts';

it.each([
  ['500ms', 500], ['30s', 30_000], ['1.5m', 90_000], ['2h', 7_200_000], ['0s', 0], ['0', 0],
  ['', null], ['30', null], ['s', null], ['-1s', null], ['1 s', null], ['1d', null], ['1e3s', null], ['٣s', null],
] as const)('the duration %j is %j ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
