import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { HandHints } from '../fakes/hints.ts';
import { HandClock } from '../fakes/clock.ts';
import { Stage, tempFolder, turns } from './stage.ts';

const kinds = (stage: Stage): readonly string[] => stage.looks.map(({ kind }) => kind);

describe('a folder of vassal files', () => {
  it('is shown in the order of the paths, under the name that the source gave it', async () => {
    using temp = tempFolder();
    temp.file('v/b.toml');
    temp.file('v/a.ini');
    symlinkSync('v', `${temp.path}/link`);
    await using stage = await Stage.of(`dir://${temp.path}/link`);

    expect(stage.monitor.source).toBe(`dir://${temp.path}/link`);
    expect(stage.files.map(({ id, name }) => [id, name])).toEqual([[`${temp.path}/link/a.ini`, 'a'], [`${temp.path}/link/b.toml`, 'b']]);
  });

  it.each(['with space', "quote's \"two\"", 'new\nline', 'grüße', '日本', '$(rm)', '-rf', 'a.b', 'x'.repeat(250)])('takes the name %j', async (name) => {
    using temp = tempFolder();
    await using stage = await Stage.of(temp.path);

    temp.file(`${name}.toml`, 'text');
    await stage.until(() => stage.names.length > 0);

    expect(stage.names).toEqual([name]);
    expect(stage.text(name)).toBe('text');
  });

  it('tells a file whose name is not valid UTF-8 as a fault, and when it is gone', async () => {
    using temp = tempFolder();
    temp.file('good.toml', 'good');
    await using stage = await Stage.of(temp.path);
    const bad = Buffer.concat([Buffer.from(`${temp.path}/caf`), Buffer.from([0xe9]), Buffer.from('.toml')]);

    writeFileSync(bad, 'x');
    await stage.until(() => stage.names.length === 2);
    expect(stage.names).toEqual(['good', 'caf\\xe9']);
    expect(stage.text('caf\\xe9')).toBe('E_NAME');

    rmSync(bad);
    await stage.until(() => stage.names.length === 1);
    expect(stage.text('good')).toBe('good');
  });

  it('has no vassal in a folder with the name of one, but a fault where a folder takes the place of a known file', async () => {
    using temp = tempFolder();
    temp.file('known.toml');
    mkdirSync(`${temp.path}/new.toml`);
    await using stage = await Stage.of(temp.path);
    expect(stage.names).toEqual(['known']);

    symlinkSync('new.toml', `${temp.path}/link`);
    renameSync(`${temp.path}/link`, `${temp.path}/known.toml`);
    await stage.until(() => stage.text('known') === 'E_FILE_KIND');

    rmSync(`${temp.path}/known.toml`);
    await stage.until(() => stage.names.length === 0);
  });

  it('keeps the objects of unchanged files over a look at everything', async () => {
    using temp = tempFolder();
    for (const name of ['a', 'b', 'c']) temp.file(`${name}.toml`);
    await using stage = await Stage.of(temp.path);
    const before = stage.files;

    temp.file('d.toml');
    await stage.settle();

    expect(stage.files.slice(0, 3).every((file, at) => file === before[at])).toBe(true);
  });

  it('tells 500 files that are dropped at once in few listings', async () => {
    using temp = tempFolder();
    await using stage = await Stage.of(temp.path);

    for (let index = 0; index < 500; index += 1) writeFileSync(`${temp.path}/v${index}.toml`, String(index));
    await stage.until(() => stage.files.length === 500);

    expect(stage.looks.length).toBeLessThan(10);
  });

  it('waits with its first listing for a file that is being written', async () => {
    using temp = tempFolder();
    temp.file('done.toml');
    const fd = openSync(`${temp.path}/busy.toml`, 'w');
    const opening = Stage.of(temp.path);
    await turns();
    writeSync(fd, 'all');
    closeSync(fd);
    await using stage = await opening;

    expect(stage.looks).toHaveLength(1);
    expect(stage.text('busy')).toBe('all');
  });

  it('tells a file that never holds still as a fault at first, since one that is left out would count as removed', async () => {
    using temp = tempFolder();
    const fd = openSync(`${temp.path}/busy.toml`, 'w');
    writeSync(fd, 'half');
    await using stage = await Stage.of(temp.path);
    expect(stage.text('busy')).toBe('E_FILE_UNREADABLE');

    writeSync(fd, ' and half');
    closeSync(fd);
    await stage.settle();

    expect(stage.looks).toHaveLength(2);
    expect(stage.text('busy')).toBe('half and half');
  });

  it('says once of a file that somebody keeps open for writing why it is not taken', async () => {
    using temp = tempFolder();
    await using stage = await Stage.of(temp.path);
    const fd = openSync(`${temp.path}/busy.toml`, 'w');
    writeSync(fd, 'half');
    await turns();
    stage.clock.advance(2_500);
    expect(stage.troubles).toEqual([]);
    await stage.until(() => stage.troubles.length > 0);
    stage.clock.advance(10_000);
    expect(stage.troubles).toEqual([`${temp.path}/busy.toml cannot be taken yet: another process has it open for writing; it is tried again and again`]);
    closeSync(fd);
    await stage.settle();
    expect(stage.text('busy')).toBe('half');
  });
});

describe('a folder that comes and goes', () => {
  it('is blind while it is missing, and shown as soon as it is there', async () => {
    using temp = tempFolder();
    await using stage = await Stage.of(`${temp.path}/a/b/c`);
    expect(stage.looks).toEqual([{ kind: 'blind', reason: `ENOENT: ${temp.path}/a/b/c (at ${temp.path}/a)` }]);

    await stage.shell('mkdir -p a/b/c; cp -p /etc/hostname a/b/c/shop.toml', temp.path);
    await stage.until(() => stage.names.length > 0);

    expect(kinds(stage).filter((kind) => kind === 'listing').length).toBeLessThan(3);
    expect(stage.names).toEqual(['shop']);
  });

  it('is blind and not empty when it is moved away, and shown anew when it is back', async () => {
    using temp = tempFolder();
    temp.file('v/shop.toml');
    await using stage = await Stage.of(`${temp.path}/v`);

    renameSync(`${temp.path}/v`, `${temp.path}/w`);
    await stage.until(() => stage.looks.at(-1)?.kind === 'blind');
    await stage.settle();
    renameSync(`${temp.path}/w`, `${temp.path}/v`);
    await stage.until(() => stage.looks.at(-1)?.kind === 'listing');
    await stage.settle();

    expect(kinds(stage)).toEqual(['listing', 'blind', 'listing']);
    const [first, , last] = stage.looks;
    expect(last).toEqual(first);
  });

  it('is watched anew after another folder has taken its place', async () => {
    using temp = tempFolder();
    temp.file('v/old.toml');
    temp.file('w/new.toml');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell('mv v x; mv w v', temp.path);
    await stage.until(() => stage.names.join() === 'new');
    temp.file('v/more.toml');
    await stage.until(() => stage.names.join() === 'more,new');
    temp.file('x/stray.toml');
    await stage.settle();

    expect(stage.names).toEqual(['more', 'new']);
  });

  it('is watched anew after it was deleted and made again', async () => {
    using temp = tempFolder();
    temp.file('v/old.toml');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell('rm -r v; mkdir v', temp.path);
    await stage.until(() => stage.names.length === 0);
    temp.file('v/new.toml');
    await stage.until(() => stage.names.join() === 'new');
    expect(stage.troubles).toEqual([]);
  });

  it.each([
    ['is no folder', 'touch v', /^ENOTDIR: .* is no folder$/],
    ['is a symlink in a circle', 'ln -s v v', /^ELOOP: /],
    ['is behind a file', 'touch file; ln -s file/v v', /^ENOTDIR: /],
  ])('is blind where it %s', async (_, script, reason) => {
    using temp = tempFolder();
    await promisify(execFile)('bash', ['-euc', script], { cwd: temp.path });
    await using stage = await Stage.of(`dir://${temp.path}/v`);
    expect(stage.looks).toEqual([{ kind: 'blind', reason: expect.stringMatching(reason) }]);
  });

  it.each(['ln -sfn releases/2 current', 'rm current; ln -s releases/2 current', 'ln -s releases/2 next; mv -T next current'])('is shown in one listing after %s', async (script) => {
    using temp = tempFolder();
    for (const file of ['1/v/a.toml', '1/v/b.toml', '2/v/b.toml', '2/v/c.toml']) temp.file(`releases/${file}`, file);
    symlinkSync('releases/1', `${temp.path}/current`);
    await using stage = await Stage.of(`${temp.path}/current/v`);

    await stage.shell(script, temp.path);
    await stage.until(() => stage.looks.length > 1);
    expect(stage.names).toEqual(['b', 'c']);
    expect(stage.text('b')).toBe('2/v/b.toml');
    await stage.settle();
    expect(stage.looks).toHaveLength(2);

    temp.file('releases/2/v/d.toml');
    await stage.until(() => stage.names.includes('d'));
  });
});

describe('a folder with symlinks', () => {
  it('follows a chain of them: each link and the file at its end count', async () => {
    using temp = tempFolder();
    temp.file('deep/one', 'one');
    temp.file('deep/two', 'two');
    temp.file('v/other.toml');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell('mkdir mid; ln -s ../deep/one mid/link; ln -s ../mid/link v/shop.toml', temp.path);
    await stage.until(() => stage.text('shop') === 'one');
    await stage.settle();
    await stage.shell('ln -sfn ../deep/two mid/link', temp.path);
    await stage.until(() => stage.text('shop') === 'two');
    await stage.settle();
    await stage.shell('printf three > deep/two', temp.path);
    await stage.until(() => stage.text('shop') === 'three');
    await stage.settle();
    expect(stage.looks).toHaveLength(4);

    await stage.shell('rm deep/two', temp.path);
    await stage.until(() => stage.text('shop') === 'E_FILE_LINK');
    await stage.shell('printf back > deep/two', temp.path);
    await stage.until(() => stage.text('shop') === 'back');
  });

  it('gives each link to one template its own name', async () => {
    using temp = tempFolder();
    temp.file('template', 'text');
    temp.file('v/first.toml');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell('for i in {1..20}; do ln -s ../template v/site$i.toml; done', temp.path);
    await stage.until(() => stage.names.length === 21);
    await stage.settle();
    const before = stage.files;
    await stage.shell('touch template', temp.path);
    await stage.until(() => stage.files.filter((file) => !before.includes(file)).length === 20);

    const told = new Set(stage.looks.flatMap((look) => (look.kind === 'listing' ? look.files : [])));
    expect(told.size).toBe(41);
  });
});

describe('without good hints', () => {
  it('a change is found by the look at everything', async () => {
    using temp = tempFolder();
    temp.file('gone.toml');
    await using stage = await Stage.of(temp.path, { hints: new HandHints(), rescanMs: 60_000 });

    temp.file('shop.toml');
    rmSync(`${temp.path}/gone.toml`);
    await turns();
    stage.clock.advance(59_000);
    await turns();
    expect(stage.names).toEqual(['gone']);
    await stage.until(() => stage.names.includes('shop'));
    expect(stage.names).toEqual(['shop']);
  });

  it('a file on a file system that tells nothing is shown when it has held still', async () => {
    using temp = tempFolder();
    await using stage = await Stage.of(temp.path, { hints: new HandHints(), leases: { writer: () => 'unknown' }, rescanMs: 1_000 });

    const fd = openSync(`${temp.path}/shop.toml`, 'w');
    writeSync(fd, 'half');
    stage.clock.advance(1_000);
    for (let step = 0; step < 30; step += 1) {
      await turns();
      stage.clock.advance(1);
      if (step === 20) writeSync(fd, ' and half');
    }
    await turns();
    expect(stage.names).toEqual([]);
    closeSync(fd);
    await stage.until(() => stage.names.length > 0);
    expect(stage.text('shop')).toBe('half and half');
  });

  it('a hint without a name makes it look at everything', async () => {
    using temp = tempFolder();
    const hints = new HandHints();
    await using stage = await Stage.of(temp.path, { hints });

    temp.file('shop.toml');
    hints.tell(temp.path, { kind: 'entry', name: null });
    await stage.until(() => stage.names.length > 0);
    expect(stage.names).toEqual(['shop']);
  });

  it('a file that is gone with its folder is not told as removed: the source is blind', async () => {
    using temp = tempFolder();
    temp.file('v/shop.toml');
    const hints = new HandHints();
    await using stage = await Stage.of(`${temp.path}/v`, { hints });

    renameSync(`${temp.path}/v`, `${temp.path}/w`);
    hints.tell(`${temp.path}/v`, { kind: 'entry', name: 'shop.toml' });
    await stage.until(() => stage.looks.length > 1);
    await stage.settle();

    expect(kinds(stage)).toEqual(['listing', 'blind']);
  });

  it('a folder that cannot be watched is looked at every few seconds', async () => {
    using temp = tempFolder();
    const hints = new HandHints();
    hints.watchable = false;
    await using stage = await Stage.of(temp.path, { hints });

    temp.file('shop.toml');
    await turns();
    stage.clock.advance(5_000);
    await stage.until(() => stage.names.length > 0);

    hints.watchable = true;
    stage.clock.advance(5_000);
    await stage.until(() => stage.clock.waiting === 0);
  });
});

describe('its end', () => {
  it('leaves nothing armed and nothing watched', async () => {
    using temp = tempFolder();
    temp.file('v/shop.toml');
    const hints = new HandHints();
    const clock = new HandClock();
    const stage = await Stage.of(`${temp.path}/v`, { hints, clock, rescanMs: 60_000 });
    expect([hints.folders, clock.waiting]).toEqual([[`${temp.path}/v`], 1]);

    const fd = openSync(`${temp.path}/v/busy.toml`, 'w');
    hints.tell(`${temp.path}/v`, { kind: 'entry', name: 'busy.toml' });
    await turns();
    await stage.monitor[Symbol.asyncDispose]();
    closeSync(fd);

    expect([hints.folders, clock.waiting]).toEqual([[], 0]);
  });

  it('lets the process exit', async () => {
    using temp = tempFolder();
    mkdirSync(`${temp.path}/v`);
    const program = `
      const at = (path) => import(${JSON.stringify(new URL('../../src/', import.meta.url).href)} + path);
      const [{ openChokidarHints }, { openMonitor }, { openLeases }, { openLibc }, { systemClock }, { writeFileSync }] = await Promise.all(
        [at('monitors/chokidar-hints.ts'), at('monitors/registry.ts'), at('kernel/lease.ts'), at('kernel/libc.ts'), at('world/clock.ts'), import('node:fs')]);
      const clock = systemClock();
      const hints = openChokidarHints(clock, console.log);
      const monitor = openMonitor(process.argv[1], '/', { clock, hints, leases: openLeases(openLibc()), trust: null, rescanMs: 60000, onTrouble() {} });
      const seen = Promise.withResolvers();
      await monitor.start((look) => look.files.length > 0 && seen.resolve());
      writeFileSync(process.argv[1] + '/shop.toml', 'x');
      await seen.promise;
      await monitor[Symbol.asyncDispose]();
      await hints[Symbol.asyncDispose]();
      console.log('ended');`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, `${temp.path}/v`]);
    expect([stdout, stderr]).toEqual(['ended\n', '']);
  });
});
