import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, type Place } from './daemon.ts';
import { freePort } from './http.ts';
import { needs } from './needs.ts';
import { Shop } from './uwsgi-shop.ts';

beforeAll(() => needs('uwsgi', 'uwsgi-core uwsgi-plugin-python3'));

/** What is answered there, on a connection of its own; null: nothing. */
async function ask(at: { readonly path: string } | { readonly host: string; readonly port: number }): Promise<string | null> {
  const socket = connect(at);
  socket.on('error', () => socket.destroy());
  socket.end('GET / HTTP/1.0\r\n\r\n');
  let text = '';
  socket.on('data', (piece: Buffer) => (text += piece.toString()));
  await once(socket, 'close');
  return text.split('\r\n\r\n')[1] ?? null;
}

/** A plain file of uWSGI: it says nothing of where it listens. */
function plain(shop: Shop, ...lines: readonly string[]): string {
  shop.file = shop.daemon.write('shop.ini', ['[uwsgi]', 'plugin = python3', 'protocol = http', `chdir = ${shop.daemon.place.folder}`, 'wsgi-file = app.py', 'idle = 1', 'die-on-idle = true', ...lines, ''].join('\n'));
  return shop.file;
}

const started = async (place: Place, ...args: readonly string[]): Promise<Daemon> => await Daemon.start(place, { args });

describe('the three ways of uWSGI to be on demand', () => {
  it('a file beside it says where: it sleeps, wakes, and sleeps again; on IPv6 as well', async () => {
    await using daemon = await started(makePlace(), '--on-demand-extension', '.where');
    const shop = await Shop.open(daemon);
    const at = { host: '::1', port: shop.port };
    writeFileSync(join(daemon.place.vassals, 'shop.ini.where'), `[::1]:${shop.port}\nand more that means nothing`);
    plain(shop);
    expect((await daemon.untilState('shop', 'idle')).listen).toEqual([`[::1]:${shop.port}`]);
    for (const turn of [1, 2]) {
      expect(await ask(at)).toBe('one 4');
      await daemon.untilState('shop', 'idle');
      expect((await shop.happened('exited', turn)).at(-1)).toContain('exited with code 0');
    }
    // Without it, it is a vassal as others are; a touch looks again.
    rmSync(join(daemon.place.vassals, 'shop.ini.where'));
    plain(shop, `http-socket = [::1]:${shop.port}`, 'cheap = false');
    await daemon.until(({ vassals: [each] }) => each?.listen.length === 0, 'it listens nowhere');
    await until(async () => expect(await ask(at)).toBe('one 3'));
  }, 60_000);

  it('a folder has a unix socket of its name: everybody may connect, unless the file says who', async () => {
    const place = makePlace();
    const folder = join(place.folder, 'sockets');
    mkdirSync(folder);
    await using daemon = await started(place, '--on-demand-directory', folder);
    const shop = await Shop.open(daemon);
    const path = join(folder, 'shop.socket');
    plain(shop);
    await daemon.untilState('shop', 'idle');
    expect(statSync(path).mode & 0o777).toBe(0o666);
    expect(await ask({ path })).toBe('one 4');
    plain(shop, 'chmod-socket = 660', 'chown-socket = nobody:www-data');
    const nobody = 65534;
    await until(() => expect([statSync(path).mode & 0o777, statSync(path).uid]).toEqual([0o660, nobody]));
    await daemon.untilState('shop', 'idle');
    expect(await ask({ path })).toBe('one 4');
    // One that says itself where it listens means that, and a file of something else is none of uWSGI's.
    daemon.write('own.ini', `[uwsgi]\nplugin = python3\nprotocol = http\nchdir = ${place.folder}\nwsgi-file = app.py\n[vassal]\nlisten = 127.0.0.1:${shop.port}\n`);
    daemon.write('sleeps.toml', '[vassal]\ncommand = ["sleep", "1000"]\nready = { after = "50ms" }\n');
    expect((await daemon.untilState('own', 'ready')).listen).toEqual([`127.0.0.1:${shop.port}`]);
    await daemon.untilState('sleeps', 'ready');
    rmSync(shop.file);
    await until(() => expect(existsSync(path)).toBe(false));
  }, 60_000);

  it('a command prints where, of a file with any name; one that repeats the address finds the descriptor there', async () => {
    const place = makePlace();
    const program = join(place.folder, 'address-of');
    const port = await freePort();
    writeFileSync(program, `#!/bin/sh\ncase "$1" in *quiet*) exit 0;; *broken*) echo no >&2; exit 3;; esac\nprintf '127.0.0.1:${port}\\n'\n`);
    chmodSync(program, 0o755);
    await using daemon = await started(place, '--on-demand-exec', program);
    const shop = await Shop.open(daemon);
    const text = (...lines: readonly string[]): string => ['[uwsgi]', 'plugin = python3', `chdir = ${place.folder}`, 'wsgi-file = app.py', ...lines, ''].join('\n');
    daemon.write('$(touch oops) "shop\'s.ini', text(`http-socket = 127.0.0.1:${port}`));
    const quiet = await freePort();
    daemon.write('quiet.ini', text(`http-socket = 127.0.0.1:${quiet}`));
    daemon.write('broken.ini', text('http-socket = 127.0.0.1:1'));
    await daemon.untilState('$(touch oops) "shop\'s', 'idle');
    expect([await ask({ host: '127.0.0.1', port }), await ask({ host: '127.0.0.1', port })]).toEqual(['one 4', 'one 4']);
    await daemon.untilState('quiet', 'ready');
    expect(await ask({ host: '127.0.0.1', port: quiet })).toBe('one 3');
    expect((await daemon.untilState('broken', 'invalid')).failure?.message).toMatch(/address-of" cannot say where it is on demand: it ended with code 3; it says: no/);
    expect([existsSync(join(place.vassals, 'oops')), shop.file]).toEqual([false, '']);
  }, 60_000);

  it('an address that cannot be, or that others could have written, is told, and costs one vassal', async () => {
    const place = makePlace();
    chmodSync(place.folder, 0o755);
    await using daemon = await started(place, '--on-demand-extension', '.where');
    const shop = await Shop.open(daemon);
    const beside = join(place.vassals, 'shop.ini.where');
    writeFileSync(beside, 'localhost:80\n');
    plain(shop);
    expect((await daemon.untilState('shop', 'invalid')).failure?.message).toContain('it is to wait for its first connection at "localhost:80"');
    writeFileSync(beside, `127.0.0.1:${shop.port}\n`);
    chownSync(beside, 65534, 65534);
    shop.touch();
    await daemon.until(({ vassals: [each] }) => each?.failure?.message.includes('others can write it') === true, 'it is refused');
    chownSync(beside, 0, 0);
    shop.touch();
    await daemon.untilState('shop', 'idle');
  });

  it('by the command line of an Emperor', async () => {
    const place = makePlace();
    const folder = join(place.folder, 'sockets');
    mkdirSync(folder);
    await using daemon = await Daemon.start(place, { sources: ['--emperor-compat'], args: ['--', '--emperor', place.vassals, '--emperor-on-demand-dir', folder] });
    const shop = await Shop.open(daemon);
    plain(shop);
    await daemon.untilState('shop', 'idle');
    expect(await ask({ path: join(folder, 'shop.socket') })).toBe('one 4');
    expect(daemon.output.join('\n')).toContain(`--emperor-on-demand-dir ${folder} → on-demand-directory in emperor.toml`);
  });
});

describe('connections that wait for one on demand', () => {
  it('are answered though the instance that they have woken crashes, and though the emperor does', async () => {
    const first = await started(makePlace(), '--on-demand-extension', '.where');
    const shop = await Shop.open(first);
    writeFileSync(join(first.place.vassals, 'shop.ini.where'), `127.0.0.1:${shop.port}\n`);
    plain(shop);
    await first.untilState('shop', 'idle');
    shop.close('load');
    const waiting = Array.from({ length: 5 }, () => ask({ host: '127.0.0.1', port: shop.port }));
    await shop.reached('load');
    rmSync(join(first.place.folder, 'load.reached'));
    process.kill(await shop.master(), 'SIGKILL');
    // The next one is on its way to them.
    await shop.reached('load');
    const pid = await shop.master();
    await first.end('SIGKILL');
    await first.gone();
    await using daemon = await Daemon.start(first.place, { args: ['--on-demand-extension', '.where'] });
    await using _ends = daemon;
    expect((await daemon.vassal('shop'))?.instances).toMatchObject([{ pid }]);
    shop.open('load');
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 5 }, () => 'one 4'));
    await daemon.untilState('shop', 'idle');
  }, 60_000);

  it('to a unix socket are answered after a crash, too', async () => {
    const place = makePlace();
    const folder = join(place.folder, 'sockets');
    mkdirSync(folder);
    await using daemon = await started(place, '--on-demand-directory', folder);
    const shop = await Shop.open(daemon);
    plain(shop);
    await daemon.untilState('shop', 'idle');
    shop.close('load');
    const waiting = Array.from({ length: 5 }, () => ask({ path: join(folder, 'shop.socket') }));
    await shop.reached('load');
    process.kill(await shop.master(), 'SIGKILL');
    shop.open('load');
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 5 }, () => 'one 4'));
  });
});
