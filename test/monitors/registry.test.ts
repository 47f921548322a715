import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { select } from '../../src/monitors/registry.ts';
import { Stage, tempFolder } from './stage.ts';

describe('a source as the operator writes it', () => {
  it.each([
    ['dir:///etc/v', 'dir:///etc/v'],
    ['DIR:///etc/v/', 'dir:///etc/v'],
    ['dir://v', 'dir://BASE/v'],
    ['dir:///a/*', 'dir:///a/*'],
    ['glob:///a/*.toml', 'glob:///a/*.toml'],
    ['glob://a/../*.toml', 'glob://BASE/*.toml'],
    ['folder', 'dir://BASE/folder'],
    ['./folder/', 'dir://BASE/folder'],
    ['link', 'dir://BASE/link'],
    ['folder/*.toml', 'glob://BASE/folder/*.toml'],
    ['folder/a.toml', 'glob://BASE/folder/a.toml'],
    ['folder[1]', 'dir://BASE/folder[1]'],
    ['missing', 'dir://BASE/missing'],
    ['missing.toml', 'glob://BASE/missing.toml'],
    ['.', 'dir://BASE'],
    ['/', 'dir:///'],
  ])('%s is %s', (source, name) => {
    using temp = tempFolder();
    temp.file('folder/a.toml');
    temp.file('folder[1]/a.toml');
    symlinkSync('folder', `${temp.path}/link`);
    expect(select(source, temp.path).source).toBe(name.replace('BASE', temp.path));
  });

  it.each([
    ['etcd://host/v', 'the source "etcd://host/v" has an unknown scheme "etcd"; there are dir://, glob://, and plain paths'],
    ['dir://', 'the source "dir://" names no path'],
    ['', 'the source "" names no path'],
  ])('%j is refused', (source, message) => {
    expect(() => select(source, '/')).toThrow(expect.objectContaining({ code: 'E_SETTINGS', message }));
  });

  it('that is one file shows that file alone, whatever characters are in its name', async () => {
    using temp = tempFolder();
    const file = temp.file('a[1]*.toml', 'it');
    temp.file('a1x.toml', 'another');
    await using stage = await Stage.of(file);
    expect(stage.files.map(({ id }) => id)).toEqual([file]);

    temp.file('a1y.toml');
    await stage.shell('printf new > "a[1]*.toml"', temp.path);
    await stage.until(() => stage.text('a[1]*') === 'new');
    await stage.shell('rm "a[1]*.toml"', temp.path);
    await stage.until(() => stage.names.length === 0);
    expect(stage.looks.every(({ kind }) => kind === 'listing')).toBe(true);
  });
});
