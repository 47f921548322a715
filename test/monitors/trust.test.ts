import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookAtFile } from '../../src/monitors/look-at-file.ts';
import { openLeases } from '../../src/kernel/lease.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openTrust, trustedBy } from '../../src/monitors/trust.ts';
import { Stage, tempFolder } from './stage.ts';

const asRoot = process.getuid?.() === 0;
const SOMEBODY = 65_534;
const TRUSTED = { uids: new Set([0, process.getuid?.() ?? 0]), gids: new Set<number>() };
const leases = openLeases(openLibc());

/** What is said of DIR/v/shop.toml; in DIR there are, too, v/link.toml to elsewhere/target.toml, and the folder way to v. */
function said(spoil: (path: (name: string) => string) => void, name = 'v/shop.toml'): string | null {
  using temp = tempFolder();
  const path = (each: string): string => join(temp.path, each);
  for (const file of ['v/shop.toml', 'elsewhere/target.toml']) chmodSync(temp.file(file), 0o644);
  for (const folder of ['', 'v', 'elsewhere']) chmodSync(path(folder), 0o755);
  symlinkSync('../elsewhere/target.toml', path('v/link.toml'));
  symlinkSync('v', path('way'));
  spoil(path);
  const look = lookAtFile(path(name), leases, false, openTrust(TRUSTED));
  if (look.kind !== 'seen') throw new Error(look.kind);
  const { content } = look.file;
  return content.ok ? null : `${content.fault.code} ${content.fault.message}; ${content.fault.hint}`.replaceAll(temp.path, '');
}

const OR = 'or run the emperor with --allow-writable';

describe('a vassal file', () => {
  it.each(['v/shop.toml', 'v/link.toml', 'way/shop.toml', 'way/link.toml'])('is trusted when nobody else can write it: %s', (name) => {
    expect(said(() => {}, name)).toBeNull();
  });

  it.each([
    ['it can be written by its group', 'v/shop.toml', 0o664, 'v/shop.toml'],
    ['it can be written by all', 'v/shop.toml', 0o646, 'v/shop.toml'],
    ['its folder can be', 'v', 0o777, 'v/shop.toml'],
    ['its folder can be, though it is sticky', 'v', 0o1777, 'v/shop.toml'],
    ['a folder above can be', '', 0o775, 'v/shop.toml'],
    ['the folder behind a symlink on the way can be', 'v', 0o777, 'way/shop.toml'],
    ['the target of a symlink can be', 'elsewhere/target.toml', 0o666, 'v/link.toml'],
    ['the folder of the target of a symlink can be', 'elsewhere', 0o777, 'v/link.toml'],
    ['the folder of a symlink can be', 'v', 0o777, 'v/link.toml'],
  ])('is none when %s', (_what, spoiled, mode, name) => {
    const at = spoiled === 'elsewhere/target.toml' ? 'v/link.toml' : spoiled;
    const shown = `/${at}`.replace(/\/$/, '');
    expect(said((path) => chmodSync(path(spoiled), mode), name)).toBe(`E_FILE_WRITABLE others than root can write ${shown} (mode ${mode.toString(8).padStart(4, '0')}); chmod go-w ${shown}, ${OR}`);
  });

  it('is safe in a sticky folder that is not its own', () => {
    expect(said((path) => chmodSync(path(''), 0o1777))).toBeNull();
  });

  it.runIf(asRoot).each([
    ['itself', 'v/shop.toml', 'v/shop.toml'],
    ['its folder', 'v', 'v/shop.toml'],
    ['a folder above', '', 'v/shop.toml'],
    ['the target of a symlink', 'elsewhere/target.toml', 'v/link.toml'],
    ['the folder of the target', 'elsewhere', 'v/link.toml'],
  ])('is none when somebody else owns %s', (_what, spoiled, name) => {
    expect(said((path) => chownSync(path(spoiled), SOMEBODY, 0), name)).toMatch(/^E_FILE_WRITABLE .*belongs to uid 65534; chown root /);
  });

  it.runIf(asRoot).each(['v/link.toml', 'way'])('is none when somebody else owns the symlink %s', (link) => {
    expect(said((path) => lchownSync(path(link), SOMEBODY, 0), link === 'way' ? 'way/shop.toml' : link)).toMatch(/^E_FILE_WRITABLE the symlink .* belongs to uid 65534; chown -h root /);
  });
});

describe('a source', () => {
  const tools = (): { trust: ReturnType<typeof openTrust> } => ({ trust: openTrust(TRUSTED) });

  it('is blind while others can write its folder, and what it showed stands', async () => {
    using temp = tempFolder();
    chmodSync(temp.file('v/shop.toml'), 0o644);
    const folder = join(temp.path, 'v');
    chmodSync(folder, 0o755);
    await using stage = await Stage.of(folder, tools());
    expect(stage.looks.map(({ kind }) => kind)).toEqual(['listing']);
    await stage.shell('chmod 777 .', folder);
    await stage.until(() => stage.looks.length === 2);
    expect(stage.looks[1]).toEqual({ kind: 'blind', reason: `others than root can write ${folder} (mode 0777); chmod go-w ${folder}, ${OR}` });
    await stage.shell('chmod 755 .', folder);
    await stage.until(() => stage.looks.length === 3);
    expect(stage.text('shop')).toBe('v/shop.toml');
  });

  it('is blind from the start', async () => {
    using temp = tempFolder();
    temp.file('v/shop.toml');
    chmodSync(join(temp.path, 'v'), 0o777);
    await using stage = await Stage.of(join(temp.path, 'v'), tools());
    expect(stage.looks).toMatchObject([{ kind: 'blind' }]);
  });

  it('shows a file that others can write as a fault, until they cannot', async () => {
    using temp = tempFolder();
    chmodSync(temp.file('v/shop.toml'), 0o666);
    chmodSync(temp.file('v/blog.toml'), 0o644);
    await using stage = await Stage.of(join(temp.path, 'v'), tools());
    expect([stage.text('shop'), stage.text('blog')]).toEqual(['E_FILE_WRITABLE', 'v/blog.toml']);
    await stage.shell('chmod go-w shop.toml; chmod g+w blog.toml', join(temp.path, 'v'));
    await stage.until(() => stage.text('shop') === 'v/shop.toml' && stage.text('blog') === 'E_FILE_WRITABLE');
  });

  it('of several folders shows the files of one that others can write as faults, until they cannot', async () => {
    using temp = tempFolder();
    for (const file of ['a/shop.toml', 'b/blog.toml']) chmodSync(temp.file(file), 0o644);
    chmodSync(join(temp.path, 'b'), 0o777);
    await using stage = await Stage.of(`glob://${temp.path}/*/*.toml`, tools());
    expect([stage.text('shop'), stage.text('blog')]).toEqual(['a/shop.toml', 'E_FILE_WRITABLE']);
    await stage.shell('chmod go-w b; chmod o+w a', temp.path);
    await stage.settle();
    expect([stage.text('shop'), stage.text('blog')]).toEqual(['E_FILE_WRITABLE', 'b/blog.toml']);
  });
});

describe('who can write the program', () => {
  const program = (mode: number, owner = process.getuid?.() ?? 0, group = process.getgid?.() ?? 0): ReturnType<typeof trustedBy> => {
    using temp = tempFolder();
    const file = temp.file('main.js');
    if (asRoot) chownSync(file, owner, group);
    chmodSync(file, mode);
    return trustedBy(file);
  };

  it('is trusted: its owner', () => {
    expect(program(0o644)).toEqual(TRUSTED);
  });

  it.runIf(asRoot)('is trusted: the owner of a checkout, and its group if it can write', () => {
    expect(program(0o644, 1234, 5678)).toEqual({ uids: new Set([0, 1234]), gids: new Set() });
    expect(program(0o664, 1234, 5678)).toEqual({ uids: new Set([0, 1234]), gids: new Set([5678]) });
  });

  it('is trusted: everybody, if everybody can', () => {
    expect(program(0o666)).toBeNull();
  });

  it.runIf(asRoot)('can write the vassal files, too', () => {
    using temp = tempFolder();
    const folder = join(temp.path, 'v');
    mkdirSync(folder);
    writeFileSync(join(folder, 'shop.toml'), '');
    chmodSync(join(folder, 'shop.toml'), 0o664);
    for (const path of [folder, join(folder, 'shop.toml')]) chownSync(path, 1234, 5678);
    const of = (gids: readonly number[]): string | undefined => {
      const look = lookAtFile(join(folder, 'shop.toml'), leases, false, openTrust({ uids: new Set([0, 1234]), gids: new Set(gids) }));
      return look.kind === 'seen' && !look.file.content.ok ? look.file.content.fault.code : look.kind;
    };
    expect([of([]), of([5678])]).toEqual(['E_FILE_WRITABLE', 'seen']);
  });
});
