import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, toml, type Place } from './daemon.ts';

/** A program that writes down that it ran, and with what. */
function witness(place: Place): string {
  const path = join(place.folder, 'witness');
  writeFileSync(path, `#!/bin/sh\necho "$EMPEROR_HOOK $EMPEROR_VASSAL $EMPEROR_INSTANCE $EMPEROR_REVISION pid=$EMPEROR_PID $* | $EMPEROR_REASON" >> ${join(place.folder, 'seen')}\n`, { mode: 0o755 });
  return path;
}

function seen(place: Place): readonly string[] {
  try {
    return readFileSync(join(place.folder, 'seen'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

/** Their points alone. */
function points(place: Place): readonly string[] {
  return seen(place).map((line) => line.split(' ')[0] ?? '');
}

const SLEEP = ['sleep', '1000'];
const table = (hooks: Readonly<Record<string, string>>): string => ['[vassal.hooks]', ...Object.entries(hooks).map(([name, command]) => `${name} = ${JSON.stringify(command)}`), ''].join('\n');

describe('hooks', () => {
  it('run at each point of a life, in order, as the vassal and with what happened', async () => {
    const place = makePlace();
    const run = witness(place);
    await using daemon = await Daemon.start(place);
    const all = Object.fromEntries(['before-start', 'after-ready', 'before-stop', 'after-exit', 'on-crash'].map((name) => [name, run]));
    daemon.write('shop.toml', toml(SLEEP) + table(all));
    const [first] = (await daemon.untilState('shop', 'ready')).instances;
    await until(() => expect(points(place)).toEqual(['before-start', 'after-ready']));
    expect(seen(place)[0]).toMatch(/^before-start shop shop#1 1 pid=  \| /);
    expect(seen(place)[1]).toMatch(new RegExp(`^after-ready shop shop#1 1 pid=${first?.pid}  \\| it is alive for 50 ms$`));
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until(() => expect([...points(place)].sort()).toEqual(['after-exit', 'after-ready', 'after-ready', 'before-start', 'before-start', 'on-crash']));
    expect((await daemon.cli('stop', 'shop')).code).toBe(0);
    await until(() => expect(points(place).slice(-2)).toEqual(['before-stop', 'after-exit']));
    expect(seen(place).at(-2)).toContain('| it was stopped by an operator');
  });

  it('before-start that fails is a start that failed, with its code and its words; and the next try comes', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    const flag = join(place.folder, 'go');
    daemon.write('shop.toml', `${toml(SLEEP)}backoff = { first = "50ms" }\n${table({ 'before-start': `sh -c 'echo it is not there; test -e ${flag}'` })}`);
    const status = await daemon.until(({ vassals }) => vassals[0]?.failure?.code === 'E_HOOK', 'the hook has failed');
    expect(status.vassals[0]?.failure?.message).toMatch(/the hook before-start \(sh\) of vassal "shop" ended with exit code 1; it printed last: it is not there/);
    expect(status.vassals[0]?.instances.every(({ pid }) => pid === null)).toBe(true);
    await until(() => expect(daemon.output.some((line) => line.includes('hook printed') && line.includes('it is not there'))).toBe(true));
    writeFileSync(flag, '');
    await daemon.untilState('shop', 'ready');
  });

  it('cannot cancel a stop, nor hold it up for longer than the stop timeout; who hangs is ended at its time limit', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    daemon.write('fails.toml', toml(SLEEP) + table({ 'before-stop': 'false' }));
    daemon.write('hangs.toml', `${toml(SLEEP)}stop-timeout = "300ms"\n${table({ 'before-stop': 'sleep 1000', timeout: '600ms' })}`);
    await daemon.untilState('fails', 'ready');
    await daemon.untilState('hangs', 'ready');
    expect((await daemon.cli('stop', 'fails', 'hangs')).code).toBe(0);
    expect(daemon.survivors()).toEqual([]);
    await until(() => expect(daemon.output.some((line) => line.includes('took longer than 600 ms'))).toBe(true));
    const events = await daemon.events();
    expect(events.filter(({ event, name }) => event === 'hook' && name === 'fails').map(({ why }) => why)).toEqual([expect.stringMatching(/before-stop \(false\).* ended with exit code 1/)]);
  });

  it('that hang hold up nobody else', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    for (let each = 0; each < 20; each += 1) daemon.write(`slow-${each}.toml`, toml(SLEEP) + table({ 'after-ready': 'sleep 1000' }));
    await daemon.until(({ vassals }) => vassals.length === 20 && vassals.every(({ state }) => state === 'ready'), 'all are ready');
    daemon.write('shop.toml', toml(SLEEP) + table({ 'before-start': 'true' }));
    await daemon.untilState('shop', 'ready');
    expect((await daemon.cli('restart', 'slow-1', 'shop')).code).toBe(0);
  });

  it('are ended where their start is not wanted any more', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    daemon.write('shop.toml', toml(SLEEP) + table({ 'before-start': 'sleep 1000' }));
    await daemon.untilState('shop', 'starting');
    expect((await daemon.cli('stop', 'shop')).code).toBe(0);
    expect((await daemon.events('shop')).map(({ event }) => event)).not.toContain('spawned');
  });

  it('are not run again by the next emperor, nor after an upgrade', async () => {
    const place = makePlace();
    const run = witness(place);
    await using daemon = await Daemon.start(place);
    daemon.write('shop.toml', toml(SLEEP) + table(Object.fromEntries(['before-start', 'after-ready', 'before-stop', 'after-exit'].map((name) => [name, run]))));
    await daemon.untilState('shop', 'ready');
    await until(() => expect(points(place)).toEqual(['before-start', 'after-ready']));
    expect((await daemon.cli('upgrade')).code).toBe(0);
    await daemon.untilState('shop', 'ready');
    await daemon.end('SIGKILL');
    await using next = await daemon.successor();
    expect((await next.untilState('shop', 'ready')).instances[0]?.adopted).toBe(true);
    expect((await next.cli('stop', 'shop')).code).toBe(0);
    await until(() => expect(points(place)).toEqual(['before-start', 'after-ready', 'before-stop', 'after-exit']));
  });

  it('that run when the emperor upgrades are waited for, and run once', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    const [gate, seenBy] = [join(place.folder, 'gate'), join(place.folder, 'seen')];
    const script = join(place.folder, 'waits');
    writeFileSync(script, `#!/bin/sh\necho begun >> ${seenBy}\nwhile ! test -e ${gate}; do sleep 0.01; done\necho ended >> ${seenBy}\n`, { mode: 0o755 });
    daemon.write('shop.toml', toml(SLEEP) + table({ 'after-ready': script }));
    await daemon.untilState('shop', 'ready');
    await until(() => expect(seen(place)).toEqual(['begun']));
    const upgrade = daemon.cli('upgrade');
    await until(() => expect(daemon.output.some((line) => line.includes('makes way for its successor'))).toBe(true));
    writeFileSync(gate, '');
    expect((await upgrade).code).toBe(0);
    expect((await daemon.untilState('shop', 'ready')).instances[0]?.adopted).toBe(true);
    expect(seen(place)).toEqual(['begun', 'ended']);
  });

  it('that hang when the emperor ends hold it up for 5 s, and end with it', async () => {
    const place = makePlace();
    await using daemon = await Daemon.start(place);
    const pid = join(place.folder, 'pid');
    daemon.write('shop.toml', toml(SLEEP) + table({ 'after-exit': `sh -c 'echo $$ > ${pid}; exec sleep 1000'` }));
    await daemon.untilState('shop', 'ready');
    expect(await daemon.end()).toBe(0);
    expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow('ESRCH');
  });

  it('tell of failed deploys, and of all vassals where the settings say so; also by the names of uWSGI', async () => {
    const place = makePlace();
    const run = witness(place);
    const config = join(place.folder, 'emperor.toml');
    writeFileSync(config, `vassals-start-hook = "${run} started"\nvassals-stop-hook = "${run} stopped"\n[hooks]\non-refusal = "${run}"\non-failure = "${run}"\n`);
    await using daemon = await Daemon.start(place, { args: ['--config', config] });
    const good = `${toml(SLEEP)}reload = "overlap"\n`;
    daemon.write('shop.toml', good);
    await daemon.untilState('shop', 'ready');
    daemon.write('shop.toml', good.replace('"sleep","1000"', '"false"'));
    await until(() => expect([...points(place)].sort()).toEqual(['after-exit', 'before-start', 'before-start', 'on-failure', 'on-refusal']));
    expect(seen(place)[0]).toMatch(/^before-start shop shop#1 1 pid= started shop.toml \|/);
    expect(seen(place).find((line) => line.startsWith('on-refusal'))).toMatch(/^on-refusal shop  2 pid= {2}\| instance shop#2 exited with code 1/);
  });
});
