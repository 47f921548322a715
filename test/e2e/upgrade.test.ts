import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import type { StatusDocument } from '../../src/control/protocol.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml, type Place } from './daemon.ts';
import { answer, freePort } from './http.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;

const shop = (port: number, ...more: readonly string[]): string =>
  ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', ...more, ''].join('\n');

const loadOn = (port: number): Load =>
  startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());

const instancesOf = ({ vassals }: StatusDocument): readonly (readonly [string, number | null])[] => vassals.flatMap(({ instances }) => instances.map(({ id, pid }) => [id, pid] as const));

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Waits until another emperor answers in the same process. */
async function untilOther(daemon: Daemon, before: StatusDocument): Promise<StatusDocument> {
  return await until(async () => {
    const now = await daemon.status();
    expect(now.emperor.startedAt).not.toBe(before.emperor.startedAt);
    expect(now.emperor.life).toBe('running');
    return now;
  });
}

it('an upgrade in place keeps the process, its children, their requests and their ends; nothing is left open', async () => {
  await using daemon = await Daemon.start();
  const ports = [await freePort(), await freePort()] as const;
  for (const [index, port] of ports.entries()) daemon.write(`shop${index}.toml`, shop(port));
  daemon.write('ends.toml', toml(['/bin/sh', '-c', 'trap "exit 42" TERM; while :; do sleep 0.1; done'], 'restart = "never"'));
  const before = await daemon.until(({ vassals }) => vassals.length === 3 && vassals.every(({ state }) => state === 'ready'), 'all are ready');
  const loads = ports.map(loadOn);
  const pid = daemon.process.pid!;
  const open: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const ended = await daemon.cli('upgrade');
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^the emperor \\(pid ${pid}\\) was version .* 3 of 3 instances were there before\\n$`)) });
    open.push(descriptorsOf(pid));
  }
  // What an emperor says last is written before it is another one.
  expect(daemon.output.filter((line) => line.includes('has ended'))).toHaveLength(5);
  const after = await daemon.status();
  expect(instancesOf(after)).toEqual(instancesOf(before));
  expect(after.emperor.pid).toBe(pid);
  expect(Math.max(...open) - Math.min(...open)).toBeLessThanOrEqual(4);
  // It is still a child: how it ends can be known.
  process.kill(after.vassals.find(({ name }) => name === 'ends')!.instances[0]!.pid!, 'SIGTERM');
  await daemon.untilState('ends', 'exited');
  const [end] = (await daemon.events('ends')).filter(({ event }) => event === 'exited');
  expect(end?.why).toContain('exited with code 42');
  // And deploys go on.
  const old = (await daemon.vassal('shop0'))!;
  expect(await daemon.cli('reload', 'shop0')).toMatchObject({ code: 0 });
  await daemon.untilReplaced('shop0', old);
  for (const load of loads) {
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(50);
  }
}, 90_000);

it('SIGUSR2 does the same; who waits at an idle or paused vassal meanwhile is answered', async () => {
  await using daemon = await Daemon.start();
  const [lazy, paused] = [await freePort(), await freePort()];
  daemon.write('lazy.toml', shop(lazy, 'on-demand = true'));
  daemon.write('paused.toml', shop(paused));
  await daemon.untilState('lazy', 'idle');
  await daemon.untilState('paused', 'ready');
  expect(await daemon.cli('pause', 'paused')).toMatchObject({ code: 0 });
  const waits = answer(paused);
  const before = await daemon.status();
  daemon.process.kill('SIGUSR2');
  const asks: Promise<string | null>[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const ask = answer(lazy);
      asks.push(ask);
      await ask;
    }
  })();
  await untilOther(daemon, before);
  stop.abort();
  await asking;
  expect((await Promise.all(asks)).filter((each) => each === null)).toEqual([]);
  expect(await daemon.cli('resume', 'paused')).toMatchObject({ code: 0 });
  expect(await waits).not.toBeNull();
}, 60_000);

it('who waits for an instance that has been replaced already is answered by it, also after an upgrade', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  daemon.write('shop.toml', shop(port));
  const pid = (await daemon.untilState('shop', 'ready')).instances[0]!.pid!;
  process.kill(pid, 'SIGSTOP');
  const waits = answer(port);
  daemon.write('shop.toml', shop(port, 'linger = "1ms"'));
  await until(async () => expect((await daemon.events('shop')).map(({ event }) => event)).toContain('swapped'));
  expect(await daemon.cli('upgrade')).toMatchObject({ code: 0 });
  expect(await answer(port)).not.toContain(`${pid} `);
  process.kill(pid, 'SIGCONT');
  expect(await waits).toContain(`${pid} `);
  await until(async () => {
    const { state, instances } = (await daemon.vassal('shop'))!;
    expect([state, instances.map((each) => each.pid === pid)]).toEqual(['ready', [false]]);
  });
}, 60_000);

it('two thousand idle addresses are handed over, more than an environment variable could tell of', async () => {
  await using daemon = await Daemon.start();
  const paths = Array.from({ length: 2_000 }, (_, index) => `unix:${join(daemon.place.folder, `${'long'.repeat(5)}-${index}.sock`)}`);
  // One vassal may have many.
  for (let each = 0; each < 20; each += 1) {
    daemon.write(`lazy${each}.toml`, ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = ${JSON.stringify(paths.slice(each * 100, (each + 1) * 100))}`, 'on-demand = true', ''].join('\n'));
  }
  await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'idle').length === 20, 'all are idle');
  expect(await daemon.cli('upgrade')).toMatchObject({ code: 0 });
  const { vassals } = await daemon.status();
  expect(vassals.map(({ state, failure }) => [state, failure])).toEqual(vassals.map(() => ['idle', null]));
}, 90_000);

it('what changed in the folder during an upgrade is applied after it, and sockets of what is gone are closed', async () => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  const file = daemon.write('lazy.toml', shop(port, 'on-demand = true'));
  await daemon.untilState('lazy', 'idle');
  const before = await daemon.status();
  daemon.process.kill('SIGSTOP');
  daemon.process.kill('SIGUSR2');
  rmSync(file);
  daemon.write('other.toml', toml(['/bin/sleep', '1000']));
  daemon.process.kill('SIGCONT');
  await untilOther(daemon, before);
  await daemon.untilState('other', 'ready');
  expect(await daemon.vassal('lazy')).toBeUndefined();
  expect(await answer(port)).toBeNull();
}, 60_000);

describe('a program that cannot take over', () => {
  /** An installation of our own, which a test can spoil. */
  async function install(): Promise<{ readonly place: Place; readonly program: string; readonly dist: string }> {
    const place = makePlace();
    const program = join(place.folder, 'program');
    mkdirSync(join(program, 'src'), { recursive: true });
    for (const each of ['dist', 'package.json', 'src/emperor.mjs']) cpSync(join(ROOT, each), join(program, each), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(program, 'node_modules'));
    return { place, program: join(program, 'src/emperor.mjs'), dist: join(program, 'dist') };
  }

  it.each<[string, (dist: string) => void, RegExp]>([
    ['does not parse', (dist) => writeFileSync(join(dist, 'main.js'), 'this is no program'), /SyntaxError/],
    ['has lost a part', (dist) => {
      for (const name of readdirSync(join(dist, 'lib'))) if (name.startsWith('boot')) writeFileSync(join(dist, 'lib', name), 'throw new Error("half installed")');
    }, /half installed/],
    ['ends at once', (dist) => writeFileSync(join(dist, 'main.js'), 'process.exit(3)'), /ended with code 3/],
    ['is another program', (dist) => writeFileSync(join(dist, 'main.js'), 'console.log("hello")'), /ended with code 0/],
    ['is too old for the database', (dist) => {
      for (const name of readdirSync(join(dist, 'lib'))) {
        const file = join(dist, 'lib', name);
        writeFileSync(file, readFileSync(file, 'utf8').replace(/LATEST_VERSION = [^;]+;/, 'LATEST_VERSION = 1;'));
      }
    }, /not one for this version/],
  ])('because it %s leaves the present one at work, and is told', async (_what, spoil, says) => {
    const { place, program, dist } = await install();
    await using daemon = await Daemon.start(place, { program });
    daemon.write('shop.toml', toml(['/bin/sleep', '1000']));
    await daemon.untilState('shop', 'ready');
    const before = await daemon.status();
    spoil(dist);
    const ended = await daemon.cli('upgrade');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(says);
    expect(ended.stderr).toContain('the present one goes on');
    expect(await daemon.status()).toEqual(before);
    expect(await daemon.cli('reload', 'shop')).toMatchObject({ code: 0 });
  }, 60_000);
});

it('what an instance prints last that ends in the midst of an upgrade is in its log, once', async () => {
  await using daemon = await Daemon.start();
  const names = Array.from({ length: 8 }, (_, each) => `brief${each}`);
  for (const name of names) daemon.write(`${name}.toml`, toml(['/bin/sh', '-c', 'sleep 0.1; seq -f "$EMPEROR_INSTANCE %%g" 1 100'], 'ready = { after = "1ms" }', 'backoff = { first = "1ms", max = "10ms" }').replace('ready = { after = "50ms" }\n', ''));
  await daemon.untilState('brief7', 'ready');
  for (let turn = 0; turn < 4; turn += 1) expect(await daemon.cli('upgrade')).toMatchObject({ code: 0 });
  for (const name of names) rmSync(join(daemon.place.vassals, `${name}.toml`));
  await daemon.until(({ vassals }) => vassals.length === 0, 'all are gone');
  let ended = 0;
  for (const name of names) {
    const printed = readFileSync(join(daemon.place.logs, `${name}.log`), 'utf8').split('\n');
    for (const { instance, status } of (await daemon.events(name)).filter(({ event }) => event === 'exited')) {
      if (status?.kind !== 'exited') continue;
      ended += 1;
      expect(printed.filter((line) => line.startsWith(`${instance} `)), `${instance}`).toEqual(Array.from({ length: 100 }, (_, each) => `${instance} ${each + 1}`));
    }
  }
  expect(ended).toBeGreaterThan(names.length * 4);
});

it.each(['TCP', 'unix'])('an instance that dies in the midst of an upgrade leaves nobody refused: who connects meanwhile (%s) is answered by the next one', async (kind) => {
  await using daemon = await Daemon.start();
  const port = await freePort();
  const path = join(daemon.place.folder, 'shop.sock');
  daemon.write('shop.toml', kind === 'TCP' ? shop(port) : shop(port).replace(`127.0.0.1:${port}`, `unix:${path}`));
  const { instances: [instance] } = await daemon.untilState('shop', 'ready');
  const before = await daemon.status();
  const load = startLoad({
    address: kind === 'TCP' ? { kind: 'tcp', host: '127.0.0.1', port, v6only: false } : { kind: 'unix', path }, path: '/', connections: 2, keepAlive: false, timeoutMs: 20_000,
  }, () => performance.now());
  daemon.process.kill('SIGUSR2');
  await until(() => expect(daemon.output.some((line) => line.includes('has ended'))).toBe(true));
  process.kill(instance!.pid!, 'SIGKILL');
  await untilOther(daemon, before);
  await daemon.until(({ vassals }) => vassals.some(({ state, instances }) => state === 'ready' && instances[0]?.id !== instance!.id), 'another one serves');
  const { lost, answered } = await load.end();
  // Two requests can have been with the one that was killed.
  expect([...lost.keys()].filter((why) => why.includes('ECONNREFUSED'))).toEqual([]);
  expect([...lost.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2);
  expect(answered).toBeGreaterThan(0);
});
