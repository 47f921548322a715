import { readFileSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace } from './daemon.ts';
import { answer } from './http.ts';
import { needs } from './needs.ts';
import { FIXTURES, Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

describe('a vassal of the real uWSGI', () => {
  it('is ready when it takes requests, not before its app is loaded; its first request makes it loyal, and no second one', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.close('load');
    shop.deploy();
    await shop.reached('load');
    expect((await daemon.vassal('shop'))?.state).toBe('starting');
    shop.open('load');
    const { instances } = await daemon.untilState('shop', 'ready');
    expect(await shop.happened('ready')).toEqual(['it takes requests']);
    expect(await answer(shop.port)).toBe('one 3');
    expect(await shop.happened('answered')).toEqual([`instance ${instances[0]!.id} has answered its first request`]);
    await answer(shop.port);
    expect(await shop.count('answered')).toBe(1);
  });

  it('reloads at a touch in the same process, and again', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed(['processes = 2']);
    const pid = await shop.master();
    for (const version of ['two', 'three']) {
      shop.version(version);
      shop.touch();
      await shop.answers(version);
      await daemon.untilState('shop', 'ready');
    }
    expect(await shop.happened('launch', 3)).toEqual(expect.arrayContaining([expect.stringContaining('told to reload on its channel')]));
    expect([await shop.master(), await shop.count('spawned'), await shop.count('ready')]).toEqual([pid, 1, 3]);
  });

  it('that is touched while it reloads is told once more when it is back, not before', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    const pid = await shop.master();
    shop.close('load');
    shop.touch();
    await shop.reached('load');
    shop.version('two');
    shop.touch();
    await shop.happened('touched', 2);
    shop.open('load');
    await shop.happened('ready', 3);
    await shop.answers('two');
    // A byte at a wrong moment would have cost it a minute: it has this long at most.
    expect([await shop.master(), await shop.count('killed'), await shop.count('rejected')]).toEqual([pid, 0, 0]);
  }, 50_000);

  it('lets a request be finished when it is stopped, and ends with code 0', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    shop.close('slow');
    const slow = answer(shop.port, '/slow');
    await shop.reached('slow');
    const stopped = daemon.cli('stop', 'shop');
    await shop.happened('cursed');
    shop.open('slow');
    expect(await slow).toBe('one 3');
    expect(await stopped).toMatchObject({ code: 0 });
    expect((await shop.happened('exited'))[0]).toContain('exited with code 0');
    expect(await shop.count('killed')).toBe(0);
    expect(daemon.survivors()).toEqual([]);
  });

  it('lets a request be finished that takes longer than an older uWSGI would be waited for', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    const [fromMs, slow] = [performance.now(), answer(shop.port, '/four-seconds')];
    await shop.reached('four-seconds');
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
    expect([await slow, performance.now() - fromMs > 3_000]).toEqual(['one 3', true]);
    expect((await shop.happened('exited'))[0]).toContain('exited with code 0');
  });

  it.each([[[]], [['lazy-apps = true']]])('that loads its app ends at once when it is stopped, with %j', async (lines) => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.close('load');
    shop.deploy(lines);
    await shop.reached('load');
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
    expect(await shop.count('killed')).toBe(0);
  });

  it('that loads its app and is touched starts anew at once', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.close('load');
    shop.deploy();
    await shop.reached('load');
    rmSync(join(daemon.place.folder, 'load.reached'));
    shop.touch();
    await shop.reached('load');
    shop.open('load');
    await daemon.untilState('shop', 'ready');
    expect([await shop.count('spawned'), await shop.count('killed')]).toEqual([2, 0]);
  });

  // In a worker it is uWSGI's own race which code it ends with: 9 times of 20 it was 22, else 0 (2.0.21, started by hand).
  it.each([['before its workers', [], /exited with code 22/], ['in its worker', ['lazy-apps = true'], /exited with code (?:22|0)/]])('whose app cannot be loaded, %s, ends: need-app', async (_where, lines, how) => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.version('broken');
    shop.deploy(lines);
    const { vassals: [vassal] } = await daemon.until(({ vassals: [each] }) => each?.failure?.code === 'E_EXITED', 'it has failed');
    expect(vassal?.failure?.message).toMatch(how);
    expect(await shop.count('ready')).toBe(0);
  });

  it('may say itself that it needs no app', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.version('broken');
    expect((await shop.deployed(['need-app = false'])).state).toBe('ready');
  });

  it('whose new revision dies in its reload goes back to the last good one', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    shop.version('broken');
    shop.deploy(['env = X=1']);
    await shop.happened('rejected');
    shop.version('one');
    const { failure } = await daemon.untilState('shop', 'ready');
    expect(failure).toMatchObject({ revision: 2, code: 'E_EXITED' });
    await shop.answers('one');
  });

  it('whose new revision never comes back goes back to the last good one, too', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const times = ['start-timeout = 3s', 'stop-timeout = 500ms'];
    await shop.deployed([], times);
    shop.close('load');
    shop.deploy(['env = X=1'], times);
    expect((await shop.happened('rejected'))[0]).toContain('was not ready within 3000 ms');
    shop.open('load');
    const { failure } = await daemon.untilState('shop', 'ready');
    expect(failure).toMatchObject({ revision: 2, code: 'E_NOT_READY' });
    await shop.answers('one');
  });

  it('asks for help by its master FIFO: that is written down', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const fifo = join(daemon.place.folder, 'master');
    const { instances } = await shop.deployed([`master-fifo = ${fifo}`]);
    writeFileSync(fifo, 'B');
    expect(await shop.happened('sos')).toEqual([`instance ${instances[0]!.id} asks for help: it has more to do than it can`]);
  });

  it('whose heartbeat stops is replaced; whose heart beats is not', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const before = await shop.deployed(['heartbeat = 1'], ['health.watchdog = 4s', 'stop-timeout = 500ms']);
    // Each heartbeat is sent from where the worker takes requests: without them it would be gone by then.
    for (let request = 0; request < 60; request += 1) expect(await answer(shop.port, '/tenth-of-a-second')).toBe('one 3');
    expect((await daemon.vassal('shop'))?.instances).toMatchObject([{ id: before.instances[0]!.id }]);
    shop.close('slow');
    const slow = answer(shop.port, '/slow');
    await shop.happened('sick');
    shop.open('slow');
    await daemon.untilReplaced('shop', before);
    await slow;
  });

  it('on demand that is idle and asks to be stopped sleeps, and serves who comes then', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    shop.deploy(['idle = 1', 'die-on-idle = true'], [`listen = 127.0.0.1:${shop.port}`, 'on-demand = true']);
    await daemon.untilState('shop', 'idle');
    for (const turn of [1, 2]) {
      expect(await answer(shop.port)).toBe('one 4');
      await daemon.untilState('shop', 'idle');
      expect((await shop.happened('exited', turn)).at(-1)).toContain('exited with code 0');
    }
    expect(await shop.count('killed')).toBe(0);
  });

  it('with `listen` is replaced by an overlap, and the old one is asked to stop', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const before = await shop.deployed([], [`listen = 127.0.0.1:${shop.port}`]);
    shop.version('two');
    shop.touch();
    await daemon.untilReplaced('shop', before);
    await shop.answers('two');
    expect((await shop.happened('exited'))[0]).toContain('exited with code 0');
  });
});

/** Waits until another emperor answers in the same process. */
async function upgrade(daemon: Daemon): Promise<void> {
  const { emperor: { startedAt } } = await daemon.status();
  expect(await daemon.cli('upgrade')).toMatchObject({ code: 0 });
  expect((await daemon.status()).emperor.startedAt).not.toBe(startedAt);
}

describe('without an emperor', () => {
  it.each([['without', []], ['with', ['listen']]])('uWSGI serves on after kill -9, %s sockets of the emperor; the next one hears and tells it, same process', async (_with, keys) => {
    const first = await Daemon.start(makePlace());
    const shop = await Shop.open(first);
    await shop.deployed(['processes = 2'], keys.map((key) => `${key} = 127.0.0.1:${shop.port}`));
    const pid = await shop.master();
    await first.end('SIGKILL');
    expect(await answer(shop.port)).toContain('one');
    await using daemon = await first.successor();
    expect(daemon.output.join('\n')).toContain('1 of 1 adopted, 0 started');
    const next = Object.assign(Object.create(Shop.prototype) as Shop, shop, { daemon });
    // It had its first request when nobody was there to hear of it.
    await next.happened('answered');
    if (keys.length === 0) {
      next.version('two');
      next.touch();
      await next.answers('two');
      await next.happened('ready', 2);
      expect([await next.master(), await next.count('spawned')]).toEqual([pid, 1]);
    }
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
    expect(await next.count('killed')).toBe(0);
  });

  it('uWSGI lives on when the emperor dies while it loads, and is taken for ready by the next one', async () => {
    const first = await Daemon.start(makePlace());
    const shop = await Shop.open(first);
    shop.close('load');
    shop.deploy();
    await shop.reached('load');
    const pid = (await first.vassal('shop'))!.instances[0]!.pid!;
    await first.end('SIGKILL');
    shop.open('load');
    await shop.answers('one');
    await using daemon = await first.successor();
    expect((await daemon.untilState('shop', 'ready')).instances[0]!.pid).toBe(pid);
  });

  it('none of an upgrade in place is felt; each next emperor tells it to reload, same process', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    const pid = await shop.master();
    const channelsOf = (of: number): number => readdirSync(`/proc/${of}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${of}/fd/${fd}`).startsWith('socket:');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      }
    }).length;
    const open: number[] = [];
    for (const version of ['two', 'three', 'four']) {
      await upgrade(daemon);
      shop.version(version);
      shop.touch();
      await shop.answers(version);
      await daemon.untilState('shop', 'ready');
      open.push(channelsOf(daemon.process.pid!));
    }
    expect([await shop.master(), await shop.count('spawned')]).toEqual([pid, 1]);
    expect(Math.max(...open) - Math.min(...open)).toBeLessThanOrEqual(1);
  });
});

/** One with bad manners in place of uWSGI. */
async function deployRude(daemon: Daemon, manner: string, ...vassal: readonly string[]): Promise<string> {
  const file = daemon.write('rude.ini', ['[uwsgi]', `manner = ${manner}`, '[vassal]', ...(vassal.some((line) => line.startsWith('stop-timeout')) ? [] : ['stop-timeout = 300ms']), ...vassal, ''].join('\n'));
  await daemon.untilState('rude', 'ready');
  return file;
}

const rudely = async (): Promise<Daemon> => await Daemon.start(makePlace(), { env: { PATH: `${FIXTURES}:${process.env['PATH'] ?? ''}` } });

describe('one with bad manners', () => {
  it('that says random things for ever costs the emperor little; others are served', async () => {
    await using daemon = await rudely();
    await deployRude(daemon, 'babbles');
    const cpuMs = (): number => {
      const fields = readFileSync(`/proc/${daemon.process.pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    };
    await until(() => expect(daemon.output.filter((line) => line.includes('means nothing'))).toHaveLength(1));
    const [fromMs, fromCpuMs] = [performance.now(), cpuMs()];
    daemon.write('calm.toml', ['[vassal]', 'command = ["sleep", "1000"]', 'ready = { after = "4s" }', ''].join('\n'));
    await daemon.untilState('calm', 'ready');
    // A fifth of one core would be far too much still; a loop that reads all that comes takes a whole one.
    expect((cpuMs() - fromCpuMs) / (performance.now() - fromMs)).toBeLessThan(0.2);
    expect(daemon.output.filter((line) => line.includes('means nothing'))).toHaveLength(1);
    expect(await daemon.cli('stop', 'rude', 'calm')).toMatchObject({ code: 0 });
  });

  it('that reads nothing holds up nobody, and is killed when it has to go', async () => {
    await using daemon = await rudely();
    const file = await deployRude(daemon, 'reads-nothing', 'start-timeout = 1s');
    utimesSync(file, new Date(), new Date());
    await daemon.until(({ vassals: [vassal] }) => vassal?.failure?.code === 'E_NOT_READY', 'its reload has failed');
    await daemon.untilState('rude', 'ready');
    expect(await daemon.cli('stop', 'rude')).toMatchObject({ code: 0 });
    expect(daemon.survivors()).toEqual([]);
  });

  it('that is too old to know a graceful stop is told to stop at once, and is not killed', async () => {
    await using daemon = await rudely();
    await deployRude(daemon, 'old', 'stop-timeout = 20s');
    expect(await daemon.cli('stop', 'rude')).toMatchObject({ code: 0 });
    expect((await daemon.cli('logs', '-n', '20', 'rude')).stdout.match(/told \d/g)).toEqual(['told 2', 'told 0']);
    expect((await daemon.events('rude')).filter(({ event }) => event === 'killed')).toEqual([]);
  });

  it('has one command at a time, and none twice', async () => {
    await using daemon = await rudely();
    const file = await deployRude(daemon, 'obeys');
    utimesSync(file, new Date(), new Date());
    await until(async () => expect((await daemon.events('rude')).filter(({ event }) => event === 'ready')).toHaveLength(2));
    expect(await daemon.cli('stop', 'rude')).toMatchObject({ code: 0 });
    expect((await daemon.cli('logs', '-n', '20', 'rude')).stdout.match(/told \d/g)).toEqual(['told 1', 'told 2']);
  });
});
