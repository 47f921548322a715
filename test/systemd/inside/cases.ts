import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { startLoad, type Load } from '../../../src/cli/load.ts';
import { until } from '../../until.ts';
import { answer, untilAnswer } from '../../e2e/http.ts';
import { installProgram, run, Service, succeed } from './host.ts';

const SERVER = new URL('../../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
const service = new Service();
/** The network is one of its own: nobody else has these ports. */
const [SHOP, LAZY, PAUSED] = [8001, 8002, 8003] as const;

const serving = (port: number): readonly string[] => [`command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }'];
const loadOn = (port: number): Load =>
  startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());

async function endedWell(load: Load): Promise<void> {
  const { lost, answered } = await load.end();
  expect(Object.fromEntries(lost)).toEqual({});
  expect(answered).toBeGreaterThan(20);
}

/** What each test begins with, whatever the one before has left. */
async function reigning(): Promise<number> {
  await succeed('systemctl', 'start', service.unit);
  return Number(await service.show('MainPID'));
}

/** The cases, in order; all of them have one systemd. */
export const CASES: Readonly<Record<string, () => Promise<void>>> = {
  'install writes units that systemd has nothing to say about, enables and starts them, and does nothing when it was done': async () => {
    installProgram();
    service.write('shop', ...serving(SHOP));
    const first = await service.cli('systemd', 'install');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/wrote .*emperor\.service\n[^]*enabled emperor\.service\nstarted emperor\.service/) });
    expect(await run('systemd-analyze', 'verify', '--man=no', 'emperor.service', 'emperor.slice')).toEqual({ code: 0, stdout: '', stderr: '' });
    const pid = await service.show('MainPID');
    const again = await service.cli('systemd', 'install');
    expect(again.stdout).not.toContain('wrote');
    expect(again.stdout).toContain('emperor.service is running');
    expect(await service.show('MainPID')).toBe(pid);
    expect((await service.cli('systemd', 'print')).stdout).toContain(readFileSync('/etc/systemd/system/emperor.service', 'utf8'));
  },

  'start comes back when the first listing is governed, and the status says what is': async () => {
    await reigning();
    await service.systemctl('stop');
    for (let each = 0; each < 20; each += 1) service.write(`sleeps${each}`, 'command = ["/bin/sleep", "1000"]', 'ready = { after = "1ms" }');
    await service.systemctl('start');
    const { vassals } = await service.status();
    expect(vassals).toHaveLength(21);
    await until(async () => expect(await service.show('StatusText')).toBe('21 vassals: 21 ready; 21 instances'));
    for (let each = 0; each < 20; each += 1) service.remove(`sleeps${each}`);
    await service.untilState('shop', 'ready');
  },

  'reload comes back when all sources were looked at again': async () => {
    const pid = await reigning();
    service.write('late', 'command = ["/bin/sleep", "1000"]', 'ready = { after = "1ms" }');
    await service.systemctl('reload');
    expect((await service.status()).vassals.map(({ name }) => name)).toContain('late');
    expect([Number(await service.show('MainPID')), await service.show('SubState')]).toEqual([pid, 'running']);
    service.remove('late');
    await service.systemctl('reload');
    expect(await service.show('SubState')).toBe('running');
  },

  'restart and stop end vassals in order, and wait for one that needs longer than systemd would': async () => {
    const old = await reigning();
    // The emperor is given 1 s by this; a stop takes 3 s.
    mkdirSync('/run/systemd/system/emperor.service.d', { recursive: true });
    writeFileSync('/run/systemd/system/emperor.service.d/short.conf', '[Service]\nTimeoutStopSec=1s\n');
    await succeed('systemctl', 'daemon-reload');
    service.write('slow', `command = ["/bin/sh", "-c", "trap 'sleep 3; echo ended in order; exit 0' TERM; while :; do sleep 0.1; done"]`, 'ready = { after = "50ms" }');
    await service.untilState('slow', 'ready');
    await service.systemctl('restart');
    expect(await service.show('MainPID')).not.toBe(String(old));
    await service.untilState('slow', 'ready');
    expect((await service.cli('logs', 'slow')).stdout).toBe('ended in order');
    const pid = await service.pid('slow');
    await service.systemctl('stop');
    expect([await service.show('Result'), await service.show('ActiveState')]).toEqual(['success', 'inactive']);
    expect(await run('kill', '-0', String(pid))).not.toMatchObject({ code: 0 });
    expect((await service.cli('logs', 'slow')).code).toBe(7);
    expect(readFileSync('/var/log/emperor/slow.log', 'utf8')).toBe('ended in order\nended in order\n');
    expect(await answer(SHOP)).toBeNull();
    service.remove('slow');
  },

  'an emperor that is killed leaves vassals serving, and sockets behind which nobody lives waiting': async () => {
    const old = await reigning();
    service.write('lazy', ...serving(LAZY), 'on-demand = true');
    service.write('paused', ...serving(PAUSED));
    service.write('talks', 'command = ["/bin/sh", "-c", "while :; do sleep 0.1; done"]', 'ready = { after = "50ms" }', 'restart = "never"');
    for (const name of ['shop', 'paused', 'talks']) await service.untilState(name, 'ready');
    await service.untilState('lazy', 'idle');
    expect(await service.cli('pause', 'paused')).toMatchObject({ code: 0 });
    const [shop, talks] = [await service.pid('shop'), await service.pid('talks')];
    const load = loadOn(SHOP);
    const waits = answer(PAUSED);
    for (let turn = 0, emperor = old; turn < 3; turn += 1) {
      await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
      const asks = answer(LAZY);
      emperor = await service.untilSuccessor(emperor);
      expect(await asks).not.toBeNull();
      expect(await service.pid('shop')).toBe(shop);
      expect(await service.pid('talks')).toBe(talks);
    }
    expect(await service.cli('resume', 'paused')).toMatchObject({ code: 0 });
    expect(await waits).not.toBeNull();
    // Deploys go on, on sockets that were taken back.
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    await endedWell(load);
  },

  'what an instance prints last is read, though it ends while no emperor is there': async () => {
    const old = await reigning();
    service.write('talks', 'command = ["/bin/sh", "-c", "trap \'echo last words; exit 0\' TERM; while :; do sleep 0.05; done"]', 'ready = { after = "50ms" }', 'restart = "never"');
    await service.cli('rescan');
    await service.untilState('talks', 'ready');
    const talks = await service.pid('talks');
    await succeed('systemctl', 'kill', '--signal=STOP', '--kill-whom=main', service.unit);
    process.kill(talks, 'SIGTERM');
    await until(() => expect(readFileSync(`/proc/${talks}/stat`, 'utf8')).toMatch(/\) Z /));
    await succeed('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', service.unit);
    await service.untilSuccessor(old);
    await until(() => expect(readFileSync('/var/log/emperor/talks.log', 'utf8')).toMatch(/last words\n$/));
  },

  'one that hangs is killed by the watchdog, and the next one takes over': async () => {
    await reigning();
    writeFileSync('/run/systemd/system/emperor.service.d/short.conf', '[Service]\nWatchdogSec=2s\n');
    await succeed('systemctl', 'daemon-reload');
    await service.systemctl('restart');
    const old = Number(await service.show('MainPID'));
    await service.untilState('shop', 'ready');
    const shop = await service.pid('shop');
    const load = loadOn(SHOP);
    process.kill(old, 'SIGSTOP');
    await service.untilSuccessor(old);
    expect((await succeed('journalctl', '--no-pager', '-u', service.unit))).toContain('Watchdog timeout');
    expect(await service.pid('shop')).toBe(shop);
    await endedWell(load);
  },

  'one whose main loop goes round no more is killed by the watchdog, though its process is well': async () => {
    await reigning();
    service.write('shop', ...serving(SHOP));
    writeFileSync('/run/hangs.mjs', "process.on('SIGWINCH', () => { for (;;); });\n");
    mkdirSync('/run/systemd/system/emperor.service.d', { recursive: true });
    writeFileSync('/run/systemd/system/emperor.service.d/hangs.conf', '[Service]\nWatchdogSec=2s\nEnvironment=NODE_OPTIONS=--import=/run/hangs.mjs\n');
    await succeed('systemctl', 'daemon-reload');
    await service.systemctl('restart');
    const old = Number(await service.show('MainPID'));
    await service.untilState('shop', 'ready');
    const shop = await service.pid('shop');
    const load = loadOn(SHOP);
    process.kill(old, 'SIGWINCH');
    await service.untilSuccessor(old);
    expect((await succeed('journalctl', '--no-pager', '-u', service.unit))).toContain(`Killing process ${old} (MainThread) with signal SIGABRT`);
    expect(await service.pid('shop')).toBe(shop);
    await endedWell(load);
    // An upgrade on a loaded machine takes longer than this watchdog would wait.
    rmSync('/run/systemd/system/emperor.service.d', { recursive: true });
    await succeed('systemctl', 'daemon-reload');
    await service.systemctl('restart');
  },

  'an upgrade in place keeps the process, and all that systemd knows of it': async () => {
    const pid = await reigning();
    await service.untilState('shop', 'ready');
    const shop = await service.pid('shop');
    const load = loadOn(SHOP);
    for (let turn = 0; turn < 2; turn += 1) expect(await service.cli('upgrade')).toMatchObject({ code: 0 });
    await until(async () => expect(await service.show('SubState')).toBe('running'));
    expect([Number(await service.show('MainPID')), await service.show('NRestarts')]).toEqual([pid, await service.show('NRestarts')]);
    expect(await service.pid('shop')).toBe(shop);
    // The watchdog hears of the new one, and what was kept is kept: killed now, it comes back with all.
    const heard = Number(await service.show('WatchdogTimestampMonotonic'));
    await until(async () => expect(Number(await service.show('WatchdogTimestampMonotonic'))).toBeGreaterThan(heard));
    const asks = answer(LAZY);
    expect(await asks).not.toBeNull();
    process.kill(pid, 'SIGKILL');
    await service.untilSuccessor(pid);
    expect(await service.pid('shop')).toBe(shop);
    await endedWell(load);
    const environment = readFileSync(`/proc/${shop}/environ`, 'utf8');
    expect(environment).not.toMatch(/NOTIFY_SOCKET|WATCHDOG|FDSTORE|INVOCATION_ID/);
  },

  'no descriptor stays in the store of what is gone': async () => {
    await reigning();
    for (const name of ['lazy', 'paused', 'talks']) service.remove(name);
    expect(await service.cli('rescan')).toMatchObject({ code: 0 });
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    // Its listening socket, and its FIFO.
    const pid = await service.show('MainPID');
    const open = (): string => readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${linkOf(`/proc/${pid}/fd/${fd}`)}`).filter((line) => /socket:|fifos/.test(line)).join('\n');
    await until(async () => expect(await service.show('NFileDescriptorStore'), open()).toBe('2'));
  },

  'a socket unit holds the control socket: orders wait while the emperor restarts': async () => {
    const old = await reigning();
    await service.systemctl('stop');
    writeFileSync('/etc/systemd/system/emperor.socket', readFileSync('/opt/emperor/systemd/emperor.socket'));
    await succeed('systemctl', 'daemon-reload');
    expect(await run('systemd-analyze', 'verify', '--man=no', 'emperor.socket')).toEqual({ code: 0, stdout: '', stderr: '' });
    await succeed('systemctl', 'start', 'emperor.socket');
    // Nobody has started it.
    expect((await service.cli('start', 'shop')).code).toBe(0);
    const pid = Number(await service.show('MainPID'));
    expect(pid).not.toBe(old);
    expect(await service.cli('upgrade')).toMatchObject({ code: 0 });
    expect(Number(await service.show('MainPID'))).toBe(pid);
    await succeed('systemctl', 'stop', 'emperor.socket', service.unit);
    await succeed('rm', '/etc/systemd/system/emperor.socket');
    await succeed('systemctl', 'daemon-reload');
  },

  'a socket unit may hold the address of a vassal: it is used, and served after swaps, kills and stops': async () => {
    await service.systemctl('stop');
    writeFileSync('/etc/systemd/system/shop.socket', `[Socket]\nListenStream=127.0.0.1:${SHOP}\nReusePort=yes\nService=emperor.service\n`);
    await succeed('systemctl', 'daemon-reload');
    await succeed('systemctl', 'start', 'shop.socket');
    const first = await untilAnswer(SHOP);
    expect(first).not.toBe('');
    const load = loadOn(SHOP);
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
      const old = Number(await service.show('MainPID'));
      await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
      await service.untilSuccessor(old);
      await service.untilState('shop', 'ready');
    }
    expect(await service.cli('upgrade')).toMatchObject({ code: 0 });
    expect(await service.cli('reload', 'shop')).toMatchObject({ code: 0 });
    await endedWell(load);
    await service.systemctl('restart');
    expect(await answer(SHOP)).not.toBeNull();
    await succeed('systemctl', 'stop', 'shop.socket', service.unit);
    await succeed('rm', '/etc/systemd/system/shop.socket');
    await succeed('systemctl', 'daemon-reload');
  },

  'the path of a unix socket, too, may be that of a socket unit': async () => {
    await service.systemctl('stop');
    writeFileSync('/etc/systemd/system/blog.socket', '[Socket]\nListenStream=/run/blog.sock\nSocketMode=0640\nService=emperor.service\n');
    await succeed('systemctl', 'daemon-reload');
    await succeed('systemctl', 'start', 'blog.socket');
    service.write('blog', `command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(SERVER)}]`, 'listen = "unix:/run/blog.sock"', 'ready = { http = "/" }');
    const ask = (): Promise<string> => succeed('curl', '--silent', '--fail', '--max-time', '20', '--unix-socket', '/run/blog.sock', 'http://blog/');
    await ask();
    expect(statSync('/run/blog.sock').mode & 0o777).toBe(0o640);
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await service.cli('reload', 'blog')).toMatchObject({ code: 0 });
      await ask();
      const old = Number(await service.show('MainPID'));
      await service.systemctl('kill', '--signal=KILL', '--kill-whom=main');
      await ask();
      await service.untilSuccessor(old);
      await ask();
    }
    await service.systemctl('restart');
    await ask();
    // Nobody serves it then, and the first who asks has the emperor started again.
    await service.systemctl('stop');
    await ask();
    service.remove('blog');
    await service.cli('rescan');
    await succeed('systemctl', 'stop', 'blog.socket');
    await succeed('rm', '/etc/systemd/system/blog.socket');
    await succeed('systemctl', 'daemon-reload');
  },

  'several emperors live beside each other, each with its own folders': async () => {
    await reigning();
    expect(await service.cli('systemd', 'print', '--name', 'vassals')).toMatchObject({ code: 2, stderr: expect.stringContaining('a file or folder of the emperor has that name') });
    const other = new Service('blogs-eu');
    other.write('blog', 'command = ["/bin/sleep", "1000"]', 'ready = { after = "1ms" }');
    expect(await service.cli('systemd', 'install', '--name', 'blogs-eu')).toMatchObject({ code: 0 });
    await other.untilState('blog', 'ready');
    expect((await service.status()).vassals.map(({ name }) => name)).toEqual(['shop']);
    expect(await service.cli('systemd', 'uninstall', '--name', 'blogs-eu')).toMatchObject({ code: 0 });
    expect(await other.show('ActiveState')).toBe('inactive');
    expect(await service.show('ActiveState')).toBe('active');
  },

  'uninstall stops it, and removes its units': async () => {
    await reigning();
    const ended = await service.cli('systemd', 'uninstall');
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('removed /etc/systemd/system/emperor.service') });
    expect(await service.show('LoadState')).toBe('not-found');
    expect(await service.cli('systemd', 'uninstall')).toMatchObject({ code: 0, stdout: expect.stringContaining('is not installed') });
  },

  'a user has one without root': async () => {
    installProgram();
    const script = new URL('user-manager.sh', import.meta.url).pathname;
    const ended = await run('sh', script, process.execPath, SERVER);
    expect(ended.stdout + ended.stderr).toContain('adopted by the next one');
    expect(ended.stdout + ended.stderr).toContain('has a unit');
    expect(ended.code).toBe(0);
  },
};

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed meanwhile.
    return '';
  }
}
