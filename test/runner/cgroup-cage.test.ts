import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Limits } from '../../src/core/spec.ts';
import { NO_USAGE, type Cage } from '../../src/runner/cage.ts';
import { openCgroupCage } from '../../src/runner/cgroup-cage.ts';
import { limitFiles, numberOf } from '../../src/runner/limit-files.ts';
import { HandClock } from '../fakes/clock.ts';
import { instanceOf } from '../fakes/instance.ts';
import { until } from '../until.ts';
import { OWN_TREE, openTree } from './cgroup-tree.ts';
import { expectNobodyLeft, openHousehold, stateOf } from './household.ts';

const NO_LIMITS: Limits = { memoryBytes: null, cpu: null, tasks: null, files: null };
const ALL = new Set(['memory', 'cpu', 'pids'] as const);

describe('the files of limits', () => {
  it.each([
    [NO_LIMITS, []],
    [{ ...NO_LIMITS, memoryBytes: 67_108_864 }, ['memory.max=67108864', 'memory.swap.max=0']],
    [{ ...NO_LIMITS, cpu: 0.5 }, ['cpu.max=50000 100000']],
    [{ ...NO_LIMITS, cpu: 2 }, ['cpu.max=200000 100000']],
    [{ ...NO_LIMITS, cpu: 0.01 }, ['cpu.max=1000 100000']],
    [{ ...NO_LIMITS, tasks: 20 }, ['pids.max=20']],
    [{ ...NO_LIMITS, files: 64 }, []],
  ])('of %j are %j', (limits, expected) => {
    expect(limitFiles(limits, ALL).map(({ name, value }) => `${name}=${value}`)).toEqual(expected);
  });

  it('are only those of controllers that are there', () => {
    expect(limitFiles({ memoryBytes: 1, cpu: 1, tasks: 1, files: 1 }, new Set(['pids'])).map(({ name }) => name)).toEqual(['pids.max']);
  });

  it.each([['low 0\noom 1\noom_kill 3\noom_group_kill 0\n', 3], ['low 0\n', null], [null, null], ['oom_kill x', null]])('%j has a number of oom_kill: %j', (text, expected) => {
    expect(numberOf(text, 'oom_kill')).toBe(expected);
  });
});

/** A cage in plain files that stand in for those of the kernel. */
function standIn(controllers: ReadonlySet<'memory' | 'cpu' | 'pids'> = ALL): { readonly cage: Cage; readonly folder: string; readonly troubles: string[]; readonly asked: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-cage-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const troubles: string[] = [];
  const asked: string[] = [];
  const otherwise: Cage = {
    kills: 'process-group', keeps: new Set(), usage: () => NO_USAGE, sweep() {}, [Symbol.dispose]() {},
    enter: () => ({ cgroup: null, addressSpace: 4711 }),
    kill: (instance) => void asked.push(`kill ${instance}`),
    clear(instance) {
      asked.push(`clear ${instance}`);
      return { outOfMemory: false };
    },
  };
  return { folder, troubles, asked, cage: openCgroupCage({ folder, controllers, clock: new HandClock(), otherwise, onTrouble: (message) => troubles.push(message) }) };
}

describe('a cage of cgroups', () => {
  const limited = instanceOf(12, { limits: { memoryBytes: 2 ** 26, cpu: 0.5, tasks: 20, files: null } });

  it('writes the limits of an instance into its leaf', () => {
    const { cage, folder } = standIn();
    expect(cage.enter('shop', limited)).toEqual({ cgroup: join(folder, '12'), addressSpace: null });
    const files = Object.fromEntries(readdirSync(join(folder, '12')).map((name) => [name, readFileSync(join(folder, '12', name), 'utf8')]));
    expect(files).toEqual({ 'memory.max': '67108864', 'memory.swap.max': '0', 'cpu.max': '50000 100000', 'pids.max': '20' });
    expect(cage.keeps).toEqual(new Set(['memory', 'files', 'cpu', 'tasks']));
  });

  it('limits the address space where memory is not counted', () => {
    const { cage } = standIn(new Set(['pids']));
    expect(cage.enter('shop', limited)).toMatchObject({ addressSpace: 2 ** 26 });
    expect(cage.keeps).toEqual(new Set(['memory', 'files', 'tasks']));
  });

  it('lets an instance start without a leaf that cannot be made, and says so', () => {
    const { cage, folder, troubles, asked } = standIn();
    writeFileSync(join(folder, '12'), 'in the way');
    expect(cage.enter('shop', limited)).toEqual({ cgroup: null, addressSpace: 4711 });
    expect(troubles).toEqual([expect.stringMatching(/^cannot make a cgroup for instances: EEXIST.*; they are kept together by their process groups alone$/)]);
    rmSync(join(folder, '12'));
    cage.kill(limited.id);
    expect(cage.clear(limited.id)).toEqual({ outOfMemory: false });
    expect(asked).toEqual(['kill shop#12', 'clear shop#12']);
  });

  it('lets an instance start without a limit that cannot be set, and says so', () => {
    const { cage, folder, troubles } = standIn();
    mkdirSync(join(folder, '12', 'pids.max'), { recursive: true });
    mkdirSync(join(folder, '12', 'memory.swap.max'));
    mkdirSync(join(folder, '12', 'memory.max'));
    expect(cage.enter('shop', limited)).toMatchObject({ addressSpace: 2 ** 26 });
    expect(troubles).toEqual([expect.stringMatching(/^cannot limit vassal "shop" by memory.max: EISDIR/), expect.stringMatching(/^cannot limit vassal "shop" by pids.max: EISDIR/)]);
  });

  it.each([
    ['killed for lack of memory', 'low 0\noom 2\noom_kill 1\n', false, true],
    ['not', 'low 0\noom 0\noom_kill 0\n', false, false],
    ['killed by ourselves, whatever was before', 'oom_kill 1\n', true, false],
    ['of a kernel that does not tell', null, false, false],
  ])('tells of an instance that was %s', (_what, events, killed, outOfMemory) => {
    const { cage, folder } = standIn();
    cage.enter('shop', limited);
    if (events !== null) writeFileSync(join(folder, '12', 'memory.events'), events);
    if (killed) cage.kill(limited.id);
    expect(cage.clear(limited.id)).toEqual({ outOfMemory });
    expect(readFileSync(join(folder, '12', 'cgroup.kill'), 'utf8')).toBe('1');
  });

  it('tells what an instance uses, as far as the kernel does', () => {
    const { cage, folder } = standIn();
    expect(cage.usage(limited.id)).toEqual(NO_USAGE);
    cage.enter('shop', limited);
    writeFileSync(join(folder, '12', 'cpu.stat'), 'usage_usec 1234567\nuser_usec 1\n');
    expect(cage.usage(limited.id)).toEqual({ memoryBytes: null, cpuMs: 1235 });
    writeFileSync(join(folder, '12', 'memory.current'), '8192\n');
    expect(cage.usage(limited.id)).toEqual({ memoryBytes: 8192, cpuMs: 1235 });
  });

  it('kills what is in the leaves of instances that do not go on', () => {
    const { cage, folder } = standIn();
    for (const serial of [1, 2]) cage.enter('shop', instanceOf(serial));
    cage.sweep(new Set([instanceOf(2).id]));
    expect([1, 2].map((serial) => existsSync(join(folder, String(serial), 'cgroup.kill')))).toEqual([true, false]);
    expect(existsSync(join(folder, '2'))).toBe(true);
  });

  it('takes back a leaf whose last process takes its time to die', () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-cage-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const clock = new HandClock();
    const cage = openCgroupCage({ folder, controllers: new Set(), clock, otherwise: standIn().cage, onTrouble() {} });
    cage.enter('shop', limited);
    cage.clear(limited.id);
    // Plain files hold a folder as processes hold a cgroup.
    clock.advance(1_000);
    expect(existsSync(join(folder, '12'))).toBe(true);
    rmSync(join(folder, '12', 'cgroup.kill'));
    clock.advance(1_000);
    expect(existsSync(join(folder, '12'))).toBe(false);
    expect(clock.waiting).toBe(0);
    cage[Symbol.dispose]();
    expect(existsSync(folder)).toBe(false);
  });
});

/** Sends a daemon away: out of the process group, the session and the family, without a mark. It tells its pid. */
const SENDS_AWAY = '(env -i setsid -f sh -c \'echo "away $$"; exec sleep 1000\' &); exec sleep 1000';

describe.runIf(OWN_TREE !== null)('a direct runner with cgroups', () => {
  it('starts an instance in its leaf, and takes the leaf back', async () => {
    await using tree = openTree();
    await using household = openHousehold(process.env, tree.folder);
    const instance = instanceOf(5, { argv: ['/bin/sh', '-c', 'cat /proc/$$/cgroup; kill -STOP $$'] });
    const { pid } = await household.launch(instance);
    await until(() => expect(household.output.textOf(instance.id)).toMatch(/^0::.*\/emperor-test-\w+\/emperor-[0-9a-f]{8}\/5$/m));
    expect(tree.leaves()).toEqual(['5']);
    expect(household.cage.usage(instance.id).cpuMs).toBeGreaterThanOrEqual(0);
    process.kill(pid, 'SIGKILL');
    expect(await household.exit(instance.id)).toEqual({ type: 'exited', instance: instance.id, status: { kind: 'killed', signal: 'SIGKILL' } });
    await until(() => expect(tree.leaves()).toEqual([]));
    expect(household.troubles).toEqual([]);
  });

  it.each(['when its first process ends', 'with SIGKILL to the group'])('kills a daemon that an instance has sent away, %s', async (how) => {
    await using tree = openTree();
    await using household = openHousehold(process.env, tree.folder);
    const instance = instanceOf(5, { argv: ['/bin/sh', '-c', SENDS_AWAY] });
    const { pid } = await household.launch(instance);
    const away = await until(() => Number(/^away (\d+)$/m.exec(household.output.textOf(instance.id))?.[1] ?? expect.fail('not away yet')));
    if (how.startsWith('when')) process.kill(pid, 'SIGTERM');
    else household.runner.signal(instance.id, 'SIGKILL', 'group');
    await household.exit(instance.id);
    await until(() => expect(stateOf(away) ?? 'Z').toBe('Z'));
    await until(() => expect(tree.leaves()).toEqual([]));
  });

  it('knows the leaf of an instance that an earlier runner started', async () => {
    await using tree = openTree();
    await using household = openHousehold(process.env, tree.folder);
    const instance = instanceOf(5, { argv: ['/bin/sh', '-c', SENDS_AWAY] });
    const proof = await household.launch(instance);
    const away = await until(() => Number(/^away (\d+)$/m.exec(household.output.textOf(instance.id))?.[1] ?? expect.fail('not away yet')));
    await household.runner[Symbol.asyncDispose]();
    household.cage[Symbol.dispose]();
    const next = household.open();
    expect(next.runner.adopt('shop', { ...instance, process: proof })).toBe(true);
    next.cage.sweep(new Set([instance.id]));
    expect(stateOf(away)).not.toBe('Z');
    expect(tree.leaves()).toEqual(['5']);
    next.runner.signal(instance.id, 'SIGTERM', 'main');
    await until(() => expect(next.events).toMatchObject([{ type: 'exited', instance: instance.id }]));
    await until(() => expect(stateOf(away) ?? 'Z').toBe('Z'));
    await until(() => expect(tree.leaves()).toEqual([]));
  });

  it('kills what an instance left whose end no emperor has seen', async () => {
    await using tree = openTree();
    await using household = openHousehold(process.env, tree.folder);
    const instance = instanceOf(5, { argv: ['/bin/sh', '-c', SENDS_AWAY] });
    const proof = await household.launch(instance);
    const away = await until(() => Number(/^away (\d+)$/m.exec(household.output.textOf(instance.id))?.[1] ?? expect.fail('not away yet')));
    await household.runner[Symbol.asyncDispose]();
    process.kill(proof.pid, 'SIGKILL');
    await expectNobodyLeft(household.state);
    expect(tree.leaves()).toEqual(['5']);
    household.open().cage.sweep(new Set());
    await until(() => expect(stateOf(away) ?? 'Z').toBe('Z'));
    await until(() => expect(tree.leaves()).toEqual([]));
  });
});

