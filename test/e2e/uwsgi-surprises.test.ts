import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { Daemon, makePlace } from './daemon.ts';
import { answer } from './http.ts';
import { needs } from './needs.ts';
import { Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

it('a worker that is busy when its master is killed does not keep the port from the next one', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  const before = await shop.deployed(['processes = 2']);
  shop.close('slow');
  const slow = answer(shop.port, '/slow');
  await shop.reached('slow');
  process.kill(await shop.master(), 'SIGKILL');
  await daemon.untilReplaced('shop', before);
  await shop.answers('one');
  expect(await slow).toBeNull();
});

it('an edit with the date of the text before it, or with an older one, is deployed', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  const app = join(daemon.place.folder, 'app.py');
  writeFileSync(app, readFileSync(app, 'utf8').replace("str(os.environ.get('UWSGI_EMPEROR_FD'))", "os.environ['WHO']"));
  const text = (who: string): void => {
    shop.deploy([`env = WHO=${who}`]);
    const at = new Date(who === 'older' ? 1_000_000_000_000 : 1_700_000_000_000);
    utimesSync(shop.file, at, at);
  };
  text('first');
  await shop.answers('one first');
  for (const who of ['same', 'older']) {
    text(who);
    await shop.answers(`one ${who}`);
  }
});

it('a fix clears the wait of one that has failed again and again', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  shop.version('broken');
  shop.deploy(['env = X=1'], ['backoff.first = 1h', 'backoff.max = 1h']);
  await daemon.untilState('shop', 'backoff');
  shop.version('one');
  shop.deploy(['env = X=2'], ['backoff.first = 1h', 'backoff.max = 1h']);
  await daemon.untilState('shop', 'ready');
});

/** A file that is on demand at a unix socket. */
const lazy = (path: string, shop: Shop): string => ['[uwsgi]', 'plugin = python3', 'protocol = http', `chdir = ${shop.daemon.place.folder}`, 'wsgi-file = app.py', '[vassal]', `listen = unix:${path}`, 'on-demand = true', ''].join('\n');

it('nobody else is signalled when it ends with vassals that sleep and one that does not heed its stop, and their sockets are gone', async () => {
  const canary = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const place = makePlace();
  const sockets = ['one', 'two', 'three'].map((name) => join(place.folder, `${name}.sock`));
  {
    await using daemon = await Daemon.start(place);
    const shop = await Shop.open(daemon);
    for (const [index, path] of sockets.entries()) daemon.write(`lazy${index}.ini`, lazy(path, shop));
    daemon.write('deaf.toml', `[vassal]\ncommand = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]\nready = { after = "200ms" }\nstop-timeout = "300ms"\n`);
    await daemon.untilState('deaf', 'ready');
    await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'idle').length === 3, 'they sleep');
    expect(sockets.every((path) => existsSync(path))).toBe(true);
    expect(await daemon.end('SIGTERM')).toBe(0);
    expect(sockets.filter((path) => existsSync(path))).toEqual([]);
    expect(daemon.survivors()).toEqual([]);
  }
  expect([canary.exitCode, canary.signalCode]).toEqual([null, null]);
  canary.kill('SIGKILL');
  await once(canary, 'exit');
});

it('with a hook at each exit, all are stopped as without: a request is ended first, nobody is killed', async () => {
  const place = makePlace();
  const config = join(place.folder, 'emperor.toml');
  writeFileSync(config, `vassals-stop-hook = ["sh", "-c", "echo stopped >> ${place.folder}/hooks", "-"]\n`);
  await using daemon = await Daemon.start(place, { args: ['--config', config] });
  const shop = await Shop.open(daemon);
  await shop.deployed();
  shop.close('slow');
  const slow = answer(shop.port, '/slow');
  await shop.reached('slow');
  const ended = daemon.end('SIGTERM');
  shop.open('slow');
  expect([await slow, await ended]).toEqual(['one 3', 0]);
  expect(readFileSync(join(place.folder, 'hooks'), 'utf8')).toBe('stopped\n');
  expect(daemon.output.filter((line) => line.includes('"msg":"killed"'))).toEqual([]);
});

it('of two folders, vassals on demand of each find their files', async () => {
  const place = makePlace();
  const other = join(place.folder, 'other');
  mkdirSync(other);
  await using daemon = await Daemon.start(place, { sources: [place.vassals, other] });
  const shop = await Shop.open(daemon);
  const paths = [join(place.folder, 'here.sock'), join(place.folder, 'there.sock')] as const;
  writeFileSync(join(place.vassals, 'here.ini'), lazy(paths[0], shop));
  writeFileSync(join(other, 'there.ini'), lazy(paths[1], shop));
  for (const [index, name] of ['here', 'there'].entries()) {
    await daemon.untilState(name, 'idle');
    const response = get({ socketPath: paths[index], path: '/', agent: false });
    const [message] = (await once(response, 'response')) as [IncomingMessage];
    message.resume();
    expect(message.statusCode).toBe(200);
    await daemon.untilState(name, 'ready');
  }
});

it('with lazy-apps it is ready when its app is there, and again after a reload', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  shop.close('load');
  shop.deploy(['lazy-apps = true']);
  await shop.reached('load');
  expect((await daemon.vassal('shop'))?.state).toBe('starting');
  shop.open('load');
  await daemon.untilState('shop', 'ready');
  shop.version('two');
  shop.touch();
  await shop.happened('ready', 2);
  await shop.answers('two');
  expect((await daemon.untilState('shop', 'ready')).instances).toMatchObject([{ state: 'ready' }]);
});

it('what an operator has stopped stays stopped, however often the folder is looked at', async () => {
  await using daemon = await Daemon.start();
  const shop = await Shop.open(daemon);
  await shop.deployed();
  expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
  for (let look = 0; look < 3; look += 1) expect(await daemon.cli('rescan')).toMatchObject({ code: 0 });
  expect([(await daemon.vassal('shop'))?.state, await shop.count('spawned')]).toEqual(['stopped', 1]);
  shop.touch();
  await shop.answers('one');
});
