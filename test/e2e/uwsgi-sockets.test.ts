import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startLoad } from '../../src/cli/load.ts';
import type { Address } from '../../src/core/address.ts';
import { Daemon } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { needs } from './needs.ts';
import { Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

/** What is answered to a request in uWSGI's own protocol: docs, "The uwsgi Protocol". */
async function byUwsgi(port: number): Promise<string | undefined> {
  const variables = Object.entries({ REQUEST_METHOD: 'GET', PATH_INFO: '/', SERVER_PROTOCOL: 'HTTP/1.0', QUERY_STRING: '' }).flat().map((text) => {
    const bytes = Buffer.alloc(2 + text.length, text, 'latin1');
    bytes.writeUInt16LE(text.length);
    bytes.write(text, 2, 'latin1');
    return bytes;
  });
  const body = Buffer.concat(variables);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(body.length, 1);
  const socket = connect(port, '127.0.0.1');
  socket.write(Buffer.concat([head, body]));
  let text = '';
  socket.on('data', (piece: Buffer) => (text += piece.toString()));
  await once(socket, 'close');
  return text.split('\r\n\r\n')[1];
}

/** A file of each format, with its sockets in its own words. PORT, FOLDER, SOCK stand for them. */
const FILES: readonly (readonly [string, string])[] = [
  ['shop.ini', '[uwsgi]\nplugin = python3\nhttp-socket = 127.0.0.1:PORT\nhttp-socket = SOCK\nchmod-socket = 666\nvacuum = true\nprocesses = 2\nchdir = FOLDER\nwsgi-file = app.py\n[vassal]\nadopt-sockets = true\n'],
  ['shop.yaml', 'uwsgi:\n  plugin: python3\n  http-socket:\n    - 127.0.0.1:PORT\n    - SOCK\n  chmod-socket: 666\n  processes: 2\n  chdir: FOLDER\n  wsgi-file: app.py\nvassal:\n  adopt-sockets: true\n'],
  ['shop.json', '{"uwsgi": {"plugin": "python3", "http-socket": ["127.0.0.1:PORT", "SOCK"], "chmod-socket": "666", "processes": 2, "chdir": "FOLDER", "wsgi-file": "app.py"}, "vassal": {"adopt-sockets": true}}'],
  ['shop.xml', '<all><uwsgi><plugin>python3</plugin>\n<http-socket>127.0.0.1:PORT</http-socket>\n<http-socket>SOCK</http-socket>\n<chmod-socket>666</chmod-socket><processes>2</processes><chdir>FOLDER</chdir><wsgi-file>app.py</wsgi-file></uwsgi>\n<vassal><adopt-sockets>true</adopt-sockets></vassal></all>'],
];

describe('adopt-sockets: the sockets of a uWSGI file are held by the emperor', () => {
  it.each(FILES)('%s, touched five times under 8 connections: nothing is lost, on its port and on its unix socket', async (name, text) => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const path = join(daemon.place.folder, 'shop.sock');
    const file = daemon.write(name, text.replaceAll('PORT', String(shop.port)).replaceAll('FOLDER', daemon.place.folder).replaceAll('SOCK', path));
    let before = await daemon.untilState('shop', 'ready');
    expect(before.listen).toEqual([`127.0.0.1:${shop.port}`, `unix:${path}`]);
    expect(statSync(path).mode & 0o777).toBe(0o666);
    const addresses: readonly Address[] = [{ kind: 'tcp', host: '127.0.0.1', port: shop.port, v6only: false }, { kind: 'unix', path }];
    const loads = addresses.map((address) => startLoad({ address, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now()));
    for (let touch = 0; touch < 5; touch += 1) {
      shop.version(`version ${touch}`);
      utimesSync(file, new Date(), new Date());
      before = await daemon.untilReplaced('shop', before);
      await shop.answers(`version ${touch}`);
    }
    for (const load of loads) {
      const { lost, answered } = await load.end();
      expect([Object.fromEntries(lost), answered > 20]).toEqual([{}, true]);
    }
    expect([await shop.count('killed'), await shop.count('rejected')]).toEqual([0, 0]);
  }, 90_000);

  it('belongs to whom the file says, and where it says nothing to whom uWSGI becomes', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    chmodSync(daemon.place.folder, 0o755);
    const [one, other] = [join(daemon.place.folder, 'one.sock'), join(daemon.place.folder, 'other.sock')];
    const ini = (socket: string, ...lines: readonly string[]): string => ['[uwsgi]', 'plugin = python3', `http-socket = ${socket}`, `chdir = ${daemon.place.folder}`, ...lines, '[vassal]', 'adopt-sockets = true', ''].join('\n');
    daemon.write('one.ini', ini(one, 'chmod-socket = 640', 'chown-socket = nobody:www-data'));
    daemon.write('other.ini', ini(other, 'uid = nobody', 'gid = nogroup'));
    await daemon.untilState('one', 'ready');
    await daemon.untilState('other', 'ready');
    const ids = (name: string, file: string): number => Number(readFileSync(file, 'utf8').split('\n').find((line) => line.startsWith(`${name}:`))?.split(':')[2]);
    const seen = [one, other].map((path) => statSync(path)).map(({ uid, gid, mode }) => [uid, gid, mode & 0o777]);
    expect(seen).toEqual([[ids('nobody', '/etc/passwd'), ids('www-data', '/etc/group'), 0o640], [ids('nobody', '/etc/passwd'), ids('nogroup', '/etc/group'), 0o755]]);
    expect(await answer(shop.port)).toBeNull();
  });

  it('keep their protocols, as another user too, and over a reload that uWSGI does by itself', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    chmodSync(daemon.place.folder, 0o755);
    const [other, touched] = [await freePort(), join(daemon.place.folder, 'touched')];
    writeFileSync(touched, '');
    // What the app writes is written by nobody.
    writeFileSync(join(daemon.place.folder, 'load.reached'), '');
    chmodSync(join(daemon.place.folder, 'load.reached'), 0o666);
    shop.deploy([`socket = 127.0.0.1:${other}`, `touch-reload = ${touched}`], ['adopt-sockets = true', 'user = nobody']);
    const { instances: [first] } = await daemon.untilState('shop', 'ready');
    expect([await answer(shop.port), await byUwsgi(other)]).toEqual(['one 5', 'one 5']);
    shop.version('two');
    // It looks at whole seconds only.
    utimesSync(touched, new Date(), new Date(Date.now() + 5_000));
    await shop.answers('two');
    expect(await byUwsgi(other)).toBe('two 5');
    expect((await daemon.untilState('shop', 'ready')).instances).toMatchObject([{ id: first!.id }]);
  });

  it('may be said for all files of a folder, in its defaults; a file without sockets of its own is told so', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    daemon.write('_defaults.toml', '[vassal]\nadopt-sockets = true\n');
    daemon.write('sleeps.toml', '[vassal]\ncommand = ["sleep", "1000"]\nready = { after = "50ms" }\n');
    daemon.write('cron.ini', '[uwsgi]\ncron = 0 3 -1 -1 -1 true\n');
    const before = await shop.deployed(['processes = 2']);
    expect(before.listen).toEqual([`127.0.0.1:${shop.port}`]);
    await daemon.untilState('sleeps', 'ready');
    expect((await daemon.untilState('cron', 'invalid')).failure?.message).toContain('there is no socket to take over');
    shop.version('two');
    shop.touch();
    await daemon.untilReplaced('shop', before);
    await shop.answers('two');
  });

  it('is refused where the file does not allow it, and what runs serves on', async () => {
    await using daemon = await Daemon.start();
    const shop = await Shop.open(daemon);
    const { instances: [first] } = await shop.deployed([], ['adopt-sockets = true']);
    shop.deploy(['shared-socket = 127.0.0.1:0'], ['adopt-sockets = true']);
    const { vassals: [vassal] } = await daemon.until(({ vassals: [each] }) => each?.failure?.code === 'E_KEY_CONFLICT', 'it is refused');
    expect(vassal?.failure?.message).toMatch(/"shared-socket" does not go with adopt-sockets: .*shop\.ini:6; name the address/);
    expect(vassal?.instances).toMatchObject([{ id: first!.id, state: 'ready' }]);
    await shop.answers('one');
  });

  it('serves on after kill -9 of the emperor, and the next one overlaps, too', async () => {
    const first = await Daemon.start();
    const shop = await Shop.open(first);
    const before = await shop.deployed(['processes = 2'], ['adopt-sockets = true']);
    await first.end('SIGKILL');
    expect(await answer(shop.port)).toContain('one');
    await using daemon = await first.successor();
    expect((await daemon.untilState('shop', 'ready')).instances).toMatchObject([{ id: before.instances[0]!.id }]);
    shop.version('two');
    shop.touch();
    await daemon.untilReplaced('shop', before);
    await shop.answers('two');
    rmSync(shop.file);
  });
});
