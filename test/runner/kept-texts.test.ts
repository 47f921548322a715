import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Instance } from '../../src/core/state.ts';
import { openKeptTexts } from '../../src/runner/kept-texts.ts';
import { specOf } from '../fakes/declaration.ts';

it('a file that has grown beyond any vassal file is not read; the instance gets its own text', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'shop.ini');
  const text = '[uwsgi]\n';
  writeFileSync(file, text);
  // Without a byte on the disk.
  truncateSync(file, 400 * 2 ** 20);
  const instance = { id: 'shop.1', serial: 1, runs: { number: 1, spec: specOf({ argv: ['uwsgi', '--ini', file], source: { file, text } }) } } as unknown as Instance;
  const beforeKiB = process.resourceUsage().maxRSS;
  const { runs } = openKeptTexts(join(folder, 'texts'), (each) => each, () => ({ uid: 0, gid: 0 })).readable(instance);
  expect(process.resourceUsage().maxRSS - beforeKiB).toBeLessThan(100 * 1024);
  const copy = join(folder, 'texts', '1', 'shop.ini');
  expect(runs.spec.argv).toEqual(['uwsgi', '--ini', copy]);
  expect(readFileSync(copy, 'utf8')).toBe(text);
});
