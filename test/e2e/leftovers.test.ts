import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OWN_TREE, openTree } from '../runner/cgroup-tree.ts';
import { stateOf } from '../runner/household.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';

/** Double-forks a daemon into a session of its own; `without` its marks or with them. It writes down its pid. */
function sendsAway(place: { readonly folder: string }, without: '' | 'env -i'): readonly string[] {
  return ['/bin/sh', '-c', `(${without} setsid -f sh -c 'echo $$ > ${place.folder}/away; exec sleep 1000' &); exec sleep 1000`];
}

/** The pid of the daemon, once it is away. */
async function away(place: { readonly folder: string }): Promise<number> {
  return await until(() => {
    const text = readFileSync(join(place.folder, 'away'), 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
}

const isGone = async (pid: number): Promise<void> => until(() => expect(stateOf(pid) ?? 'Z').toBe('Z'));

describe.runIf(OWN_TREE !== null)('a vassal that sends a daemon away, with a cgroup for it', () => {
  it('is stopped with all that it has started', async () => {
    await using tree = openTree();
    await using daemon = await Daemon.start(makePlace(), { env: { EMPEROR_CGROUP: tree.folder } });
    expect((await daemon.status()).emperor).toMatchObject({ kills: 'cgroup', limits: ['memory', 'files'] });
    daemon.write('shop.toml', toml(sendsAway(daemon.place, 'env -i')));
    const { instances: [instance] } = await daemon.untilState('shop', 'ready');
    const pid = await away(daemon.place);
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toMatch(/^0::.*\/emperor-test-\w+\/emperor-[0-9a-f]{8}\/1$/m);
    expect(instance).toMatchObject({ id: 'shop#1', memoryBytes: null, cpuMs: expect.any(Number) as number });
    expect((await daemon.cli('status', 'shop')).stdout).toMatch(/^ {2}instance {4}shop#1, pid \d+, ready, .*, cpu 0\.\d s$/m);
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
    await isGone(pid);
    await until(() => expect(tree.leaves()).toEqual([]));
    await daemon.end();
    expect(readdirSync(tree.folder).filter((name) => name.startsWith('emperor-'))).toEqual([]);
  });

  it('is stopped with all that it has started by the next emperor, too, which finds its leaf', async () => {
    await using tree = openTree();
    const place = makePlace();
    const env = { EMPEROR_CGROUP: tree.folder };
    await using first = await Daemon.start(place, { env });
    first.write('shop.toml', toml(sendsAway(place, 'env -i')));
    await first.untilState('shop', 'ready');
    const pid = await away(place);
    await first.end('SIGKILL');
    await using next = await Daemon.start(place, { env });
    expect((await next.untilState('shop', 'ready')).instances).toMatchObject([{ id: 'shop#1', adopted: true, cpuMs: expect.any(Number) as number }]);
    expect(stateOf(pid)).toBe('S');
    expect(tree.leaves()).toEqual(['1']);
    rmSync(join(place.vassals, 'shop.toml'));
    await next.until(({ vassals }) => vassals.length === 0, 'shop is forgotten');
    await isGone(pid);
    await until(() => expect(tree.leaves()).toEqual([]));
  });
});

describe('a vassal that sends a daemon away, without cgroups', () => {
  it('is stopped with all that bears its marks', async () => {
    await using daemon = await Daemon.start();
    expect((await daemon.status()).emperor).toMatchObject({ kills: 'process-group', limits: ['memory', 'files'] });
    daemon.write('shop.toml', toml(sendsAway(daemon.place, '')));
    await daemon.untilState('shop', 'ready');
    const pid = await away(daemon.place);
    expect(await daemon.cli('stop', 'shop')).toMatchObject({ code: 0 });
    await isGone(pid);
    expect(daemon.survivors()).toEqual([]);
  });

  it('leaves nothing behind for the next emperor, should it die while there is none', async () => {
    const place = makePlace();
    await using first = await Daemon.start(place);
    first.write('shop.toml', toml(sendsAway(place, '')));
    const { instances: [instance] } = await first.untilState('shop', 'ready');
    const pid = await away(place);
    await first.end('SIGKILL');
    rmSync(join(place.folder, 'away'));
    process.kill(instance!.pid!, 'SIGKILL');
    await using next = await first.successor();
    await next.untilState('shop', 'ready');
    await isGone(pid);
    expect(await away(place)).not.toBe(pid);
  });

  it('says which limits of its file cannot be kept', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', toml(['sleep', '1000'], 'limits = { memory = "1G", cpu = "50%", tasks = 10, files = 64 }'));
    const { unlimited, instances: [instance] } = await daemon.untilState('shop', 'ready');
    expect(unlimited).toEqual(['cpu', 'tasks']);
    expect((await daemon.cli('status', 'shop')).stdout).toMatch(/^ {2}limits {6}not kept, as the emperor has no cgroup for it: cpu, tasks$/m);
    expect(daemon.output.filter((line) => line.includes('cannot be kept here'))).toHaveLength(2);
    const limits = readFileSync(`/proc/${instance!.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max open files +64 +64 /m);
    expect(limits).toMatch(/^Max address space +1073741824 +1073741824 /m);
  });
});

it('gives instances as many files as it was started with itself', async () => {
  await using daemon = await Daemon.start(makePlace(), { env: { EMPEROR_NOFILE: '1000' } });
  daemon.write('shop.toml', toml(['sleep', '1000']));
  const { instances: [instance] } = await daemon.untilState('shop', 'ready');
  expect(readFileSync(`/proc/${instance!.pid}/limits`, 'utf8')).toMatch(/^Max open files +1000 +(?!1000 )\d+ /m);
});
