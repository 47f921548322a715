import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fit, parseGlob } from '../../src/monitors/glob-pattern.ts';
import { selectGlob } from '../../src/monitors/glob.ts';
import { Stage, tempFolder, type TempFolder } from './stage.ts';

describe('a pattern', () => {
  it.each([
    ['/v/*.toml', '/v/a.toml', 'whole'],
    ['/v/*.toml', '/v/.a.toml', 'none'],
    ['/v/*.toml', '/v', 'part'],
    ['/v/*.toml', '/w', 'none'],
    ['/v/*.toml', '/v/a/b.toml', 'none'],
    ['/v/*/x.toml', '/v/anything', 'part'],
    ['/v/**/x.toml', '/v/x.toml', 'whole'],
    ['/v/**/x.toml', '/v/a/b/x.toml', 'whole'],
    ['/v/**/x.toml', '/v/a/b', 'part'],
    ['/v/**/x.toml', '/v/.git/x.toml', 'none'],
    ['/v/**', '/v/a/b.toml', 'whole'],
    ['/v/[ab]?.toml', '/v/a1.toml', 'whole'],
    ['/v/[!a]*.toml', '/v/a1.toml', 'none'],
    ['/v/{a,b/c}/*.{ini,toml}', '/v/b/c/x.ini', 'whole'],
    ['/v/{a,b/c}/*.{ini,toml}', '/v/b', 'part'],
    ['/v/{a}.toml', '/v/{a}.toml', 'whole'],
    ['/v/a b\'s.toml', '/v/a b\'s.toml', 'whole'],
  ])('%s and %s: %s', (pattern, path, expected) => {
    const names = path.split('/').slice(1);
    const fits = parseGlob(pattern).map((segments) => fit(names, segments));
    expect(fits.includes('whole') ? 'whole' : fits.includes('part') ? 'part' : 'none').toBe(expected);
  });
});

describe('the files of a pattern', () => {
  function filesOf(temp: TempFolder, pattern: string): readonly string[] | string {
    const { blind, files } = selectGlob(pattern, parseGlob(`${temp.path}/${pattern}`)).survey();
    return blind === null ? files.map((file) => relative(temp.path, file)).toSorted() : blind.replace(temp.path, '');
  }

  it.each([
    ['*/v.toml', ['a/v.toml', 'b/v.toml', 'link/v.toml']],
    ['a/*', ['a/v.toml', 'a/w.ini']],
    ['**/*.toml', ['a/deep/er/z.toml', 'a/v.toml', 'b/v.toml']],
    ['a/**', ['a/deep/er/z.toml', 'a/v.toml', 'a/w.ini']],
    ['{a,b}/v.toml', ['a/v.toml', 'b/v.toml']],
    ['{a,missing}/*.toml', ['a/v.toml']],
    ['[ab]/*.{ini,toml}', ['a/v.toml', 'a/w.ini', 'b/v.toml']],
    ['a/v.toml', ['a/v.toml']],
    ['a/none*.toml', []],
    ['a/*.txt', []],
    ['missing/*.toml', 'ENOENT: /missing'],
    ['a/v.toml/*', 'ENOTDIR: /a/v.toml is no folder'],
  ])('%s', (pattern, expected) => {
    using temp = tempFolder();
    for (const file of ['a/v.toml', 'a/w.ini', 'a/notes.txt', 'a/deep/er/z.toml', 'b/v.toml', '.hidden/v.toml', 'v.txt']) temp.file(file);
    symlinkSync('a', `${temp.path}/link`);
    expect(filesOf(temp, pattern)).toEqual(expected);
  });

  it('come and go with the folders on the way', async () => {
    using temp = tempFolder();
    temp.file('sites/a/v.toml', 'a');
    await using stage = await Stage.of(`glob://${temp.path}/sites/*/v.toml`);
    const texts = (): string => stage.files.map(({ content }) => (content.ok ? content.text : '')).join();
    expect(texts()).toBe('a');

    temp.file('sites/b/v.toml', 'b');
    await stage.until(() => texts() === 'a,b');
    temp.file('elsewhere/v.toml', 'c');
    renameSync(`${temp.path}/elsewhere`, `${temp.path}/sites/c`);
    await stage.until(() => texts() === 'a,b,c');
    rmSync(`${temp.path}/sites/a`, { recursive: true });
    await stage.until(() => texts() === 'b,c');
    await stage.shell('printf changed > sites/b/v.toml', temp.path);
    await stage.until(() => texts() === 'changed,c');
    renameSync(`${temp.path}/sites`, `${temp.path}/away`);
    await stage.until(() => stage.looks.at(-1)?.kind === 'blind');
    expect(texts()).toBe('changed,c');
  });

  it('are found at any depth, also when folders appear', async () => {
    using temp = tempFolder();
    mkdirSync(`${temp.path}/v`);
    await using stage = await Stage.of(`glob://${temp.path}/v/**/*.toml`);

    await stage.shell('mkdir -p v/a/b/c; cp -p /etc/hostname v/a/b/c/deep.toml', temp.path);
    await stage.until(() => stage.names.join() === 'deep');
    temp.file('v/top.toml');
    await stage.until(() => stage.names.length === 2);
    expect(stage.names).toEqual(['deep', 'top']);
  });
});
