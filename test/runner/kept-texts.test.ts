import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Instance } from '../../src/core/state.ts';
import { openKeptTexts } from '../../src/runner/kept-texts.ts';
import { specOf } from '../fakes/declaration.ts';

it.each([
  ['a file that has grown beyond any vassal file', 64 * 2 ** 30],
  ['one that is a little too large', 2 ** 20 + 1],
])('%s is not read; the instance gets its own text', (_what, bytes) => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'shop.ini');
  const text = '[uwsgi]\n';
  writeFileSync(file, text);
  // Without a byte on the disk.
  truncateSync(file, bytes);
  const instance = { id: 'shop.1', serial: 1, runs: { number: 1, spec: specOf({ argv: ['uwsgi', '--ini', file], source: { file, text } }) } } as unknown as Instance;
  const { runs } = openKeptTexts(join(folder, 'texts'), (each) => each, () => ({ uid: 0, gid: 0 })).readable(instance);
  const copy = join(folder, 'texts', '1', 'shop.ini');
  expect(runs.spec.argv).toEqual(['uwsgi', '--ini', copy]);
  expect(readFileSync(copy, 'utf8')).toBe(text);
});
