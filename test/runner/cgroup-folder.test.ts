import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mayEnableIn, ownCgroup, prepareCgroup } from '../../src/runner/cgroup-folder.ts';
import { OWN_TREE, openTree } from './cgroup-tree.ts';

const UNIFIED = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';

describe('the own cgroup', () => {
  it.each([
    ['of a service', '0::/system.slice/emperor.service\n', UNIFIED, '/sys/fs/cgroup/system.slice/emperor.service'],
    ['of a container', '0::/\n', UNIFIED, '/sys/fs/cgroup'],
    ['where there are both versions', '9:name=systemd:/x\n4:memory:/y\n0::/a b\n', HYBRID, '/sys/fs/cgroup/unified/a b'],
    ['where only a part is mounted', '0::/docker/1/emperor\n', '30 23 0:26 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw', '/sys/fs/cgroup/emperor'],
    ['where its name is longer than that of another one', '0::/docker/12\n', '30 23 0:26 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw', null],
    ['where the mount has a blank', '0::/a\n', '30 23 0:26 / /my\\040cgroups rw - cgroup2 cgroup2 rw', '/my cgroups/a'],
    ['outside of what can be seen', '0::/../other\n', UNIFIED, null],
    ['where there is version 1 only', '4:memory:/y\n', '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu', null],
    ['where nothing is mounted', '0::/\n', '', null],
  ])('%s', (_what, cgroups, mounts, expected) => {
    expect(ownCgroup(cgroups, mounts)).toBe(expected);
  });
});

describe('the cgroup for instances', () => {
  function prepare(wanted: string, isDelegated = false): { readonly found: ReturnType<typeof prepareCgroup>; readonly troubles: readonly string[] } {
    const troubles: string[] = [];
    return { found: prepareCgroup({ wanted, state: '/state', isDelegated: () => isDelegated, onTrouble: (message) => troubles.push(message) }), troubles };
  }

  it('is none where none is wanted', () => {
    expect(prepare('none', true)).toEqual({ found: null, troubles: [] });
  });

  it('is none, loudly, in a folder that is no cgroup', () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-cgroup-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { found, troubles } = prepare(folder);
    expect(found).toBeNull();
    expect(troubles).toEqual([`cannot use the cgroup ${folder}: it is no cgroup v2, or this kernel is older than 5.14 and has no cgroup.kill; instances are kept together by their process groups alone`]);
  });

  it('is none, loudly, where none can be made', () => {
    const { found, troubles } = prepare('/proc/cgroup');
    expect(found).toBeNull();
    expect(troubles).toEqual([expect.stringMatching(/^cannot use the cgroup \/proc\/cgroup: ENOENT/)]);
  });

  it('enables the controllers that there are, and says which its leaves have', () => {
    const base = mkdtempSync(join(tmpdir(), 'emperor-cgroup-'));
    onTestFinished(() => rmSync(base, { recursive: true }));
    // A stand-in of plain files: what is written stays as it was written, where the kernel would add it up.
    const fill = (folder: string, enabled: string): void => {
      writeFileSync(join(folder, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
      writeFileSync(join(folder, 'cgroup.subtree_control'), enabled);
      writeFileSync(join(folder, 'cgroup.kill'), '');
    };
    fill(base, 'cpu memory\n');
    expect(prepare(base)).toMatchObject({ found: null, troubles: [expect.stringContaining('it is no cgroup v2')] });
    const [name = ''] = readdirSync(base).filter((each) => each.startsWith('emperor-'));
    fill(join(base, name), 'cpu memory\n');
    const { found, troubles } = prepare(base);
    expect(troubles).toEqual([]);
    expect(readFileSync(join(base, 'cgroup.subtree_control'), 'utf8')).toBe('+pids');
    expect(found).toEqual({ folder: join(base, name), controllers: new Set() });
    fill(join(base, name), 'cpu memory pids\n');
    expect(prepare(base).found?.controllers).toEqual(new Set(['cpu', 'memory', 'pids']));
  });

  it.each([
    ['of a service', '/system.slice/emperor.service', false],
    ['of a service that was started in a leaf', '/system.slice/emperor.service/emperor-main', true],
    ['of a session', '/user.slice/session-1.scope', true],
  ])('gets controllers, if the cgroup %s is not the one that the next emperor is started in', (_whose, own, expected) => {
    expect(mayEnableIn(base(own), own)).toBe(expected);
  });

  /** The cgroup that was delegated. */
  function base(own: string): string {
    return own.replace(/\/emperor-main$/, '');
  }

  it.runIf(OWN_TREE !== null)('is one for each state folder, and the same one again for the next emperor', async () => {
    await using tree = openTree();
    const { found, troubles } = prepare(tree.folder);
    expect(troubles).toEqual([]);
    expect(found?.folder).toMatch(/\/emperor-[0-9a-f]{8}$/);
    expect(prepare(tree.folder).found).toEqual(found);
    mkdirSync(join(found!.folder, '7'));
    expect(tree.leaves()).toEqual(['7']);
  });
});
