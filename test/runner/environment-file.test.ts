import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { fifoMaker } from '../../src/kernel/fifo.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { parseEnvironmentFile, readEnvironmentFile } from '../../src/runner/environment-file.ts';

it.each([
  ['', {}],
  ['A=1', { A: '1' }],
  ['A=1\nB=2\n', { A: '1', B: '2' }],
  ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['# A=1\n; B=2\n\n  C=3  ', { C: '3' }],
  ['A=', { A: '' }],
  ['A=b=c', { A: 'b=c' }],
  ['A = spaced out ', { A: 'spaced out' }],
  ['A=" kept "', { A: ' kept ' }],
  [`A='it is "so" \\n'`, { A: 'it is "so" \\n' }],
  ['A="a \\" b \\\\ c \\$ \\n"', { A: 'a " b \\ c $ \\n' }],
  ['A=a\\ b', { A: 'a b' }],
  ['A="x"y', { A: 'xy' }],
  ['A=one \\\ntwo', { A: 'one two' }],
  ['A=$HOME #no comment', { A: '$HOME #no comment' }],
  ['A=1\nA=2', { A: '2' }],
  ['A=ends in two\\\\\nB=1', { A: 'ends in two\\', B: '1' }],
])('understands %j', (text, environment) => {
  expect(parseEnvironmentFile(text)).toEqual({ environment, mistakes: [] });
});

it.each([
  ['nonsense', 1, 'expected NAME=value'],
  ['A=1\n\nexport B=2', 3, 'what stands before the = is no name of a variable'],
  ['=x', 1, 'what stands before the = is no name of a variable'],
  ['1A=x', 1, 'what stands before the = is no name of a variable'],
  ['A=1 \\\n2\nB', 3, 'expected NAME=value'],
  ['A="open', 1, 'the quotes of A are not closed'],
  ['A=\0', 1, 'the value of A holds a NUL byte'],
])('finds the mistake in %j at line %i', (text, line, message) => {
  expect(parseEnvironmentFile(text).mistakes).toEqual([{ line, message }]);
});

it('reads regular files only, and says why it cannot', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-env-'));
  fifoMaker(openLibc())(join(folder, 'fifo'), 0o600);
  writeFileSync(join(folder, 'large'), `A=${'x'.repeat(2 ** 20)}`);
  writeFileSync(join(folder, 'good'), 'A=1');
  expect(readEnvironmentFile(join(folder, 'none'))).toEqual({ unreadable: 'ENOENT' });
  expect(readEnvironmentFile(folder)).toEqual({ unreadable: 'it is no regular file' });
  expect(readEnvironmentFile(join(folder, 'fifo'))).toEqual({ unreadable: 'it is no regular file' });
  expect(readEnvironmentFile(join(folder, 'large'))).toEqual({ unreadable: 'it is larger than 1 MiB' });
  expect(readEnvironmentFile(join(folder, 'good'))).toEqual({ environment: { A: '1' }, mistakes: [] });
  rmSync(folder, { recursive: true });
});
