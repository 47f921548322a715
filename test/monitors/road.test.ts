import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { follow } from '../../src/monitors/road.ts';
import { tempFolder } from './stage.ts';

describe('the road of a path', () => {
  it.each([
    ['real/v', [], 'folder real/v'],
    ['real/v/a.toml', ['real/v a.toml'], 'file real/v/a.toml'],
    ['link/v', ['. link'], 'folder real/v'],
    ['chain/v', ['. chain', '. link'], 'folder real/v'],
    ['absolute', ['. absolute'], 'folder real/v'],
    ['up/real/v', ['real up'], 'folder real/v'],
    ['missing/x/y', ['. missing'], 'nowhere ENOENT missing'],
    ['real/v/x', ['real/v x'], 'nowhere ENOENT real/v/x'],
    ['link/x', ['. link', 'real x'], 'nowhere ENOENT real/x'],
    ['real/v/a.toml/x', ['real/v a.toml'], 'nowhere ENOTDIR real/v/a.toml'],
    ['dangling', ['. dangling', '. nothing'], 'nowhere ENOENT nothing'],
  ])('%s passes %j and ends at %s', (path, signposts, end) => {
    using temp = tempFolder();
    temp.file('real/v/a.toml');
    symlinkSync('real', `${temp.path}/link`);
    symlinkSync('./link/', `${temp.path}/chain`);
    symlinkSync(`${temp.path}/real/v`, `${temp.path}/absolute`);
    symlinkSync('..', `${temp.path}/real/up`);
    symlinkSync('nothing', `${temp.path}/dangling`);
    const start = path.startsWith('up/') ? `${temp.path}/real/${path}` : `${temp.path}/${path}`;

    const short = (each: string): string => (each === temp.path ? '.' : each.replace(`${temp.path}/`, ''));
    const road = follow(start);
    const found = road.end.kind === 'nowhere' ? `nowhere ${road.end.errno} ${short(road.end.at)}` : `${road.end.kind} ${short(road.end.realPath)}`;
    expect([road.signposts.map((post) => `${short(post.folder)} ${post.name}`), found]).toEqual([signposts, end]);
  });

  it('gives up in a circle', () => {
    using temp = tempFolder();
    symlinkSync('b', `${temp.path}/a`);
    symlinkSync('a', `${temp.path}/b`);
    const { end, signposts } = follow(`${temp.path}/a`);
    expect(end).toMatchObject({ kind: 'nowhere', errno: 'ELOOP' });
    expect(new Set(signposts.map(({ name }) => name))).toEqual(new Set(['a', 'b']));
  });

  it('stays at the root above the root', () => {
    mkdirSync('/tmp', { recursive: true });
    expect(follow('/../..').end).toEqual({ kind: 'folder', realPath: '/' });
  });
});
