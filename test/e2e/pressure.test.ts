import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { asUser } from './nobody.ts';

const isRoot = process.getuid?.() === 0;
const SLEEP = ['/bin/sleep', '100000'];
const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
const SPEAKER = new URL('../fixtures/programs/pings-its-watchdog.py', import.meta.url).pathname;
const EXHAUST = new URL('../fixtures/programs/exhausts-inotify.py', import.meta.url).pathname;

/** A user whom nobody else is, so that a limit of that user is one of this test. */
const nobodyElse = (): number => 1_000_000 + process.pid;

/** Sets the soft limit of an emperor, by its own user. */
function limit(daemon: Daemon, uid: number, what: 'nproc' | 'nofile', most: number | string): void {
  execFileSync('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'prlimit', `--pid=${daemon.process.pid}`, `--${what}=${most}:`]);
}

const untilFailed = async (daemon: Daemon, name: string, text: string): Promise<void> =>
  void (await daemon.until(({ vassals }) => vassals.some((each) => each.name === name && each.failure?.message.includes(text) === true), `${name} failed for ${text}`));

describe('an emperor under pressure', () => {
  it.runIf(isRoot)('that may not fork says so (EAGAIN), tries again, and harms nobody meanwhile', async () => {
    const uid = nobodyElse();
    await using daemon = await asUser(uid, makePlace());
    daemon.write('shop.toml', toml(SLEEP));
    const shop = await daemon.untilState('shop', 'ready');
    limit(daemon, uid, 'nproc', 1);
    daemon.write('late.toml', toml(SLEEP, 'backoff = { max = "250ms" }'));
    await untilFailed(daemon, 'late', 'EAGAIN');
    expect(await daemon.vassal('shop')).toEqual(shop);
    limit(daemon, uid, 'nproc', 4096);
    expect(await daemon.untilState('late', 'ready')).toMatchObject({ failure: null });
  });

  it.runIf(isRoot)('that may open no more files says so (EMFILE), tries again, and harms nobody meanwhile', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const shop = await daemon.untilState('shop', 'ready');
    // What is open stays so.
    limit(daemon, 0, 'nofile', 0);
    for (const name of ['late', 'later', 'last']) daemon.write(`${name}.toml`, toml(SLEEP, 'backoff = { max = "250ms" }'));
    await until(() => expect(daemon.output.filter((line) => line.includes('cannot be taken yet: EMFILE; it is tried again and again'))).toHaveLength(3));
    limit(daemon, 0, 'nofile', 1024);
    for (const name of ['late', 'later', 'last']) expect(await daemon.untilState(name, 'ready')).toMatchObject({ failure: null });
    expect((await daemon.vassal('shop'))?.instances).toEqual(shop.instances);
  });

  it.runIf(isRoot)('that gets no inotify looks at its folders every few seconds instead, and says so', async () => {
    const place = makePlace();
    const uid = nobodyElse();
    // One program has all that a user may have.
    const exhausted = join(place.folder, 'exhausted');
    chmodSync(place.folder, 0o777);
    const hog = spawn('/usr/bin/python3', [EXHAUST, exhausted], { uid, gid: uid, stdio: 'inherit' });
    try {
      await until(() => expect(Number(readFileSync(exhausted, 'utf8'))).toBeGreaterThan(0));
      await using daemon = await asUser(uid, place, { args: ['--rescan', '200ms'] });
      expect(daemon.output.filter((line) => line.includes('cannot watch'))).toEqual([expect.stringContaining('EMFILE (raise fs.inotify.max_user_instances); it is looked at every few seconds instead')]);
      const file = daemon.write('shop.toml', toml(SLEEP));
      const shop = await daemon.untilState('shop', 'ready');
      utimesSync(file, new Date(), new Date(Date.now() + 1_000));
      await daemon.untilReplaced('shop', shop);
    } finally {
      hog.kill('SIGKILL');
    }
  });

  it('that was stopped for a while holds that against nobody, and makes up for what it missed', async () => {
    await using daemon = await Daemon.start();
    const pings = join(daemon.place.folder, 'pings');
    const pinged = (): number => Number(readFileSync(pings, 'utf8'));
    daemon.write('well.toml', ['[vassal]', `command = ["/usr/bin/python3", ${JSON.stringify(SPEAKER)}, ${JSON.stringify(pings)}]`, 'ready = { notify = true }', 'health = { watchdog = "1s" }', ''].join('\n'));
    const port = await freePort();
    const web = daemon.write('web.toml', ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', 'health = { http = "/", interval = "100ms", timeout = "100ms", failures = 1 }', ''].join('\n'));
    daemon.write('mortal.toml', toml(SLEEP));
    const [well, old, mortal] = [await daemon.untilState('well', 'ready'), await daemon.untilState('web', 'ready'), await daemon.untilState('mortal', 'ready')];
    const load = startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
    daemon.process.kill('SIGSTOP');
    const before = pinged();
    utimesSync(web, new Date(), new Date(Date.now() + 1_000));
    process.kill(mortal.instances[0]!.pid!, 'SIGKILL');
    // Four times as long as its watchdog waits.
    await until(() => expect(pinged()).toBeGreaterThan(before + 80));
    daemon.process.kill('SIGCONT');
    await daemon.untilReplaced('web', old);
    await daemon.untilReplaced('mortal', mortal);
    const after = pinged();
    await until(() => expect(pinged()).toBeGreaterThan(after + 40));
    expect(await daemon.vassal('well')).toMatchObject({ restarts: 0, instances: [{ id: well.instances[0]!.id }] });
    expect((await daemon.events('web')).filter(({ event }) => event === 'sick')).toEqual([]);
    const { lost, answered } = await load.end();
    expect([...lost]).toEqual([]);
    expect(answered).toBeGreaterThan(0);
  });

  it('whose instance is stopped for a while has another one take its place, and lets it die', async () => {
    await using daemon = await Daemon.start();
    const port = await freePort();
    daemon.write('web.toml', ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', 'health = { http = "/", interval = "50ms", timeout = "200ms", failures = 2 }', 'stop-timeout = "200ms"', 'linger = "100ms"', ''].join('\n'));
    const old = await daemon.untilState('web', 'ready');
    const pid = old.instances[0]!.pid!;
    process.kill(pid, 'SIGSTOP');
    await daemon.untilReplaced('web', old);
    expect(await answer(port)).not.toBeNull();
    // TERM cannot reach it; KILL does.
    await until(() => expect(readdirSync('/proc')).not.toContain(String(pid)));
  });

  it.each([-3_600, 3_600])('goes on as before when somebody moves the clock by %i s', async (seconds) => {
    const place = makePlace();
    const clock = join(place.folder, 'clock');
    writeFileSync(clock, '+0\n');
    const faked = { LD_PRELOAD: libfaketime(), FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' };
    await using daemon = await Daemon.start(place, { env: faked, args: ['--rescan', '200ms'] });
    const pings = join(place.folder, 'pings');
    daemon.write('well.toml', ['[vassal]', `command = ["/usr/bin/python3", ${JSON.stringify(SPEAKER)}, ${JSON.stringify(pings)}]`, 'ready = { notify = true }', 'health = { watchdog = "1s" }', ''].join('\n'));
    const file = daemon.write('shop.toml', toml(SLEEP));
    const [well, shop] = [await daemon.untilState('well', 'ready'), await daemon.untilState('shop', 'ready')];
    writeFileSync(clock, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    const moved = Date.now() + seconds * 1_000;
    utimesSync(file, new Date(), new Date(Date.now() + 1_000));
    const next = await daemon.untilReplaced('shop', shop);
    expect(Math.abs(Date.parse((await daemon.events('shop')).at(-1)!.at) - moved)).toBeLessThan(600_000);
    process.kill(next.instances[0]!.pid!, 'SIGKILL');
    await daemon.untilReplaced('shop', next);
    daemon.write('fresh.toml', toml(SLEEP));
    await daemon.untilState('fresh', 'ready');
    const count = Number(readFileSync(pings, 'utf8'));
    await until(() => expect(Number(readFileSync(pings, 'utf8'))).toBeGreaterThan(count + 30));
    expect((await daemon.vassal('well'))?.instances).toMatchObject([{ id: well.instances[0]!.id }]);
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
  });

  it('with 500 clients at once, some of which say nothing or never read, answers all others and goes on', async () => {
    await using daemon = await Daemon.start();
    const file = daemon.write('shop.toml', toml(SLEEP));
    const shop = await daemon.untilState('shop', 'ready');
    const silent = Array.from({ length: 100 }, () => connect(daemon.place.control));
    const deaf = Array.from({ length: 50 }, () => connect(daemon.place.control).pause());
    for (const each of deaf) each.write('GET /v1/events?follow=1&limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5));
    const answers = Array.from({ length: 350 }, () => daemon.status());
    utimesSync(file, new Date(), new Date(Date.now() + 1_000));
    await daemon.untilReplaced('shop', shop);
    for (const status of await Promise.all(answers)) expect(status.vassals).toHaveLength(1);
    const { code } = await daemon.cli('restart', 'shop');
    expect(code).toBe(0);
    for (const each of [...silent, ...deaf]) each.destroy();
  });

  it.runIf(isRoot)('on a file system that becomes read-only goes on with what runs, says so, and starts the rest when it can be written to', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place, { through: ['unshare', '--mount', '--'] });
    const inside = (...command: readonly string[]): void => void execFileSync('nsenter', [`--mount=/proc/${daemon.process.pid}/ns/mnt`, ...command]);
    daemon.write('talks.toml', toml(['/bin/sh', '-c', 'while :; do echo tick; sleep 0.01; done']));
    daemon.write('mortal.toml', toml(SLEEP, 'backoff = { max = "250ms" }'));
    const [talks, mortal] = [await daemon.untilState('talks', 'ready'), await daemon.untilState('mortal', 'ready')];
    const folders = [join(place.state, 'fifos'), place.logs];
    for (const folder of folders) {
      inside('mount', '--bind', folder, folder);
      inside('mount', '-o', 'remount,bind,ro', folder);
    }
    // The log that is open stays so, as the mount below is not the one that it was opened on.
    expect(daemon.process.kill('SIGUSR1')).toBe(true);
    process.kill(mortal.instances[0]!.pid!, 'SIGKILL');
    await untilFailed(daemon, 'mortal', 'EROFS');
    await until(() => expect(daemon.output.some((line) => line.includes('"output was lost"') && line.includes('EROFS'))).toBe(true));
    expect((await daemon.vassal('talks'))?.instances).toEqual(talks.instances);
    for (const folder of folders) inside('umount', folder);
    expect(await daemon.untilState('mortal', 'ready')).toMatchObject({ failure: null });
    await until(() => expect(readFileSync(join(place.logs, 'talks.log'), 'utf8')).toContain('tick\n'));
    expect((await daemon.vassal('talks'))?.instances).toEqual(talks.instances);
  });
});

/** Debian's libfaketime, for the threads of Node. */
function libfaketime(): string {
  const found = readdirSync('/usr/lib').map((triplet) => `/usr/lib/${triplet}/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
  if (found === undefined) throw new Error("this test needs Debian's package libfaketime");
  return found;
}
