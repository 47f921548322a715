import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { startLoad } from '../../../src/cli/load.ts';
import { answer } from '../../e2e/http.ts';
import { needs } from '../../e2e/needs.ts';
import { until } from '../../until.ts';
import { run, succeed } from './host.ts';
import { reigning, service } from './reign.ts';

const SERVER = new URL('../../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
/** The network is one of its own: nobody else has these ports. */
const [SHOP, WIKI, SITE] = [8101, 8102, 8103] as const;
const UNIT = 'runner = "systemd"';
const NODE = JSON.stringify(process.execPath);
const SLEEPS = ['command = ["/bin/sleep", "1000"]', 'ready = { after = "1ms" }'] as const;

const serving = (port: number, command = `[${NODE}, ${JSON.stringify(SERVER)}]`): readonly string[] => [`command = ${command}`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }'];

async function unitOf(name: string): Promise<string> {
  const id = (await service.vassal(name)).instances[0]?.id;
  return `emperor-${id?.replace('#', '-')}.service`;
}

async function property(unit: string, name: string): Promise<string> {
  return await succeed('systemctl', 'show', '--value', `--property=${name}`, unit);
}

/** The units of instances that systemd knows, in whatever state. */
async function unitsOf(name: string): Promise<readonly string[]> {
  const listed = await succeed('systemctl', 'list-units', '--all', '--plain', '--no-legend', `emperor-${name}-*.service`);
  // Not those of an emperor with another state folder.
  return listed.split('\n').filter((line) => /^emperor-\w+-\d+\.service /.test(line));
}

async function leave(...names: readonly string[]): Promise<void> {
  for (const name of names) service.remove(name);
  expect(await service.cli('rescan')).toMatchObject({ code: 0 });
  for (const name of names) await until(async () => expect(await unitsOf(name)).toEqual([]));
}

/** Instances that are units; all of them have one systemd. */
export const UNIT_CASES: Readonly<Record<string, () => Promise<void>>> = {
  'an instance is a unit in the slice of the emperors, and its overlaps lose nothing': async () => {
    await reigning();
    service.write('shop', ...serving(SHOP), UNIT, 'limits = { memory = "512M", tasks = 50 }');
    await service.untilState('shop', 'ready');
    const unit = await unitOf('shop');
    expect([Number(await property(unit, 'MainPID')), await property(unit, 'Slice'), await property(unit, 'MemoryMax'), await property(unit, 'TasksMax')]).toEqual([await service.pid('shop'), 'emperor.slice', String(2 ** 29), '50']);
    const load = startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port: SHOP, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
    for (let turn = 0; turn < 3; turn += 1) expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(20);
    expect(await unitOf('shop')).not.toBe(unit);
    await until(async () => expect(await unitsOf('shop')).toHaveLength(1));
    await leave('shop');
    expect(await answer(SHOP)).toBeNull();
  },

  'a unit has the environment and the command line of its file, and systemd shows them to nobody': async () => {
    await reigning();
    service.write('tells', `command = ["/bin/sh", "-c", "echo $$ $GREETING $LISTEN_PID $LISTEN_FDS $HOME ' a  b'; umask; pwd; id -un; exec sleep 1000"]`, 'listen = ["127.0.0.1:8110", "unix:/run/tells.sock"]', 'environment = { GREETING = "s3cret" }', 'user = "daemon"', 'directory = "/usr"', 'umask = "027"', 'ready = { log = "daemon" }', UNIT);
    await service.untilState('tells', 'ready');
    const pid = await service.pid('tells');
    expect((await service.cli('logs', 'tells')).stdout).toBe(`${pid} s3cret ${pid} 2 /usr/sbin  a  b\n0027\n/usr\ndaemon`);
    expect(await succeed('systemctl', 'show', await unitOf('tells'))).not.toContain('s3cret');
    await leave('tells');
  },

  'a unit may have a user of its own making, and the sandbox of systemd': async () => {
    await reigning();
    // The checkout may be in a folder that the sandbox hides, as /tmp, or that only root may enter.
    cpSync(process.execPath, '/opt/node');
    cpSync(SERVER, '/opt/serves-fd3.mjs');
    service.write('wiki', ...serving(WIKI, '["/opt/node", "/opt/serves-fd3.mjs"]'), UNIT, '[vassal.systemd]', 'DynamicUser = true', 'ProtectSystem = "strict"', 'PrivateTmp = true', 'StateDirectory = "wiki"', 'LoadCredential = ["key:/etc/hostname"]');
    await service.untilState('wiki', 'ready');
    const pid = await service.pid('wiki');
    expect(await answer(WIKI)).not.toBeNull();
    const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    expect(uid).toBeGreaterThan(60_000);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    expect(environment).toEqual(expect.arrayContaining(['STATE_DIRECTORY=/var/lib/wiki', expect.stringMatching(/^CREDENTIALS_DIRECTORY=\//), expect.stringMatching(/^USER=emperor-wiki/)]));
    expect(await service.cli('reload', 'wiki')).toMatchObject({ code: 0 });
    expect(await answer(WIKI)).not.toBeNull();
    await leave('wiki');
  },

  'a property that systemd refuses is a failure of that vassal, in the words of systemd': async () => {
    await reigning();
    service.write('shop', ...serving(SHOP), UNIT);
    await service.untilState('shop', 'ready');
    const pid = await service.pid('shop');
    for (const [line, words] of [['ProtectSytem = "full"', 'Unknown assignment: ProtectSytem=full'], ['ProtectSystem = "maybe"', 'Invalid ProtectSystem setting: maybe'], ['RootDirectory = "/nowhere"', /Failed at step \w+ spawning .*No such file/]] as const) {
      service.write('shop', ...serving(SHOP), UNIT, '[vassal.systemd]', line);
      const { code, stdout, stderr } = await service.cli('reload', 'shop');
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(words);
      expect((await service.vassal('shop')).failure).toMatchObject({ code: 'E_UNIT' });
      expect(await service.pid('shop')).toBe(pid);
      expect(await answer(SHOP)).not.toBeNull();
      await until(async () => expect(await unitsOf('shop')).toHaveLength(1));
    }
    await leave('shop');
  },

  'a program that cannot be executed is told as that of any vassal': async () => {
    await reigning();
    writeFileSync('/opt/broken', '\x7fELF nothing', { mode: 0o755 });
    service.write('broken', 'command = ["/opt/broken"]', 'restart = "never"', UNIT);
    await until(async () => expect((await service.vassal('broken')).failure).toMatchObject({ code: 'E_PROGRAM_DENIED', message: expect.stringContaining('/opt/broken') }));
    await leave('broken');
  },

  'a unit that says itself how it is, is heard, also as a user of the making of systemd': async () => {
    await reigning();
    service.write('says', 'command = ["/usr/bin/perl", "-MSocket", "-e", "socket(S, AF_UNIX, SOCK_DGRAM, 0); send(S, qq(READY=1\\nSTATUS=well), 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!; sleep 1000"]', 'ready = { notify = true }', UNIT, '[vassal.systemd]', 'DynamicUser = true', 'ProtectSystem = "strict"', 'PrivateNetwork = true');
    await service.untilState('says', 'ready');
    await leave('says');
  },

  'a vassal of uWSGI has its channel in a unit, too': async () => {
    needs('uwsgi', 'uwsgi-plugin-python3');
    await reigning();
    writeFileSync('/opt/site_app.py', "def application(env, start):\n    start('200 OK', [])\n    return [b'ok']\n");
    const file = `${service.folder}/site.ini`;
    writeFileSync(file, `[uwsgi]\nplugin = python3\nhttp-socket = 127.0.0.1:${SITE}\nmaster = true\npythonpath = /opt\nmodule = site_app:application\n[vassal]\n${UNIT.replaceAll('"', '')}\n`.replace('site_app', 'site2'));
    await succeed('mv', '/opt/site_app.py', '/opt/site2.py');
    await service.untilState('site', 'ready');
    const pid = await service.pid('site');
    const emperor = Number(await service.show('MainPID'));
    expect(await service.cli('reload', 'site')).toMatchObject({ code: 0 });
    await succeed('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', service.unit);
    await service.untilSuccessor(emperor);
    expect(await service.cli('reload', 'site')).toMatchObject({ code: 0 });
    expect(await service.pid('site')).toBe(pid);
    expect(await answer(SITE)).not.toBeNull();
    rmSync(file);
    expect(await service.cli('rescan')).toMatchObject({ code: 0 });
    await until(async () => expect(await unitsOf('site')).toEqual([]));
  },

  'how an instance ends is told: by itself, by a signal, at once': async () => {
    await reigning();
    service.write('ends', 'command = ["/bin/sh", "-c", "echo so long; exit 7"]', 'restart = "never"', 'ready = { after = "1h" }', 'start-timeout = "2h"', UNIT);
    await until(async () => expect((await service.vassal('ends')).failure).toMatchObject({ code: 'E_EXITED', message: expect.stringContaining('exited with code 7') }));
    expect((await service.cli('logs', 'ends')).stdout).toBe('so long');
    service.write('killed', ...SLEEPS, 'restart = "never"', UNIT);
    await service.untilState('killed', 'ready');
    process.kill(await service.pid('killed'), 'SIGQUIT');
    await until(async () => expect((await service.cli('why', 'killed')).stdout).toContain('SIGQUIT'));
    await until(async () => expect([...(await unitsOf('ends')), ...(await unitsOf('killed'))]).toEqual([]));
    await leave('ends', 'killed');
  },

  'one that takes more memory than it may ends out of memory': async () => {
    await reigning();
    const hungry = (manner: string): readonly string[] => [`command = ["/usr/bin/perl", "-e", "my @a; push @a, 'x' x 1_000_000 for 1 .. 200; sleep 1000"]`, 'restart = "never"', 'ready = { log = "never" }', UNIT, manner];
    for (const manner of ['limits = { memory = "50M" }', 'systemd = { MemoryMax = "50M" }']) {
      service.write('hungry', ...hungry(manner));
      await until(async () => expect((await service.vassal('hungry')).failure).toMatchObject({ code: 'E_OUT_OF_MEMORY' }));
      await leave('hungry');
    }
  },

  'what an instance has left behind ends with it': async () => {
    await reigning();
    service.write('leaves', 'command = ["/bin/sh", "-c", "setsid sleep 4711 & exec sleep 1000"]', 'ready = { after = "50ms" }', UNIT);
    await service.untilState('leaves', 'ready');
    await until(async () => expect((await run('pgrep', '-f', 'sleep 4711')).code).toBe(0));
    expect(await service.cli('stop', 'leaves')).toMatchObject({ code: 0 });
    await until(async () => expect((await run('pgrep', '-f', 'sleep 4711')).code).toBe(1));
    await leave('leaves');
  },

  'an emperor that is killed leaves units serving, and the next one adopts them and hears how they end': async () => {
    await reigning();
    service.write('shop', ...serving(SHOP), UNIT);
    service.write('ends', 'command = ["/bin/sh", "-c", "while [ ! -e /run/go ]; do sleep 0.05; done; exit 5"]', 'ready = { after = "50ms" }', 'restart = "never"', UNIT);
    await service.untilState('shop', 'ready');
    await service.untilState('ends', 'ready');
    const [shop, emperor] = [await service.pid('shop'), Number(await service.show('MainPID'))];
    const unit = await unitOf('ends');
    await succeed('systemctl', 'kill', '--signal=STOP', '--kill-whom=main', service.unit);
    writeFileSync('/run/go', '');
    await until(async () => expect(await property(unit, 'ExecMainStatus')).toBe('5'));
    await succeed('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', service.unit);
    await service.untilSuccessor(emperor);
    expect(await service.pid('shop')).toBe(shop);
    expect(await answer(SHOP)).not.toBeNull();
    await until(async () => expect((await service.cli('why', 'ends')).stdout).toContain('exited with code 5'));
    expect(await service.cli('upgrade')).toMatchObject({ code: 0 });
    expect(await service.pid('shop')).toBe(shop);
    process.kill(shop, 'SIGKILL');
    await until(async () => expect(await service.pid('shop')).not.toBe(shop));
    await service.untilState('shop', 'ready');
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    await leave('shop', 'ends');
  },

  'a stop of the emperor ends the units in order': async () => {
    await reigning();
    const slow = (name: string): string => `command = ["/bin/sh", "-c", "trap 'sleep 0.3; echo ${name} >> /run/order; exit 0' TERM; while :; do sleep 0.05; done"]`;
    service.write('first', slow('first'), 'ready = { after = "50ms" }', UNIT);
    service.write('second', slow('second'), 'ready = { after = "50ms" }', 'after = ["first"]', UNIT);
    await service.untilState('second', 'ready');
    await service.systemctl('stop');
    expect([await service.show('Result'), await service.show('ActiveState')]).toEqual(['success', 'inactive']);
    expect(readFileSync('/run/order', 'utf8').trim().split('\n').sort()).toEqual(['first', 'second']);
    await until(async () => expect([...(await unitsOf('first')), ...(await unitsOf('second'))]).toEqual([]));
    await reigning();
    await service.untilState('second', 'ready');
    await leave('first', 'second');
  },
};
