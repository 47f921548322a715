import { mkdirSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openChokidarHints } from '../../src/monitors/chokidar-hints.ts';
import type { Hint } from '../../src/monitors/hints.ts';
import { systemClock } from '../../src/world/clock.ts';
import { tempFolder } from './stage.ts';

/** What is told of a folder, and a promise for the next hint. */
function listener(): { readonly heard: string[]; readonly onHint: (hint: Hint) => void; readonly until: (name: string | null) => Promise<void> } {
  const heard: string[] = [];
  let check = (): void => undefined;
  return {
    heard,
    onHint: ({ kind, name }) => {
      heard.push(`${kind} ${name}`);
      check();
    },
    until: (name) => new Promise((resolve) => {
      check = () => {
        if (heard.some((each) => each.endsWith(` ${name}`))) resolve();
      };
      check();
    }),
  };
}

describe('hints', () => {
  it('name what happened in the folder', async () => {
    using temp = tempFolder();
    await using hints = openChokidarHints(systemClock(), () => undefined);
    const { heard, onHint, until } = listener();
    using watch = hints.watch(temp.path, onHint);
    expect(await watch.renew()).toBe('fresh');
    expect(await watch.renew()).toBe('same');

    temp.file('.a');
    renameSync(`${temp.path}/.a`, `${temp.path}/b~`);
    rmSync(`${temp.path}/b~`);
    temp.file('end');
    await until('end');
    expect(heard).toEqual(expect.arrayContaining(['entry .a', 'content .a', 'entry b~']));
  });

  it('go to all who watch the folder, as long as they do', async () => {
    using temp = tempFolder();
    await using hints = openChokidarHints(systemClock(), () => undefined);
    const [one, two] = [listener(), listener()];
    const first = hints.watch(temp.path, one.onHint);
    using second = hints.watch(temp.path, two.onHint);
    expect(await Promise.all([first.renew(), second.renew()])).toEqual(['fresh', 'fresh']);

    temp.file('a');
    await Promise.all([one.until('a'), two.until('a')]);
    first[Symbol.dispose]();
    temp.file('b');
    await two.until('b');
    expect(one.heard.filter((each) => each.endsWith(' b'))).toEqual([]);
  });

  it('tell that the folder itself is another one, which is then watched', async () => {
    using temp = tempFolder();
    const folder = `${temp.path}/v`;
    mkdirSync(folder);
    await using hints = openChokidarHints(systemClock(), () => undefined);
    const { heard, onHint, until } = listener();
    using watch = hints.watch(folder, onHint);
    await watch.renew();

    renameSync(folder, `${temp.path}/w`);
    await until(null);
    expect(await watch.renew()).toBe('none');
    mkdirSync(folder);
    expect(await watch.renew()).toBe('fresh');
    temp.file('v/a');
    await until('a');

    heard.length = 0;
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await until(null);
    expect(await watch.renew()).toBe('fresh');
    temp.file('v/b');
    await until('b');
  });

  it('tell to look everywhere when so much happened at once that the kernel may have dropped some of it', async () => {
    using temp = tempFolder();
    const files = [temp.file('a'), temp.file('b')];
    await using hints = openChokidarHints(systemClock(), () => undefined);
    const { onHint, until } = listener();
    using watch = hints.watch(temp.path, onHint);
    await watch.renew();

    const queue = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
    // In turns, since the kernel merges an event with the same one before it.
    for (let event = 0; event < queue; event += 1) utimesSync(files[event % 2] ?? '', event, event);
    await until(null);
  });

  it('cannot be had for a path that chokidar would misread, which is told once', async () => {
    using temp = tempFolder();
    const troubles: string[] = [];
    await using hints = openChokidarHints(systemClock(), (message) => troubles.push(message));
    const folder = `${temp.path}/a\\b`;
    mkdirSync(folder);
    using watch = hints.watch(folder, () => undefined);
    expect([await watch.renew(), await watch.renew()]).toEqual(['none', 'none']);
    expect(troubles).toEqual([`cannot watch ${folder}: its path has a backslash; it is looked at every few seconds instead`]);
  });
});
