import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Daemon, makePlace, toml, type Place } from './daemon.ts';

const asRoot = process.getuid?.() === 0;

/** Two users that every Debian has. */
const GAMES = { name: 'games', ...idsOf('games') };
const NEWS = { name: 'news', ...idsOf('news') };
const SLEEP = ['/bin/sleep', '100000'];

function idsOf(name: string): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = execFileSync('sh', ['-c', `id -u ${name}; id -g ${name}`], { encoding: 'utf8' }).trim().split('\n').map(Number);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

function place(): Place {
  const made = makePlace();
  chmodSync(made.folder, 0o755);
  return made;
}

/** What the kernel says of a process. */
function statusOf(pid: number | null | undefined): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(':\t')).map(([key = '', value = '']) => [key, value.trim()]));
}

/** A file of a user, complete at once. */
function give(daemon: Daemon, file: string, text: string, { uid, gid }: { readonly uid: number; readonly gid: number }): string {
  const path = join(daemon.place.vassals, file);
  writeFileSync(`${path}.tmp`, text);
  chownSync(`${path}.tmp`, uid, gid);
  execFileSync('mv', [`${path}.tmp`, path]);
  return path;
}

async function failureOf(daemon: Daemon, name: string, part: string): Promise<string> {
  const status = await daemon.until(({ vassals }) => vassals.some((each) => each.name === name && each.failure?.message.includes(part) === true), `${name}: ${part}`);
  return status.vassals.find((each) => each.name === name)?.failure?.message ?? '';
}

describe.runIf(asRoot)('in tyrant mode', () => {
  it('an instance runs as the owner of its file, with the groups of that user, and can gain nothing', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    give(daemon, 'shop.toml', toml(SLEEP, 'directory = "/tmp"', 'environment = { LD_PRELOAD = "/nowhere.so", GREETING = "a \'b\' $c\\n" }'), GAMES);
    const { instances: [instance] } = await daemon.untilState('shop', 'ready');
    const status = statusOf(instance?.pid);
    const groups = execFileSync('id', ['-G', 'games'], { encoding: 'utf8' }).trim().split(' ').toSorted();
    expect(status).toMatchObject({ Uid: Array(4).fill(GAMES.uid).join('\t'), Gid: Array(4).fill(GAMES.gid).join('\t'), NoNewPrivs: '1', CapEff: '0000000000000000' });
    expect((status['Groups'] ?? '').split(' ').toSorted()).toEqual(groups);
    const environment = readFileSync(`/proc/${instance?.pid}/environ`, 'utf8').split('\0');
    expect(environment).toEqual(expect.arrayContaining(['LD_PRELOAD=/nowhere.so', "GREETING=a 'b' $c\n", 'USER=games', 'HOME=/usr/games']));
    expect(environment.filter((line) => /^(?:EMPEROR_KEPT|OLDPWD)/.test(line))).toEqual([]);
    expect(readlinkSync(`/proc/${instance?.pid}/cwd`)).toBe('/tmp');
  });

  it('nothing that an owner chooses is executed or loaded as root on the way', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    const { folder } = daemon.place;
    const trap = join(folder, 'trap');
    mkdirSync(trap);
    chmodSync(trap, 0o777);
    for (const name of ['sh', 'setpriv', 'env']) writeFileSync(join(trap, name), `#!/bin/sh\nid -u > ${trap}/caught\n`, { mode: 0o755 });
    writeFileSync(join(trap, 'rc'), `id -u > ${trap}/caught-rc\n`);
    give(daemon, 'shop.toml', toml(SLEEP, `environment = { PATH = "${trap}", ENV = "${trap}/rc", BASH_ENV = "${trap}/rc", LD_DEBUG = "files", LD_DEBUG_OUTPUT = "${trap}/ld" }`), GAMES);
    await daemon.untilState('shop', 'ready');
    const made = readdirSync(trap).filter((name) => !['env', 'rc', 'setpriv', 'sh'].includes(name));
    // Each program that the loader was told to speak of leaves a file, as whoever it ran as.
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((name) => !name.startsWith('ld.') || statSync(join(trap, name)).uid !== GAMES.uid)).toEqual([]);
  });

  it('a file of root is refused, and says what to do; chown starts it', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    const file = daemon.write('shop.toml', toml(SLEEP));
    expect(await failureOf(daemon, 'shop', 'belongs to root')).toBe(`the file belongs to root, and in tyrant mode each instance runs as the owner of its file at ${file}; chown USER:GROUP it, to whom it is to run as; for a symlink see tyrant-nofollow`);
    chownSync(file, GAMES.uid, 0);
    expect(await failureOf(daemon, 'shop', 'belongs to the group root')).toContain('chgrp GROUP it');
    chownSync(file, GAMES.uid, GAMES.gid);
    await daemon.untilState('shop', 'ready');
  });

  it('a change of the owner stops what runs, and starts the text as the new owner; with root as the owner nothing goes on', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    const file = give(daemon, 'shop.toml', toml(SLEEP), GAMES);
    const old = await daemon.untilState('shop', 'ready');
    chownSync(file, NEWS.uid, NEWS.gid);
    const fresh = await daemon.untilReplaced('shop', old);
    expect(statusOf(fresh.instances[0]?.pid)['Uid']).toBe(Array(4).fill(NEWS.uid).join('\t'));
    const order = (await daemon.events('shop')).filter(({ event }) => ['exited', 'spawned', 'edited'].includes(event)).map(({ event }) => event);
    expect(order.indexOf('exited')).toBeLessThan(order.lastIndexOf('spawned'));
    chownSync(file, 0, 0);
    await daemon.untilState('shop', 'invalid');
  });

  it('of a change that the new owner makes wrong, nothing of the former owner goes on', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    give(daemon, 'shop.toml', toml(SLEEP), GAMES);
    await daemon.untilState('shop', 'ready');
    give(daemon, 'shop.toml', '[vassal]\nnothing = 1\n', NEWS);
    expect(await daemon.untilState('shop', 'invalid')).toMatchObject({ instances: [] });
  });

  it('the next emperor knows whose an instance is, and stops it when the file has another owner by then', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    const file = give(daemon, 'shop.toml', toml(SLEEP), GAMES);
    give(daemon, 'wiki.toml', toml(SLEEP), GAMES);
    const [shop, wiki] = [await daemon.untilState('shop', 'ready'), await daemon.untilState('wiki', 'ready')];
    await daemon.end('SIGKILL');
    chownSync(file, NEWS.uid, NEWS.gid);
    await using next = await Daemon.start(daemon.place, { args: ['--tyrant'] });
    const fresh = await next.untilReplaced('shop', shop);
    expect(statusOf(fresh.instances[0]?.pid)['Uid']).toBe(Array(4).fill(NEWS.uid).join('\t'));
    expect((await next.vassal('wiki'))?.instances[0]?.id).toBe(wiki.instances[0]?.id);
  });

  it('what ran as root before there was tyrant mode is started anew, as the owner of its file', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--allow-writable'] });
    give(daemon, 'shop.toml', toml(SLEEP), GAMES);
    const old = await daemon.untilState('shop', 'ready');
    expect(statusOf(old.instances[0]?.pid)['Uid']).toBe('0\t0\t0\t0');
    await daemon.end('SIGKILL');
    await using next = await Daemon.start(daemon.place, { args: ['--tyrant'] });
    const fresh = await next.untilReplaced('shop', old);
    expect(statusOf(fresh.instances[0]?.pid)['Uid']).toBe(Array(4).fill(GAMES.uid).join('\t'));
    expect(next.survivors()).toEqual([fresh.instances[0]?.pid]);
  });

  it.each([
    ['user = "root"', '"user" is not for a file that runs as its owner', 'remove it: the instance runs as the owner of the file'],
    ['group = "root"', '"group" is not for a file that runs as its owner', 'remove it'],
    ['limits = { memory = "64G" }', '"limits" is not for a file that runs as its owner', 'have root allow it: tyrant-keys = ["limits"]'],
    ['log = { max-size = "900G" }', '"log" is not for', 'have root allow it'],
    ['listen = "127.0.0.1:81"', 'port 81 is not for a file that runs as its owner', 'use a port from 1024 on'],
    ['listen = "unix:/run/other.sock"', 'the socket /run/other.sock is not in a folder of root that is called "games"', 'mkdir -p /run/vassals/games'],
    ['listen = { address = "127.0.0.1:18999", group = "root" }', '"listen.group" is not for', 'remove it'],
    ['environment-file = "/etc/passwd"', 'belongs to uid 0, and not to the owner of the vassal file', 'check its permissions'],
    ['health = { http = "http://unix:/run/docker.sock:/" }', '"health" asks a unix socket by its path, as root', 'ask the first address'],
    ['environment = { "BASH_FUNC_x%%" = "() { :; }" }', 'cannot be handed on to another user', 'use letters, digits and _'],
    ['directory = "$(SECRET)"', 'SECRET', ''],
  ])('a file that says %s is at fault', async (line, message, hint) => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'], env: { SECRET: '/root' } });
    give(daemon, 'shop.toml', `[vassal]\ncommand = ["/bin/sleep", "100000"]\n${line}\n`, GAMES);
    expect(await failureOf(daemon, 'shop', message)).toContain(hint);
    expect(await daemon.vassal('shop')).toMatchObject({ state: 'invalid', instances: [] });
  });

  it('what root allows in emperor.toml, owners may use', async () => {
    const where = place();
    const config = join(where.folder, 'emperor.toml');
    writeFileSync(config, 'tyrant = true\ntyrant-keys = ["limits"]\nno-new-privileges = false\ncap = ["CAP_SETUID", "setgid"]\n');
    await using daemon = await Daemon.start(where, { args: ['--config', config] });
    give(daemon, 'shop.toml', toml(SLEEP, 'limits = { files = 64 }'), GAMES);
    const { instances: [instance] } = await daemon.untilState('shop', 'ready');
    // CAP_SETGID is 6, CAP_SETUID 7.
    expect(statusOf(instance?.pid)).toMatchObject({ NoNewPrivs: '0', CapBnd: '00000000000000c0' });
  });

  it('a socket of the emperor for an owner is in a folder of root, and belongs to the owner', async () => {
    const where = place();
    const sockets = join('/run', where.folder.slice('/tmp/'.length), GAMES.name);
    mkdirSync(sockets, { recursive: true });
    try {
      await using daemon = await Daemon.start(where, { args: ['--tyrant'] });
      give(daemon, 'shop.toml', toml(SLEEP, `listen = "unix:${sockets}/shop.sock"`), GAMES);
      await daemon.untilState('shop', 'ready');
      expect(execFileSync('stat', ['-c', '%U %F', `${sockets}/shop.sock`], { encoding: 'utf8' }).trim()).toBe('games socket');
    } finally {
      rmSync(join(sockets, '..'), { recursive: true });
    }
  });

  describe('behind a symlink', () => {
    it.each([
      [[], NEWS],
      [['tyrant-nofollow = true'], GAMES],
    ])('with %j it runs as the right one', async (lines, { uid }) => {
      const where = place();
      const config = join(where.folder, 'emperor.toml');
      writeFileSync(config, ['tyrant = true', ...lines, ''].join('\n'));
      const target = join(where.folder, 'template.toml');
      writeFileSync(target, toml(SLEEP));
      if (lines.length === 0) chownSync(target, NEWS.uid, NEWS.gid);
      const link = join(where.vassals, 'shop.toml');
      symlinkSync(target, link);
      if (lines.length > 0) lchownSync(link, GAMES.uid, GAMES.gid);
      await using daemon = await Daemon.start(where, { args: ['--config', config] });
      const { instances: [instance] } = await daemon.untilState('shop', 'ready');
      expect(statusOf(instance?.pid)['Uid']).toBe(Array(4).fill(uid).join('\t'));
    });

    it('nobody runs, or reads, what they could not read themselves', async () => {
      const where = place();
      const config = join(where.folder, 'emperor.toml');
      writeFileSync(config, 'tyrant = true\ntyrant-nofollow = true\n');
      const target = join(where.folder, 'secret.toml');
      writeFileSync(target, toml(SLEEP), { mode: 0o600 });
      const link = join(where.vassals, 'shop.toml');
      symlinkSync(target, link);
      lchownSync(link, GAMES.uid, GAMES.gid);
      await using daemon = await Daemon.start(where, { args: ['--config', config] });
      expect(await failureOf(daemon, 'shop', 'cannot be read by uid')).toContain('to whom the symlink belongs');
      chownSync(target, NEWS.uid, NEWS.gid);
      chmodSync(target, 0o644);
      expect(await failureOf(daemon, 'shop', `belongs to uid ${NEWS.uid}`)).toContain('chown root');
    });
  });

  it('users have a folder of root where each keeps what is theirs, as in /tmp; without the sticky bit it is worth nothing', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    chmodSync(daemon.place.vassals, 0o1777);
    give(daemon, 'shop.toml', toml(SLEEP), GAMES);
    await daemon.untilState('shop', 'ready');
    chmodSync(daemon.place.vassals, 0o777);
    expect(await failureOf(daemon, 'shop', 'others than root and its owner can write')).toContain('chmod go-w');
  });

  it.each([
    ['uid = root', 'uWSGI\'s option "uid" is not for a file that runs as its owner', 'remove it: the instance runs as the owner of the file'],
    ['exec-as-root = id', 'uWSGI\'s option "exec-as-root" is not for', 'tyrant-options'],
    ['hook-as-user = exec:id', 'uWSGI\'s option "hook-as-user" is not for', 'tyrant-options'],
    ['logto = /etc/shop.log', '/etc/shop.log is not in a folder of the owner', 'name a path in a folder of their own'],
    ['logto = /usr/%(env)\nenv = lib/x.log', '/usr/lib/x.log is not in a folder of the owner', ''],
    ['logto = /tmp/$(SECRET)', 'SECRET', ''],
    ['socket = /run/other.sock', '/run/other.sock is not in a folder of the owner', 'name a path'],
    ['include = %p', 'uWSGI\'s option "include" is not for', 'tyrant-options'],
    ['limit-as = 9999999', 'uWSGI\'s option "limit-as" is not for', 'tyrant-options'],
    ['chdir = /tmp%\nuid = 0', 'a line ends in "%"', 'write %%'],
    ['u%zid = 0', 'uWSGI\'s option "u%zid" is not for', ''],
    ['[%zuwsgi]\nuid = 0', 'what section "%zuwsgi" is to uWSGI cannot be told', 'use letters'],
  ])('a file of uWSGI that says %s is at fault', async (line, message, hint) => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    give(daemon, 'shop.ini', `[uwsgi]\nmaster = true\n${line}\n`, GAMES);
    expect(await failureOf(daemon, 'shop', message)).toContain(hint);
  });

  it('check finds what would be at fault', async () => {
    await using daemon = await Daemon.start(place(), { args: ['--tyrant'] });
    const file = give(daemon, 'shop.toml', toml(SLEEP, 'user = "root"'), GAMES);
    expect(await daemon.cli('check', '--tyrant', file)).toMatchObject({ code: 78, stdout: expect.stringContaining('"user" is not for a file that runs as its owner') });
  });
});
