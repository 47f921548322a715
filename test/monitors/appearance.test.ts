import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { watchAppearance } from '../../src/monitors/appearance.ts';
import { openChokidarHints } from '../../src/monitors/chokidar-hints.ts';
import { systemClock } from '../../src/world/clock.ts';
import { HandHints } from '../fakes/hints.ts';
import { tempFolder, turns } from './stage.ts';

const hints = openChokidarHints(systemClock(), () => undefined);
afterAll(() => hints[Symbol.asyncDispose]());

describe('what a vassal lacks', () => {
  it.each<[string, readonly string[], (path: string) => void]>([
    ['a missing program', ['bin/program'], (path) => writeFileSync(`${path}/bin/program`, '')],
    ['a missing program with missing folders above it', ['a/b/c/program'], (path) => { mkdirSync(`${path}/a/b/c`, { recursive: true }); writeFileSync(`${path}/a/b/c/program`, ''); }],
    ['one of several', ['x/program', 'y/program', 'bin/program'], (path) => writeFileSync(`${path}/bin/program`, '')],
    ['a missing folder', ['a'], (path) => mkdirSync(`${path}/a`)],
    ['a program without its x bit', ['bin/there'], (path) => chmodSync(`${path}/bin/there`, 0o755)],
    ['a folder that may not be entered', ['bin'], (path) => chmodSync(`${path}/bin`, 0o711)],
    ['a file with other content', ['bin/there'], (path) => writeFileSync(`${path}/bin/there`, 'more')],
  ])('%s is told once when it is there', async (_, missing, make) => {
    using temp = tempFolder();
    temp.file('bin/there');
    let told = 0;
    await new Promise<void>((resolve) => {
      watchAppearance(missing.map((each) => `${temp.path}/${each}`), hints, () => {
        told += 1;
        resolve();
      });
      make(temp.path);
    });
    for (const each of missing) if (existsSync(`${temp.path}/${each}`)) chmodSync(`${temp.path}/${each}`, 0o700);
    await turns();
    expect(told).toBe(1);
  });

  it('is not told for anything else in the folder, nor after the end', async () => {
    using temp = tempFolder();
    const hand = new HandHints();
    let told = 0;
    const end = watchAppearance([`${temp.path}/program`], hand, () => {
      told += 1;
    });
    await turns();
    expect(hand.folders).toEqual([temp.path]);
    temp.file('other');
    hand.tell(temp.path, { kind: 'entry', name: 'other' });
    hand.tell(temp.path, { kind: 'entry', name: null });
    end();
    temp.file('program');
    hand.tell(temp.path, { kind: 'entry', name: 'program' });
    await turns();
    expect([told, hand.folders]).toEqual([0, []]);
  });
});
