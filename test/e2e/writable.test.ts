import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { Daemon, makePlace, toml } from './daemon.ts';
import { NOBODY } from './nobody.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const asRoot = process.getuid?.() === 0;
const SLEEP = toml(['/bin/sleep', '100000']);

describe.runIf(asRoot)('as root', () => {
  it('a folder that others can write starts nothing, and one that becomes so costs nothing', async () => {
    const place = makePlace();
    writeFileSync(join(place.vassals, 'shop.toml'), SLEEP);
    chmodSync(place.vassals, 0o777);
    await using daemon = await Daemon.start(place);
    const reason = `others than root can write ${place.vassals} (mode 0777); chmod go-w ${place.vassals}, or run the emperor with --allow-writable`;
    expect(await daemon.status()).toMatchObject({ vassals: [], emperor: { blind: [{ source: `dir://${place.vassals}`, reason }] } });
    expect(daemon.output.some((line) => line.includes('"level":"error"') && line.includes(reason))).toBe(true);
    chmodSync(place.vassals, 0o755);
    const { instances } = await daemon.untilState('shop', 'ready');
    chmodSync(place.vassals, 0o775);
    await daemon.until(({ emperor }) => emperor.blind.length === 1, 'it is blind');
    expect(await daemon.vassal('shop')).toMatchObject({ state: 'ready', instances: [{ id: instances[0]?.id }] });
  });

  it('a file that others can write is a fault of its vassal, with what mends it', async () => {
    await using daemon = await Daemon.start();
    const file = daemon.write('shop.toml', SLEEP);
    const { instances } = await daemon.untilState('shop', 'ready');
    chmodSync(file, 0o666);
    const status = await daemon.until(({ vassals }) => vassals[0]?.failure?.code === 'E_FILE_WRITABLE', 'it is a fault');
    expect(status.vassals[0]).toMatchObject({ state: 'ready', instances: [{ id: instances[0]?.id }], failure: { message: expect.stringContaining(`chmod go-w ${file}`) } });
    chmodSync(file, 0o644);
    await daemon.until(({ vassals }) => vassals[0]?.failure === null && vassals[0].state === 'ready', 'it is none');
  });

  it('both are taken with --allow-writable', async () => {
    const place = makePlace();
    chmodSync(place.vassals, 0o777);
    await using daemon = await Daemon.start(place, { args: ['--allow-writable'] });
    chmodSync(daemon.write('shop.toml', SLEEP), 0o666);
    await daemon.untilState('shop', 'ready');
  });

  it('a checkout of somebody else runs its own examples', async () => {
    const place = makePlace();
    const checkout = join(place.folder, 'checkout');
    for (const part of ['src', 'package.json', 'vassals']) cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, checkout]);
    const child = spawn(process.execPath, ['src/emperor.mjs', 'run', 'vassals', '--state', place.state, '--logs', place.logs, '--control', place.control], { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const output: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        output.push(line);
        if (line.includes('"to":"ready"') && line.includes('"hello"')) break;
      }
      expect(output.filter((line) => line.includes('E_FILE_WRITABLE') || line.includes('"blind"'))).toEqual([]);
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      execFileSync('rm', ['-rf', place.folder]);
    }
  }, 60_000);

  it.each([
    ['belongs to somebody else', (state: string) => chownSync(state, NOBODY, NOBODY), `it belongs to uid ${NOBODY}, and this is uid 0; name another one with --state`],
    ['can be written by others', (state: string) => chmodSync(state, 0o777), 'it can be written by others than its owner (mode 0777'],
  ])('a state folder is refused that %s', async (_what, spoil, message) => {
    const place = makePlace();
    mkdirSync(place.state);
    spoil(place.state);
    await expect(Daemon.start(place)).rejects.toThrow(message);
    execFileSync('rm', ['-rf', place.folder]);
  });
});

it.each(['emperor.db', 'fifos', 'lock'])('a symlink in the state folder in place of %s is not followed', async (name) => {
  const place = makePlace();
  mkdirSync(place.state, { mode: 0o711 });
  const elsewhere = join(place.folder, 'elsewhere');
  symlinkSync(elsewhere, join(place.state, name));
  await expect(Daemon.start(place)).rejects.toThrow(name === 'lock' ? 'ELOOP' : 'symlink, which is not followed');
  expect(lstatSync(elsewhere, { throwIfNoEntry: false })).toBeUndefined();
  execFileSync('rm', ['-rf', place.folder]);
});

it.runIf(asRoot)('the control socket is for its group, and the history names whoever came, by the word of the kernel', async () => {
  await using daemon = await Daemon.start(undefined, { args: ['--control-group', 'games'] });
  chmodSync(daemon.place.folder, 0o755);
  const games = Number(execFileSync('getent', ['group', 'games'], { encoding: 'utf8' }).split(':')[2]);
  expect(statSync(daemon.place.control)).toMatchObject({ gid: games, uid: 0 });
  expect((statSync(daemon.place.control).mode & 0o777).toString(8)).toBe('660');
  daemon.write('shop.toml', SLEEP);
  await daemon.untilState('shop', 'ready');

  const script = 'const http = require("node:http"); http.request({ socketPath: process.argv[1], method: "POST", path: "/v1/stop", headers: { "content-type": "application/json", "emperor-actor": "root%5B1%5D" } }, (answer) => (console.log(process.pid, answer.statusCode), process.exit())).on("error", (error) => console.log(process.pid, error.code)).end(JSON.stringify({ names: ["shop"] }))';
  const knock = (group: number): readonly string[] => execFileSync('setpriv', ['--reuid', String(NOBODY), '--regid', String(group), '--clear-groups', process.execPath, '-e', script, daemon.place.control], { encoding: 'utf8' }).trim().split(' ');
  expect(knock(NOBODY)[1]).toBe('EACCES');
  const [pid, status] = knock(games);
  expect(status).toBe('200');
  await daemon.untilState('shop', 'stopped');
  const orders = (await daemon.events('shop')).filter(({ event }) => event === 'order');
  expect(orders.map(({ actor }) => actor)).toEqual([`nobody[${pid}] claiming "root[1]"`]);
});
