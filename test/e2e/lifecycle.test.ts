import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Daemon, toml } from './daemon.ts';

const SLEEP = ['/bin/sleep', '100000'];

describe('a vassal', () => {
  it('is deployed by a file, reloaded by a touch, replaced by an edit, stopped by removal', async () => {
    await using daemon = await Daemon.start();
    const file = daemon.write('shop.toml', toml(SLEEP));
    const first = await daemon.untilState('shop', 'ready');
    utimesSync(file, new Date(), new Date());
    const second = await daemon.untilReplaced('shop', first);
    expect(second.revision).toBe(1);
    daemon.write('shop.toml', toml(['/bin/sleep', '200000']));
    const third = await daemon.untilReplaced('shop', second);
    expect(third.revision).toBe(2);
    expect(readFileSync(`/proc/${third.instances[0]!.pid}/cmdline`, 'utf8')).toBe(['/bin/sleep', '200000', ''].join('\0'));
    unlinkSync(file);
    await daemon.until((status) => status.vassals.length === 0, 'shop is forgotten');
    expect(daemon.survivors()).toEqual([]);
  });

  it('goes on when its file comes to fault, and takes the mended one', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const first = await daemon.untilState('shop', 'ready');
    daemon.write('shop.toml', toml(SLEEP, 'stop-timout = "1s"'));
    const faulty = await daemon.until((status) => status.vassals[0]?.failure?.code === 'E_KEY_UNKNOWN', 'the fault is shown');
    expect(faulty.vassals[0]).toMatchObject({ state: 'ready', failure: { revision: 2 } });
    expect(faulty.vassals[0]?.failure?.message).toContain('unknown key "stop-timout"');
    expect(faulty.vassals[0]?.instances[0]?.pid).toBe(first.instances[0]?.pid);
    daemon.write('shop.toml', toml(SLEEP, 'stop-timeout = "1s"'));
    const mended = await daemon.untilReplaced('shop', first);
    expect(mended).toMatchObject({ revision: 3, failure: null });
  });

  it('goes on when an edit names a program that is not there, and takes it when it appears', async () => {
    await using daemon = await Daemon.start();
    const program = join(daemon.place.folder, 'app');
    daemon.write('shop.toml', toml(SLEEP));
    const first = await daemon.untilState('shop', 'ready');
    daemon.write('shop.toml', toml([program]));
    await daemon.until((status) => status.vassals[0]?.failure?.code === 'E_PROGRAM_MISSING', 'the fault is shown');
    expect((await daemon.vassal('shop'))?.instances[0]?.pid).toBe(first.instances[0]?.pid);
    writeFileSync(join(daemon.place.folder, 'app.new'), '#!/bin/sh\nexec sleep 100000\n', { mode: 0o755 });
    renameSync(join(daemon.place.folder, 'app.new'), program);
    expect(await daemon.untilReplaced('shop', first)).toMatchObject({ revision: 2, failure: null });
  });

  it('is started again at once when it dies, and waits when it dies again', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const first = await daemon.untilState('shop', 'ready');
    process.kill(first.instances[0]!.pid!, 'SIGKILL');
    const second = await daemon.untilReplaced('shop', first);
    expect(second.restarts).toBe(1);
    process.kill(second.instances[0]!.pid!, 'SIGKILL');
    await daemon.untilReplaced('shop', second);
    const events = (await daemon.events('shop')).map((each) => each.event);
    expect(events.filter((each) => each === 'backoff')).toHaveLength(1);
    expect(events.filter((each) => each === 'exited')).toHaveLength(2);
  });

  it('that dies before it is ready waits longer each time, and says how it ended', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'echo cannot find my database; exit 3'], 'backoff = { first = "10ms" }'));
    const status = await daemon.until((now) => (now.vassals[0]?.restarts ?? 0) >= 3, 'three restarts');
    expect(status.vassals[0]?.failure).toMatchObject({ code: 'E_EXITED' });
    expect(status.vassals[0]?.failure?.message).toContain('exited with code 3');
    const { code, stdout, stderr } = await daemon.cli('restart', 'shop');
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('cannot find my database');
  });

  it('whose children outlive it leaves none of them', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'sleep 100000 & sleep 100000']));
    const { instances } = await daemon.untilState('shop', 'ready');
    await daemon.until(() => daemon.survivors().length === 3, 'a shell and two children');
    process.kill(instances[0]!.pid!, 'SIGKILL');
    await daemon.until((now) => now.vassals[0]?.instances[0]?.id !== instances[0]!.id, 'another instance');
    unlinkSync(join(daemon.place.vassals, 'shop.toml'));
    await daemon.until((now) => now.vassals.length === 0, 'shop is forgotten');
    await expect.poll(() => daemon.survivors()).toEqual([]);
  });

  it('that ignores its stop signal is killed with its whole group', async () => {
    await using daemon = await Daemon.start();
    daemon.write('deaf.toml', toml(['/bin/sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 100000; done'], 'stop-timeout = "200ms"'));
    await daemon.untilState('deaf', 'ready');
    expect((await daemon.cli('stop', 'deaf')).code).toBe(0);
    expect((await daemon.events('deaf')).map((each) => each.event)).toContain('killed');
    await expect.poll(() => daemon.survivors()).toEqual([]);
  });
});

describe('an operator', () => {
  it('stops a vassal for good: not even another emperor starts it', async () => {
    await using daemon = await Daemon.start();
    const file = daemon.write('shop.toml', toml(SLEEP));
    daemon.write('blog.toml', toml(SLEEP));
    await daemon.untilState('shop', 'ready');
    expect((await daemon.cli('stop', 'shop')).code).toBe(0);
    expect(await daemon.vassal('shop')).toMatchObject({ state: 'stopped', want: 'down' });
    expect(await daemon.end()).toBe(0);
    await using next = await daemon.successor();
    await next.untilState('blog', 'ready');
    expect(await next.vassal('shop')).toMatchObject({ state: 'stopped', revision: 1 });
    utimesSync(file, new Date(), new Date());
    await next.untilState('shop', 'ready');
  });

  it('reads the exit codes of the contract', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    daemon.write('broken.toml', '[vassal]\ncomand = "x"\n');
    await daemon.untilState('shop', 'ready');
    await daemon.untilState('broken', 'invalid');
    const codes = async (...args: string[]): Promise<number | null> => (await daemon.cli(...args)).code;
    expect(await codes('status')).toBe(0);
    expect(await codes('status', 'shop')).toBe(0);
    expect(await codes('status', 'broken')).toBe(3);
    expect(await codes('status', 'nobody')).toBe(4);
    expect(await codes('reload', 'shop')).toBe(0);
    expect(await codes('restart', 'shop')).toBe(0);
    expect(await codes('start', 'broken')).toBe(78);
    expect(await codes('check', daemon.place.vassals)).toBe(78);
    expect(await codes('check', join(daemon.place.vassals, 'shop.toml'))).toBe(0);
    expect(await codes('stop', 'nobody')).toBe(4);
    expect(await codes('no-such-verb')).toBe(2);
    expect(await codes('status', '--control', '/nonexistent/socket')).toBe(7);
    expect(await codes('stop', 'shop')).toBe(0);
    expect(await codes('status', 'shop')).toBe(3);
    expect(await codes('start', '--timeout', '10s', 'shop')).toBe(0);
    expect(await codes('shutdown')).toBe(0);
    expect(await daemon.gone()).toBe(0);
    expect(daemon.survivors()).toEqual([]);
  });

  it('gives up waiting with 75 when the outcome does not come in time', async () => {
    await using daemon = await Daemon.start();
    daemon.write('slow.toml', '[vassal]\ncommand = "/bin/sleep 100000"\nready = { after = "1h" }\nstart-timeout = "2h"\n');
    await daemon.untilState('slow', 'starting');
    expect((await daemon.cli('restart', '--timeout', '100ms', 'slow')).code).toBe(75);
  });
});

describe('the emperor', () => {
  it('stops everything on TERM, and exits with 0', async () => {
    await using daemon = await Daemon.start();
    for (const name of ['a', 'b', 'c']) daemon.write(`${name}.toml`, toml(SLEEP));
    await daemon.until((now) => now.vassals.filter((each) => each.state === 'ready').length === 3, 'three are ready');
    expect(await daemon.end()).toBe(0);
    expect(daemon.survivors()).toEqual([]);
    expect(existsSync(daemon.place.control)).toBe(false);
  });

  it('hurries on a second TERM', async () => {
    await using daemon = await Daemon.start();
    daemon.write('deaf.toml', toml(['/bin/sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 100000; done']));
    await daemon.untilState('deaf', 'ready');
    daemon.process.kill('SIGTERM');
    await daemon.untilState('deaf', 'stopping');
    expect(await daemon.end()).toBe(0);
    await expect.poll(() => daemon.survivors()).toEqual([]);
  });

  it('that is killed harms nothing, and the next one takes over what lives', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'while :; do echo tick; sleep 0.01; done']));
    daemon.write('gone.toml', toml(SLEEP));
    const before = await daemon.untilState('shop', 'ready');
    await daemon.untilState('gone', 'ready');
    await daemon.end('SIGKILL');
    expect(daemon.survivors().length).toBeGreaterThan(1);
    unlinkSync(join(daemon.place.vassals, 'gone.toml'));
    await using next = await daemon.successor();
    const after = await next.untilState('shop', 'ready');
    expect(after.instances[0]).toMatchObject({ id: before.instances[0]!.id, pid: before.instances[0]!.pid, adopted: true });
    await next.until((now) => now.vassals.every((each) => each.name !== 'gone'), 'gone is ended');
    process.kill(after.instances[0]!.pid!, 'SIGKILL');
    await next.untilReplaced('shop', after);
  });

  it('can go and leave its instances to the next one', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const before = await daemon.untilState('shop', 'ready');
    expect((await daemon.cli('shutdown', '--keep')).code).toBe(0);
    expect(await daemon.gone()).toBe(0);
    await using next = await daemon.successor();
    expect((await next.untilState('shop', 'ready')).instances[0]?.pid).toBe(before.instances[0]?.pid);
  });

  it('says which emperor has its control socket already', async () => {
    await using daemon = await Daemon.start();
    await expect(Daemon.start(daemon.place)).rejects.toThrow(`pid ${daemon.process.pid}`);
  });

  it('keeps what runs while its folder is away, and says so', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const before = await daemon.untilState('shop', 'ready');
    const away = join(daemon.place.folder, 'away');
    renameSync(daemon.place.vassals, away);
    const blind = await daemon.until((now) => now.emperor.blind.length === 1, 'the source is blind');
    expect(blind.vassals[0]).toMatchObject({ state: 'ready' });
    renameSync(away, daemon.place.vassals);
    await daemon.until((now) => now.emperor.blind.length === 0, 'the source is back');
    expect((await daemon.vassal('shop'))?.instances[0]?.pid).toBe(before.instances[0]?.pid);
  });

  it('begins a new database when the old one is damaged, and says so loudly', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    await daemon.untilState('shop', 'ready');
    await daemon.end();
    for (const suffix of ['-wal', '-shm']) rmSync(join(daemon.place.state, `emperor.db${suffix}`), { force: true });
    writeFileSync(join(daemon.place.state, 'emperor.db'), 'this is no database, but it is long enough to be looked at'.repeat(200));
    await using next = await daemon.successor();
    await next.untilState('shop', 'ready');
    expect(next.output.join('\n')).toContain('E_STORE_DAMAGED');
  });

  it('ends what runs and is in no database, so that nothing runs twice', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(SLEEP));
    const before = await daemon.untilState('shop', 'ready');
    await daemon.end('SIGKILL');
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(daemon.place.state, `emperor.db${suffix}`), { force: true });
    await using next = await daemon.successor();
    const after = await next.untilState('shop', 'ready');
    await next.until((now) => now.vassals.length === 1, 'the stray is ended');
    expect(after.instances[0]?.id).not.toBe(before.instances[0]?.id);
    expect(next.survivors()).toEqual([after.instances[0]?.pid]);
  });

  it('that is killed while it starts many has none of them twice afterwards', async () => {
    await using daemon = await Daemon.start();
    const names = Array.from({ length: 40 }, (_, at) => `v${at}`);
    for (const name of names) daemon.write(`${name}.toml`, toml(SLEEP));
    await expect.poll(() => daemon.survivors().length, { interval: 1 }).toBeGreaterThan(0);
    await daemon.end('SIGKILL');
    await using next = await daemon.successor();
    const status = await next.until((now) => now.vassals.filter((each) => each.state === 'ready').length === names.length, 'all are ready');
    expect(next.survivors().toSorted((a, b) => a - b)).toEqual(status.vassals.map((each) => each.instances[0]!.pid!).toSorted((a, b) => a - b));
  });

  it('deploys fifty files that come at once, each once', async () => {
    await using daemon = await Daemon.start();
    const aside = join(daemon.place.folder, 'aside');
    mkdirSync(aside);
    for (let each = 0; each < 50; each += 1) writeFileSync(join(aside, `v${each}.toml`), toml(SLEEP));
    for (let each = 0; each < 50; each += 1) renameSync(join(aside, `v${each}.toml`), join(daemon.place.vassals, `v${each}.toml`));
    const status = await daemon.until((now) => now.vassals.filter((each) => each.state === 'ready').length === 50, 'fifty are ready');
    expect(status.vassals.every((each) => each.revision === 1 && each.restarts === 0)).toBe(true);
    const launches = (await daemon.events()).filter((each) => each.event === 'launch');
    expect(launches).toHaveLength(50);
  });

  it('has a control socket that only its user and group may use', async () => {
    await using daemon = await Daemon.start();
    expect(statSync(daemon.place.control).mode & 0o777).toBe(0o660);
  });
});
