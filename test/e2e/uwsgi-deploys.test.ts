import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import { Daemon } from './daemon.ts';
import { needs } from './needs.ts';
import { Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

const TIMES = ['start-timeout = 8s', 'stop-timeout = 500ms'];

const loadOn = ({ port }: Shop): Load =>
  startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 2, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());

async function endUnharmed(load: Load): Promise<void> {
  const { lost, answered } = await load.end();
  expect(Object.fromEntries(lost)).toEqual({});
  expect(answered).toBeGreaterThan(10);
}

describe('a plain file of uWSGI, without sockets of the emperor', () => {
  it.each<[string, readonly string[], (shop: Shop) => void, RegExp]>([
    ['has a syntax error', [], (shop) => writeFileSync(shop.file, '[uwsgi\nplugin = python3\n'), /not closed/],
    ['names a folder that is not there', ['chdir = /nowhere'], () => {}, /exited with code 1 before its app was loaded/],
    ['has an app that cannot be imported', [], (shop) => shop.version('broken'), /exited with code 22 before its app was loaded/],
    ['has an app that cannot be imported by its workers', ['lazy-apps = true'], (shop) => shop.version('broken'), /exited with code 22 before its app was loaded/],
    ['has an app that hangs while it loads', [], (shop) => shop.close('load'), /was not ready within 8000 ms/],
  ])('whose new revision %s: the old one serves on, no request is lost, and a fix is deployed', async (what, lines, spoil, says) => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed([], TIMES);
    const pid = await shop.master();
    const load = loadOn(shop);
    shop.deploy(['env = X=1', ...lines], TIMES);
    spoil(shop);
    const { vassals: [vassal] } = await daemon.until(({ vassals: [each] }) => each?.state === 'ready' && says.test(each.failure?.message ?? ''), 'it is refused');
    expect(vassal?.instances).toMatchObject([{ pid }]);
    await shop.answers('one');
    if (what.includes('hangs')) shop.open('load');
    shop.version('two');
    shop.deploy(['env = X=2'], TIMES);
    await shop.answers('two');
    expect((await daemon.untilState('shop', 'ready')).failure).toBeNull();
    expect([await shop.master(), await shop.count('spawned'), await shop.count('killed')]).toEqual([pid, 1, 0]);
    await endUnharmed(load);
  }, 60_000);

  it('tells why: what the attempt printed', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed();
    shop.version('broken');
    const ended = await daemon.cli('reload', 'shop');
    expect(ended.code).toBe(1);
    expect((await daemon.cli('why', 'shop')).stdout).toContain('this version is broken');
  });

  it('that passes when it is tried and dies in the reload goes back to the text that was good, whatever the file says', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed(['env = WHO=%n in %d'], TIMES);
    // The reload is the second time that it is loaded.
    writeFileSync(join(daemon.place.folder, 'app.py'), ['import os', 'ONCE = "/proc/self/cwd/once"', 'if os.path.exists(ONCE): raise RuntimeError("not twice")', 'if os.environ.get("X"): open(ONCE, "w").close()', '',
      'def application(environ, start_response):', "    start_response('200 OK', [])", "    return [('good ' + os.environ['WHO']).encode()]", ''].join('\n'));
    shop.deploy(['env = X=1', 'env = WHO=nobody'], TIMES);
    await shop.happened('rejected');
    writeFileSync(join(daemon.place.folder, 'app.py'), readFileSync(join(daemon.place.folder, 'app.py'), 'utf8').replace('raise RuntimeError("not twice")', 'pass'));
    await daemon.until(({ vassals: [each] }) => each?.state === 'ready' && each.failure?.revision === 2, 'the good one is back');
    await shop.answers(`good shop in ${daemon.place.vassals}/`);
    // What it runs from is kept: the next deploy reloads it in place all the same.
    const pid = await shop.master();
    shop.deploy(['env = WHO=mended'], TIMES);
    await shop.answers('good mended');
    expect([await shop.master(), (await daemon.untilState('shop', 'ready')).failure]).toEqual([pid, null]);
  }, 60_000);

  it('is what it was after a crash, too, though its file is at fault by now', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const before = await shop.deployed();
    writeFileSync(shop.file, '[uwsgi\nplugin = python3\n');
    await daemon.until(({ vassals: [each] }) => each?.failure?.code === 'E_SYNTAX', 'it is at fault');
    process.kill(await shop.master(), 'SIGKILL');
    await daemon.untilReplaced('shop', before);
    await shop.answers('one');
  });

  it('whose emperor dies while its new revision is tried is deployed by the next one', async () => {
    const first = await Daemon.start();
    const shop = await Shop.open(first);
    await shop.deployed();
    const pid = await shop.master();
    shop.close('load');
    shop.deploy(['env = X=1']);
    await shop.reached('load');
    await first.end('SIGKILL');
    shop.version('two');
    shop.open('load');
    await using daemon = await first.successor();
    await shop.answers('two');
    expect((await daemon.untilState('shop', 'ready')).instances[0]?.pid).toBe(pid);
  });

  it('goes back by `rollback`, and the file stays', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    await shop.deployed(['env = X=1']);
    shop.deploy(['env = X=2']);
    await shop.happened('ready', 2);
    expect(await daemon.cli('rollback', 'shop')).toMatchObject({ code: 0 });
    expect(readFileSync(`/proc/${await shop.master()}/cmdline`, 'latin1')).toContain(`${daemon.place.state}/texts/`);
    await shop.answers('one');
  });
});
