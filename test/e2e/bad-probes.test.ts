import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import type { WhyDocument } from '../../src/control/protocol.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';
import { answer, freePort, untilAnswer } from './http.ts';

const PROGRAMS = new URL('../fixtures/programs', import.meta.url).pathname;
const program = (name: string, ...args: readonly string[]): string => `command = ${JSON.stringify(['node', `${PROGRAMS}/${name}.mjs`, ...args])}`;

/** The resident memory of a process at its highest, bytes: proc_pid_status(5), VmHWM. */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Processes with that among their arguments. */
function processesWith(argument: string): readonly string[] {
  return readdirSync('/proc').filter((each) => /^\d+$/.test(each)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
  });
}

/** Asks the daemon for its status again and again; tells the longest time that it let us wait, ms. */
function watchLoop(daemon: Daemon): () => Promise<number> {
  const ending = new AbortController();
  let slowestMs = 0;
  const asking = (async () => {
    while (!ending.signal.aborted) {
      const before = performance.now();
      await daemon.status();
      slowestMs = Math.max(slowestMs, performance.now() - before);
    }
  })();
  return async () => {
    ending.abort();
    await asking;
    return slowestMs;
  };
}

/** A stall that people would notice. Whoever reads a gigabyte, or matches for ever, takes longer. */
const STALL_MS = 2_000;
const MANY_BYTES = 96 * 2 ** 20;

/** A manner of answering, how it is asked, and the last answer as the failure tells it. */
type Misfit = readonly [manner: string, ready: string, says: string];

const MISFITS: readonly Misfit[] = [
  ['silent', 'http = "/"', 'no answer within 1 s'],
  ['hangup', 'http = "/"', 'it closed the connection without an answer'],
  ['reset', 'http = "/"', 'connection reset'],
  ['garbage', 'http = "/"', 'not HTTP'],
  ['drip', 'http = "/"', 'no answer within 1 s'],
  ['drip-body', 'http = "/", body = "^ok"', 'HTTP 200, but its body did not end within 1 s'],
  ['short-body', 'http = "/", body = "^ok"', 'HTTP 200, but its body broke off'],
  ['catastrophe', 'http = "/", body = "(a+)+$"', 'HTTP 200, but /(a+)+$/ takes too long to match'],
];

const GIGABYTES: readonly Misfit[] = [
  ['pour-head', 'http = "/"', 'the head of its answer is too large'],
  ['pour-continues', 'http = "/"', 'it announces an answer again and again'],
  ['pour-body', 'http = "/", body = "^ok"', 'HTTP 200, but its body does not match /^ok/'],
  ['pour-500', 'http = "/"', 'HTTP 500'],
];

describe('a readiness probe', () => {
  it.each([['of servers with bad manners', MISFITS], ['of servers that send a gigabyte', GIGABYTES]])('%s ends in time, tells the last answer, and costs the emperor little', async (_what, misfits) => {
    const place = makePlace();
    writeFileSync(join(place.folder, 'emperor.toml'), 'max-starting = 100\n');
    await using daemon = await Daemon.start(place, { args: ['--config', join(place.folder, 'emperor.toml')] });
    daemon.write('neighbour.toml', toml(['/bin/sleep', '100000']));
    const neighbour = await daemon.untilState('neighbour', 'ready');
    const before = peakBytes(daemon.process.pid!);
    const loop = watchLoop(daemon);
    for (const [manner, ready] of misfits) {
      daemon.write(`${manner}.toml`, ['[vassal]', program('answers-badly', manner), `listen = "127.0.0.1:${await freePort()}"`, `ready = { ${ready}, timeout = "1s" }`, 'start-timeout = "6s"', ''].join('\n'));
    }
    const { vassals } = await daemon.until((status) => status.vassals.filter(({ failure }) => failure !== null).length === misfits.length, 'all are given up');
    const slowestMs = await loop();
    const failures = new Map(vassals.map(({ name, failure }) => [name, failure]));
    expect(misfits.map(([manner]) => [manner, failures.get(manner)?.message.replace(/^.* was /, '')])).toEqual(misfits.map(([manner, , says]) => [manner, `not ready within 6000 ms; its last answer: ${says}`]));
    expect(misfits.map(([manner]) => failures.get(manner)?.code)).toEqual(misfits.map(() => 'E_NOT_READY'));
    expect(slowestMs).toBeLessThan(STALL_MS);
    expect(peakBytes(daemon.process.pid!) - before).toBeLessThan(MANY_BYTES);
    expect(await daemon.vassal('neighbour')).toEqual(neighbour);
  });

  it('by connecting is not fooled by a socket that nobody accepts from', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', ['[vassal]', program('never-ready'), `listen = "127.0.0.1:${await freePort()}"`, 'ready = { tcp = true, timeout = "100ms" }', 'start-timeout = "1s"', ''].join('\n'));
    const { vassals: [shop] } = await daemon.until(({ vassals }) => vassals[0]?.failure != null, 'it is given up');
    expect(shop?.failure?.message).toMatch(/its last answer: it did not accept a connection within 100 ms$/);
  });

  it('of lines that match for ever, or by the gigabyte, is given up; who serves beside them notices nothing', async () => {
    await using daemon = await Daemon.start();
    const before = peakBytes(daemon.process.pid!);
    const loop = watchLoop(daemon);
    const print = `console.log('a'.repeat(60) + '!'); setTimeout(print, 20)`;
    daemon.write('catastrophe.toml', ['[vassal]', `command = ${JSON.stringify(['node', '-e', `function print() { ${print}; } print()`])}`, 'ready = { log = "(a+)+$" }', 'start-timeout = "3s"', ''].join('\n'));
    daemon.write('flood.toml', ['[vassal]', program('prints-a-lot'), 'ready = { log = "^no such line" }', 'start-timeout = "3s"', 'log = { max-size = "1M", keep = 1 }', ''].join('\n'));
    const { vassals } = await daemon.until((status) => status.vassals.filter(({ failure }) => failure !== null).length === 2, 'both are given up');
    const slowestMs = await loop();
    expect(vassals.map(({ failure }) => failure?.message.replace(/^.*; its /, ''))).toEqual(['last answer: /(a+)+$/ takes too long to match', 'last answer: no line matches /^no such line/ yet']);
    expect(slowestMs).toBeLessThan(STALL_MS);
    expect(peakBytes(daemon.process.pid!) - before).toBeLessThan(MANY_BYTES);
  });

  it('by a command that hangs, that prints 100 MB, that kills itself or that cannot be started tells what came of it; nothing of it is left', async () => {
    await using daemon = await Daemon.start();
    const before = peakBytes(daemon.process.pid!);
    const loop = watchLoop(daemon);
    // Nobody else sleeps for so long.
    const mark = String(1_000_000 + process.pid);
    const commands = [
      ['hangs', ['/bin/sh', '-c', `sleep "$0" & sleep "$0"`, mark], 'no answer within 1 s'],
      ['kills-itself', ['/bin/sh', '-c', 'kill -9 $$'], 'killed by SIGKILL'],
      ['missing', ['/nonexistent/probe'], 'cannot start /nonexistent/probe for vassal "missing": the program /nonexistent/probe does not exist'],
      ['prints', ['/bin/sh', '-c', 'yes n | head -c 100000000; exit 3'], 'exit code 3: n'],
    ] as const;
    for (const [name, argv] of commands) {
      daemon.write(`${name}.toml`, ['[vassal]', 'command = "sleep 100000"', `ready = { command = ${JSON.stringify(argv)}, timeout = "${name === 'hangs' ? 1 : 5}s", interval = "300ms" }`, 'start-timeout = "6s"', ''].join('\n'));
    }
    const { vassals } = await daemon.until((status) => status.vassals.filter(({ failure }) => failure !== null).length === commands.length, 'all are given up');
    const slowestMs = await loop();
    expect(vassals.map(({ name, failure }) => [name, failure?.message.split('its last answer: ')[1]])).toEqual(commands.map(([name, , says]) => [name, says]));
    expect(slowestMs).toBeLessThan(STALL_MS);
    expect(peakBytes(daemon.process.pid!) - before).toBeLessThan(MANY_BYTES);
    for (const [name] of commands) unlinkSync(join(daemon.place.vassals, `${name}.toml`));
    await daemon.until((status) => status.vassals.length === 0, 'all are forgotten');
    await until(() => expect(processesWith(mark)).toEqual([]));
  });
});

const HEALTH = 'health = { http = "/health", interval = "100ms", failures = 2 }';

/** A shop whose instances are sick while a file is there, under load. */
async function sickly(...more: readonly string[]): Promise<{ readonly daemon: Daemon; readonly port: number; readonly illness: string; readonly load: () => Load; readonly text: (illness: string) => string }> {
  const daemon = await Daemon.start();
  const port = await freePort();
  const illness = join(daemon.place.folder, 'illness');
  const text = (file: string): string => ['[vassal]', program('turns-sick', file), `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', 'linger = "100ms"', HEALTH, ...more, ''].join('\n');
  daemon.write('shop.toml', text(illness));
  await daemon.untilState('shop', 'ready');
  const load = (): Load => startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  return { daemon, port, illness, load, text };
}

describe('a health probe', () => {
  it('has a server that turns sick replaced by an overlap: no request is lost', async () => {
    const { daemon: started, port, load } = await sickly();
    await using daemon = started;
    const before = (await daemon.vassal('shop'))!;
    const loaded = load();
    await untilAnswer(port, () => true, '/break');
    const after = await daemon.untilReplaced('shop', before);
    const { lost, answered } = await loaded.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(10);
    expect(after).toMatchObject({ revision: 1, failure: null });
    const [sick, ...more] = (await daemon.events('shop')).filter(({ event }) => event === 'sick');
    expect(sick?.why).toMatch(/is sick: HTTP 500$/);
    expect(more).toEqual([]);
  });

  it('that every new instance fails, too, has them replaced ever more slowly, and the site is never down', async () => {
    const { daemon: started, illness, load } = await sickly('backoff = { first = "500ms", factor = 2, jitter = 0 }');
    await using daemon = started;
    const loaded = load();
    writeFileSync(illness, '');
    await daemon.until(({ vassals: [shop] }) => Number(shop?.instances[0]?.id.split('#')[1]) > 4, 'the fifth instance');
    const launches = (await daemon.events('shop')).filter(({ event }) => event === 'launch').map(({ at }) => Date.parse(at));
    const { lost } = await loaded.end();
    expect(Object.fromEntries(lost)).toEqual({});
    const waits = launches.slice(1).map((at, index) => at - launches[index]!);
    expect(waits.slice(1, 4).map((wait, nth) => wait >= 500 * 2 ** nth)).toEqual([true, true, true]);
    unlinkSync(illness);
    await daemon.until(({ vassals: [shop] }) => shop?.state === 'ready' && shop.failure === null, 'it is well again');
  });

  it('gives the traffic back to the old one when a canary turns sick, and says why', async () => {
    const { daemon: started, port, load, text } = await sickly('canary = { share = "50%", for = "60s" }');
    await using daemon = started;
    const before = (await daemon.vassal('shop'))!;
    const loaded = load();
    const illness = join(daemon.place.folder, 'another');
    daemon.write('shop.toml', text(illness));
    const canary = await daemon.until(({ vassals: [shop] }) => shop?.stage === 'canary', 'the canary has its share');
    const pid = canary.vassals[0]!.instances.find(({ revision }) => revision === 2)!.pid!;
    await untilAnswer(port, (each) => each === `${pid}\n`);
    writeFileSync(illness, '');
    const { vassals: [shop] } = await daemon.until(({ vassals: [each] }) => each?.state === 'ready' && each.instances.length === 1, 'the canary is gone');
    const { lost } = await loaded.end();
    // Those that waited for it were served before it was told to end.
    expect(Object.fromEntries(lost)).toEqual({});
    expect(shop).toMatchObject({ revision: 1, stage: null, failure: { revision: 2, code: 'E_SICK' } });
    expect(shop?.instances[0]?.pid).toBe(before.instances[0]?.pid);
    const answers = await Promise.all(Array.from({ length: 50 }, () => answer(port)));
    expect(new Set(answers)).toEqual(new Set([`${before.instances[0]?.pid}\n`]));
    const why = await daemon.get<WhyDocument>('/v1/why/shop');
    expect(why.cause).toMatch(/is sick: HTTP 500; the current instance goes on$/);
    expect(why.failure).toMatchObject({ code: 'E_SICK', revision: 2 });
    expect((await daemon.cli('why', 'shop')).stdout).toContain('E_SICK');
    // It is not tried again: only an edit or a touch does that.
    expect((await daemon.events('shop')).filter(({ event }) => event === 'launch')).toHaveLength(2);
  });
});
