import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Owned } from '../../src/core/spec.ts';
import { OUTSIDE } from '../../src/runner/cage.ts';
import { handedLater, launchPlan } from '../../src/runner/launch-plan.ts';
import { lostOwner, trespasses } from '../../src/runner/owned.ts';
import { specOf } from '../fakes/declaration.ts';

const asRoot = process.getuid?.() === 0;
const GAMES = { uid: 5, gid: 60 };
const NEWS = { uid: 9, gid: 13 };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'owned-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function owned(changes: Partial<Owned> = {}): Owned {
  return { file: '/v/shop.toml', owner: GAMES, nofollow: false, writes: [], ...changes };
}

describe.runIf(asRoot)('at a launch the owner is looked at again', () => {
  it('and a file that has changed hands since it was read is not run as the former owner', () => {
    const file = join(folder(), 'shop.toml');
    writeFileSync(file, '');
    chownSync(file, GAMES.uid, GAMES.gid);
    expect(lostOwner(owned({ file }))).toBeNull();
    chownSync(file, NEWS.uid, NEWS.gid);
    expect(lostOwner(owned({ file }))).toBe(`${file} belongs to uid 9, gid 13 by now`);
    chownSync(file, GAMES.uid, NEWS.gid);
    expect(lostOwner(owned({ file }))).toBe(`${file} belongs to uid 5, gid 13 by now`);
    rmSync(file);
    expect(lostOwner(owned({ file }))).toBe(`whose ${file} is cannot be told: ENOENT`);
  });

  it.each([[false, 'target'], [true, 'link']])('nofollow %s: that of the %s counts', (nofollow, whose) => {
    const [target, link] = [join(folder(), 'target'), join(folder(), 'link')];
    writeFileSync(target, '');
    symlinkSync(target, link);
    if (whose === 'target') chownSync(target, GAMES.uid, GAMES.gid);
    else lchownSync(link, GAMES.uid, GAMES.gid);
    expect(lostOwner(owned({ file: link, nofollow }))).toBeNull();
    expect(lostOwner(owned({ file: link, nofollow: !nofollow }))).toContain('by now');
  });
});

describe.runIf(asRoot)('what an owner wants written', () => {
  it.each([
    ['in a folder of theirs', 'mine/log', true],
    ['in a folder that is yet to be made there', 'mine/a/b/log', true],
    ['where everybody keeps what is theirs', 'sticky/log', true],
    ['where that name is somebody else\'s already', 'sticky/others', false],
    ['in a folder of somebody else', 'others/log', false],
    ['in a folder that everybody can write', 'open/log', false],
    ['through a symlink of theirs to somebody else', 'mine/link/log', false],
  ])('%s: %s', (_what, name, good) => {
    const base = folder();
    const at = (each: string): string => join(base, each);
    for (const [each, uid, mode] of [['mine', GAMES.uid, 0o755], ['others', NEWS.uid, 0o755], ['sticky', 0, 0o1777], ['open', 0, 0o777]] as const) {
      mkdirSync(at(each));
      chownSync(at(each), uid, 0);
      chmodSync(at(each), mode);
    }
    writeFileSync(at('sticky/others'), '');
    symlinkSync(at('others'), at('mine/link'));
    const spec = specOf({ owned: owned({ writes: [{ path: at(name), key: 'logto', line: 3 }] }) });
    const faults = trespasses('/v/shop.ini', spec, 'games');
    expect(faults.map(({ code, key, line }) => [code, key, line])).toEqual(good ? [] : [['E_TYRANT', 'logto', 3]]);
  });
});

it('root\'s programs see nothing of what an owner chooses', () => {
  const environment = handedLater({ PATH: '/bin', LD_PRELOAD: '/x.so', HOME: '/h' }, ['LD_PRELOAD']);
  expect(environment).toEqual({ PATH: '/bin', EMPEROR_KEPT_0: '/x.so', HOME: '/h' });
  const plan = launchPlan(specOf({ argv: ['app', '--flag'], directory: '/home/alice' }), {
    program: '/usr/bin/app', become: { uid: 5, gid: 60 }, confinement: { noNewPrivileges: true, capabilities: ['chown'] }, later: ['LD_PRELOAD'], environment,
    sockets: 0, entrance: OUTSIDE, startsInCgroups: false, files: null, setpriv: '/usr/bin/setpriv',
  });
  expect(plan).toMatchObject({ file: '/usr/bin/setpriv', directory: '/' });
  expect(plan.argv).toEqual([
    '/usr/bin/setpriv', '--reuid', '5', '--regid', '60', '--init-groups', '--no-new-privs', '--bounding-set', '-all,+chown', '--',
    '/bin/sh', '-c', 'cd -- "$1" || exit 126; shift; unset OLDPWD; export LD_PRELOAD="$EMPEROR_KEPT_0"; unset EMPEROR_KEPT_0; exec "$@"', 'sh', '/home/alice', '/usr/bin/app', '--flag',
  ]);
});
