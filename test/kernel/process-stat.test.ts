import { expect, it } from 'vitest';
import { parseProcessStat, readProcessStat } from '../../src/kernel/process-stat.ts';

it.each([
  ['1 (sh) S 7 1 8 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9', { state: 'S', parent: 7, session: 8, startTicks: 777 }],
  ['1 (a) b) (c) R 7 1 8 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 778 9 9', { state: 'R', parent: 7, session: 8, startTicks: 778 }],
  ['1 (sh) S 0', null],
  ['', null],
])('understands %j', (line, stat) => {
  expect(parseProcessStat(line)).toEqual(stat);
});

it('finds this process and its parent', () => {
  expect(readProcessStat(process.pid)).toMatchObject({ parent: process.ppid });
});

it('knows of no process with a number that none can have', () => {
  expect(readProcessStat(0)).toBeNull();
});
