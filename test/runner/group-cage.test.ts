import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../src/core/state.ts';
import { findMarked } from '../../src/runner/strays.ts';
import { instanceOf } from '../fakes/instance.ts';
import { until } from '../until.ts';
import { expectNobodyLeft, openHousehold, type Household } from './household.ts';

/** Sends a daemon away: out of the process group, the session and the family. */
const SENDS_AWAY = '(setsid -f sleep 1000 &); exec sleep 1000';

/** Launches an instance that has sent a daemon away. */
async function withDaemon(household: Household, serial: number): Promise<{ readonly instance: Instance; readonly pid: number }> {
  const instance = instanceOf(serial, { argv: ['/bin/sh', '-c', SENDS_AWAY] });
  const { pid } = await household.launch(instance);
  await until(() => expect(findMarked(household.state).filter((each) => each.instance === instance.id && sessionLeader(each.process.pid))).toHaveLength(2));
  return { instance, pid };
}

function sessionLeader(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a direct runner without cgroups', () => {
  it('kills a daemon that an instance has sent away, when that ends, before it is told', async () => {
    await using household = openHousehold();
    const { instance, pid } = await withDaemon(household, 1);
    process.kill(pid, 'SIGTERM');
    await household.exit(instance.id);
    await expectNobodyLeft(household.state);
  });

  it('leaves the daemons of other instances alone', async () => {
    await using household = openHousehold();
    const first = await withDaemon(household, 1);
    const second = await withDaemon(household, 11);
    process.kill(first.pid, 'SIGTERM');
    await household.exit(first.instance.id);
    await until(() => expect(new Set(findMarked(household.state).map((each) => each.instance))).toEqual(new Set([second.instance.id])));
    expect(findMarked(household.state)).toHaveLength(2);
  });

  it('kills the daemons of many that end together', async () => {
    await using household = openHousehold();
    const all = await Promise.all([1, 2, 3, 4, 5, 6].map((serial) => withDaemon(household, serial)));
    for (const { pid } of all) process.kill(pid, 'SIGTERM');
    await Promise.all(all.map(({ instance }) => household.exit(instance.id)));
    await expectNobodyLeft(household.state);
  });

  it('leaves alone whoever has the state folder in the environment and is no instance: it is a setting, too', async () => {
    await using household = openHousehold();
    const bystander = spawn('/bin/sleep', ['1000'], { env: { EMPEROR_STATE: household.state } });
    await once(bystander, 'spawn');
    household.open().cage.sweep(new Set());
    const { instance, pid } = await withDaemon(household, 1);
    process.kill(pid, 'SIGTERM');
    await household.exit(instance.id);
    await expectNobodyLeft(household.state);
    expect(bystander.signalCode).toBeNull();
    bystander.kill();
    expect(await once(bystander, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('does not see the instances of another emperor in a container, though their state folder has the same path', async () => {
    await using household = openHousehold();
    const container = spawn('unshare', ['--pid', '--fork', '--kill-child=SIGKILL', '/bin/sleep', '1000'], { env: { PATH: '/usr/bin:/bin', EMPEROR_STATE: household.state, EMPEROR_INSTANCE: 'shop#1', EMPEROR_VASSAL: 'shop' } });
    const inside = await until(() => {
      const [child] = readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'latin1').split(' ');
      expect(readFileSync(`/proc/${child}/cmdline`, 'latin1')).toContain('sleep');
      return Number(child);
    });
    expect(findMarked(household.state).map((each) => each.process.pid)).not.toContain(inside);
    container.kill('SIGKILL');
    await once(container, 'exit');
  });

  it('kills what an instance left whose end no emperor has seen', async () => {
    await using household = openHousehold();
    const { pid } = await withDaemon(household, 1);
    const living = await withDaemon(household, 2);
    await household.runner[Symbol.asyncDispose]();
    process.kill(pid, 'SIGKILL');
    household.open().cage.sweep(new Set([living.instance.id]));
    await until(() => expect(findMarked(household.state).map((each) => each.instance)).toEqual([living.instance.id, living.instance.id]));
  });

  it('keeps the limits that a process can have for itself', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'ulimit -n; ulimit -Hn; ulimit -v'], limits: { memoryBytes: 2 ** 30, cpu: 1, tasks: null, files: 99 } });
    await household.launch(instance);
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'exited', code: 0 } });
    expect(household.output.textOf(instance.id)).toBe('99\n99\n1048576\n');
    expect(household.troubles).toEqual(['limits.cpu of vassal "shop" cannot be kept here: it needs a cgroup that is delegated to the emperor; it runs without that limit']);
  });
});
