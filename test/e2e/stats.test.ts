import { once } from 'node:events';
import { connect } from 'node:net';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/control/protocol.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';
import { answer, freePort } from './http.ts';
import { needs } from './needs.ts';

/** All that is told to who connects. Rejects while nobody is there. */
async function read(port: number): Promise<Record<string, unknown>> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

/** The shape of a document: the type of each field. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]));
}

/** A uWSGI app that answers, and fails at /bad; in python. */
const APP = 'def application(e, start):\n    if e["PATH_INFO"] == "/bad":\n        raise Exception("bad")\n    start("200 OK", [])\n    return [b"ok"]\n';

describe('statistics', () => {
  it('are told field by field as a uWSGI Emperor tells them', async () => {
    needs('uwsgi', 'uwsgi-core');
    const place = makePlace();
    const [own, theirs, http] = [await freePort(), await freePort(), await freePort()];
    writeFileSync(join(place.folder, 'app.py'), APP);
    const file = ['[uwsgi]', 'plugin = python3', 'master = true', `http-socket = 127.0.0.1:${http}`, `wsgi-file = ${join(place.folder, 'app.py')}`, ''].join('\n');
    writeFileSync(join(place.vassals, 'shop.ini'), file);
    const model = execa('uwsgi', ['--emperor', place.vassals, '--emperor-stats', `127.0.0.1:${theirs}`], { reject: false, forceKillAfterDelay: 5_000, stdio: 'ignore' });
    let wanted: Record<string, unknown>;
    try {
      for (;;) {
        wanted = await read(theirs).catch(() => ({}));
        const vassals = wanted['vassals'] as readonly { accepting: number }[] | undefined;
        // One that is told to end while it loads its app hangs for 30 s.
        if (vassals?.[0]?.accepting === 1) break;
      }
    } finally {
      model.kill('SIGINT');
      await model;
    }
    await using daemon = await Daemon.start(place, { args: ['--stats', `127.0.0.1:${own}`] });
    await daemon.untilState('shop', 'ready');
    const told = await read(own);
    expect(shape(told)).toMatchObject(shape(wanted) as object);
    expect(Object.keys(told).slice(0, Object.keys(wanted).length)).toEqual(Object.keys(wanted));
    const { instances } = (await daemon.vassal('shop'))!;
    expect(told['vassals']).toMatchObject([{ id: 'shop.ini', pid: instances[0]?.pid, ready: 1, accepting: 1, zerg: 0, respawns: 0, monitor: daemon.place.vassals.replace(/^/, 'dir://') }]);
  }, 60_000);

  it('are told by HTTP, on a unix socket, and go on over an upgrade', async () => {
    const place = makePlace();
    const path = join(place.folder, 'stats.sock');
    const config = join(place.folder, 'emperor.toml');
    writeFileSync(config, `stats = "${path}"\nstats-http = true\n`);
    await using daemon = await Daemon.start(place, { args: ['--config', config] });
    daemon.write('shop.toml', toml(['sleep', '1000']));
    await daemon.untilState('shop', 'ready');
    const ask = async (): Promise<{ vassals: readonly { id: string }[] }> => JSON.parse((await execa('curl', ['-s', '--unix-socket', path, 'http://stats/'])).stdout) as { vassals: readonly { id: string }[] };
    expect((await ask()).vassals.map(({ id }) => id)).toEqual(['shop.toml']);
    expect((await daemon.cli('upgrade')).code).toBe(0);
    await daemon.untilState('shop', 'ready');
    expect((await ask()).vassals.map(({ id }) => id)).toEqual(['shop.toml']);
  }, 60_000);

  it('are told of a vassal file whose age nobody can tell, too', async () => {
    const port = await freePort();
    await using daemon = await Daemon.start(makePlace(), { args: ['--stats', `127.0.0.1:${port}`, '--tyrant'] });
    symlinkSync('loop.toml', join(daemon.place.vassals, 'loop.toml'));
    await daemon.untilState('loop', 'invalid');
    expect(await read(port)).toMatchObject({ emperor_tyrant: 1, vassals: [{ id: 'loop.toml', born: 0, last_mod: 0, state: 'invalid' }] });
  });

  it('that can be told nowhere cost no vassal anything', async () => {
    await using daemon = await Daemon.start(makePlace(), { args: ['--stats', '/nowhere/at/all'] });
    daemon.write('shop.toml', toml(['sleep', '1000']));
    await daemon.untilState('shop', 'ready');
    expect(daemon.output.filter((line) => line.includes('statistic'))).toEqual([expect.stringMatching(/E_SETTINGS.*cannot tell statistics on unix:\/nowhere\/at\/all: .*\b(?:ENOENT|EACCES)\b.*statistics are told nowhere/)]);
  });

  it('of the workers of uWSGI are shown by the status of one vassal', async () => {
    needs('uwsgi', 'uwsgi-core');
    const place = makePlace();
    const port = await freePort();
    writeFileSync(join(place.folder, 'app.py'), APP);
    await using daemon = await Daemon.start(place);
    daemon.write('shop.ini', ['[vassal]', `listen = 127.0.0.1:${port}`, 'ready.http = /', '[uwsgi]', 'protocol = http', 'plugin = python3', 'master = true', 'processes = 2', `wsgi-file = ${join(place.folder, 'app.py')}`, `stats = ${place.folder}/%n.stats`, ''].join('\n'));
    await daemon.untilState('shop', 'ready');
    for (const path of ['/', '/', '/bad']) await answer(port, path);
    const status = async (): Promise<StatusDocument> => JSON.parse((await daemon.cli('status', 'shop', '--json')).stdout) as StatusDocument;
    const { uwsgi } = (await status()).vassals[0]!;
    expect(uwsgi).toMatchObject({ address: `unix:${place.folder}/shop.stats`, trouble: null, harakiri: 0, exceptions: 1 });
    // The probe has asked, too.
    expect(uwsgi?.requests).toBeGreaterThanOrEqual(4);
    expect(uwsgi?.workers.map(({ id }) => id)).toEqual([1, 2]);
    expect((await daemon.cli('status', 'shop')).stdout).toMatch(/uwsgi {7}2 workers, \d busy, \d+ requests, 1 exceptions, 0 ended by harakiri/);
    expect((await daemon.vassal('shop'))?.uwsgi).toBeNull();
    // One that hangs is waited for, but not for long.
    for (const { pid } of uwsgi?.workers ?? []) process.kill(pid, 'SIGSTOP');
    const [instance] = (await status()).vassals[0]!.instances;
    process.kill(instance!.pid!, 'SIGSTOP');
    await until(async () => expect((await status()).vassals[0]?.uwsgi?.trouble).toBe('no whole answer within 1000 ms'));
    process.kill(instance!.pid!, 'SIGCONT');
    for (const { pid } of uwsgi?.workers ?? []) process.kill(pid, 'SIGCONT');
  }, 60_000);
});
