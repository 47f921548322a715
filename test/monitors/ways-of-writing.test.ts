import { closeSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Stage, tempFolder, turns } from './stage.ts';

/** How people and programs change `shop.toml`, which holds `old`, so that it holds `new` in the end. `aside/new` holds it already. */
const changes: readonly [string, string][] = [
  ['echo >', 'printf new > v/shop.toml'],
  ['truncate, then append', ': > v/shop.toml; cat aside/new >> v/shop.toml'],
  ['append in pieces', ': > v/shop.toml; for part in n e w; do printf $part >> v/shop.toml; done'],
  ['cp', 'cp aside/new v/shop.toml'],
  ['cp -p', 'cp -p aside/new v/shop.toml'],
  ['cp --remove-destination', 'cp --remove-destination aside/new v/shop.toml'],
  ['install', 'install -m 600 aside/new v/shop.toml'],
  ['mv over it', 'mv aside/new v/shop.toml'],
  ['rsync', 'rsync --ignore-times aside/new v/shop.toml'],
  ['rsync -a', 'rsync --archive --ignore-times aside/new v/shop.toml'],
  ['rsync --inplace', 'rsync --inplace --ignore-times aside/new v/shop.toml'],
  ['write aside in the folder, rename', 'cp aside/new v/.shop.toml.tmp; mv v/.shop.toml.tmp v/shop.toml'],
  ['ln -f', 'ln -f aside/new v/shop.toml'],
  ['ln -sf', 'ln -sf ../aside/new v/shop.toml'],
  ['sed -i', 'sed -i s/old/new/ v/shop.toml'],
  ['rm, then write', 'rm v/shop.toml; printf new > v/shop.toml'],
  ['mv aside, then write', 'mv v/shop.toml v/shop.toml~; printf new > v/shop.toml; rm v/shop.toml~'],
  ['write, then set its times', 'printf new > v/shop.toml; touch -d 2001-01-01 v/shop.toml'],
  ['dd without truncation', 'dd if=aside/new of=v/shop.toml conv=notrunc status=none'],
  ['tar', 'tar -C aside --transform s/new/shop.toml/ -cf aside.tar new; tar -C v -xf aside.tar'],
  ['vim', 'vim -u NONE -N -es -c "%s/old/new/" -c "set noeol nofixeol" -c wq v/shop.toml'],
  ['vim with backupcopy=no', 'vim -u NONE -N -es --cmd "set backup backupcopy=no" -c "%s/old/new/" -c "set noeol nofixeol" -c wq v/shop.toml'],
  ['python', 'python3 -c "open(\'v/shop.toml\', \'w\').write(\'new\')"'],
];

describe('ways of writing', () => {
  it.each(changes)('a file changed by %s is told once, with its final content', async (_, script) => {
    using temp = tempFolder();
    const file = temp.file('v/shop.toml', 'old');
    temp.file('aside/new', 'new');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell(script, temp.path);
    await stage.until(() => stage.text('shop') === 'new');
    await stage.settle();

    expect(stage.looks).toHaveLength(2);
    expect(stage.looks.every((look) => look.kind === 'listing' && look.files.some(({ id }) => id === file))).toBe(true);
  });

  it.each(changes.filter(([name]) => !/^(sed|vim)/.test(name)))('a file made by %s is told once, with its final content', async (_, script) => {
    using temp = tempFolder();
    mkdirSync(`${temp.path}/v`);
    temp.file('aside/new', 'new');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell(script.replace(/rm v\/shop.toml;|mv v\/shop.toml v\/shop.toml~;|; rm v\/shop.toml~/g, ''), temp.path);
    await stage.until(() => stage.names.length > 0);
    expect(stage.text('shop')).toBe('new');
    await stage.settle();

    expect(stage.looks).toHaveLength(2);
  });

  it.each([
    ['touch', 'touch v/shop.toml'],
    ['touch to the past', 'touch -d 2001-01-01 v/shop.toml'],
    ['touch to the future', 'touch -d 2101-01-01 v/shop.toml'],
    ['touch of the other end of a symlink', 'touch aside/target'],
    ['touch -h of a symlink', 'touch -h v/link.toml'],
    ['a symlink moved to a copy', 'cp -p aside/target aside/copy; ln -sfn ../aside/copy v/link.toml'],
    ['the same text written again', 'printf old > v/shop.toml'],
  ])('%s is told once, with another stamp and the same content', async (_, script) => {
    using temp = tempFolder();
    temp.file('v/shop.toml', 'old');
    temp.file('aside/target', 'old');
    await using stage = await Stage.of(`${temp.path}/v`);
    await stage.shell('ln -s ../aside/target v/link.toml', temp.path);
    await stage.until(() => stage.names.length === 2);
    await stage.settle();
    const before = stage.files;
    const looks = stage.looks.length;

    await stage.shell(script, temp.path);
    await stage.until(() => stage.looks.length > looks);
    await stage.settle();

    expect(stage.looks).toHaveLength(looks + 1);
    const changed = stage.files.filter((file) => !before.includes(file));
    expect(changed.map(({ hash }) => hash)).toEqual([before[0]?.hash]);
    expect(changed[0]?.stamp).not.toBe(before.find(({ id }) => id === changed[0]?.id)?.stamp);
  });

  it.each([
    ['chmod', 'chmod 600 v/shop.toml'],
    ['reading', 'cat v/shop.toml'],
    ['files beside it', 'touch v/shop.toml~ v/.shop.toml.swp v/shop.txt v/shop.toml.disabled; mkdir v/folder.toml'],
  ])('%s is not told', async (_, script) => {
    using temp = tempFolder();
    temp.file('v/shop.toml', 'old');
    await using stage = await Stage.of(`${temp.path}/v`);

    await stage.shell(script, temp.path);
    await stage.settle();

    expect(stage.looks).toHaveLength(1);
  });

  it('a checkout of 50 files tells each of them once', async () => {
    using temp = tempFolder();
    await using setup = await Stage.of(`${temp.path}/elsewhere`);
    await setup.shell(`
      export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
      git init -q v; cd v
      for i in {1..50}; do printf one > a$i.toml; done; git add .; git commit -qm one
      for i in {1..50}; do printf two > a$i.toml; done; git commit -qam two`, temp.path);
    await using stage = await Stage.of(`${temp.path}/v`);
    const told = new Map<string, number>();
    let before = stage.files;

    await stage.shell('git checkout -q HEAD~1', `${temp.path}/v`);
    const seen = (): number => stage.files.filter(({ content }) => content.ok && content.text === 'one').length;
    await stage.until(() => seen() === 50);
    await stage.settle();

    for (const look of stage.looks.slice(1)) {
      const files = look.kind === 'listing' ? look.files : [];
      expect(files).toHaveLength(50);
      for (const file of files) if (!before.includes(file)) told.set(file.id, (told.get(file.id) ?? 0) + 1);
      before = files;
    }
    expect([...told.values()]).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it('a file that is written in three chunks with pauses shows no half of it', async () => {
    using temp = tempFolder();
    const file = temp.file('v/shop.toml', 'old');
    await using stage = await Stage.of(`${temp.path}/v`);

    const fd = openSync(file, 'w');
    for (const chunk of ['one ', 'two ', 'three']) {
      await stage.settle();
      writeSync(fd, chunk);
      await stage.settle();
      expect(stage.text('shop')).toBe('old');
    }
    closeSync(fd);
    await stage.settle();

    expect(stage.looks).toHaveLength(2);
    expect(stage.text('shop')).toBe('one two three');
  });

  it('a new file that is being written is not shown', async () => {
    using temp = tempFolder();
    await using stage = await Stage.of(temp.path);

    const fd = openSync(`${temp.path}/shop.toml`, 'w');
    writeSync(fd, 'half');
    await stage.settle();
    expect(stage.names).toEqual([]);
    writeSync(fd, ' and half');
    closeSync(fd);
    await stage.settle();

    expect(stage.looks).toHaveLength(2);
    expect(stage.text('shop')).toBe('half and half');
  });

  it('a removal that is half of a rename is not told, a real one is', async () => {
    using temp = tempFolder();
    const file = temp.file('shop.toml', 'old');
    await using stage = await Stage.of(temp.path);

    renameSync(file, `${file}~`);
    await turns();
    writeFileSync(file, 'new');
    await stage.settle();
    expect(stage.looks).toHaveLength(2);
    expect(stage.text('shop')).toBe('new');

    unlinkSync(file);
    await stage.until(() => stage.looks.length > 2);
    expect(stage.names).toEqual([]);
  });
});
