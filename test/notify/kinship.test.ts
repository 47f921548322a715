import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../src/core/state.ts';
import { readProcessStat } from '../../src/kernel/process-stat.ts';
import { ownerOf, type Kin } from '../../src/notify/kinship.ts';
import { stateOf } from '../runner/household.ts';
import { until } from '../until.ts';

const SHOP = 'shop#1' as InstanceId;
const BLOG = 'blog#2' as InstanceId;
const INSTANCES: ReadonlyMap<number, InstanceId> = new Map([[100, SHOP], [200, BLOG]]);

/** The emperor is 50. 100 and 200 are the first processes of instances. */
const PROCESSES: ReadonlyMap<number, Kin> = new Map([
  [1, { parent: 0, session: 1 }],
  [50, { parent: 1, session: 50 }],
  [100, { parent: 50, session: 100 }],
  [101, { parent: 100, session: 100 }],
  [102, { parent: 101, session: 102 }],
  [103, { parent: 102, session: 102 }],
  [104, { parent: 1, session: 100 }],
  [105, { parent: 104, session: 105 }],
  [60, { parent: 50, session: 60 }],
  [61, { parent: 1, session: 61 }],
  [300, { parent: 301, session: 300 }],
  [301, { parent: 300, session: 300 }],
]);

describe('the instance of a process', () => {
  it.each<[string, number, InstanceId | null]>([
    ['the first process of an instance', 100, SHOP],
    ['the first process of an instance that has ended and is not reaped', 200, BLOG],
    ['a child of it', 101, SHOP],
    ['a child of a child, in a session of its own', 102, SHOP],
    ['a child of that', 103, SHOP],
    ['an orphan in its session', 104, SHOP],
    ['a child of an orphan in its session', 105, SHOP],
    ['the emperor', 50, null],
    ['a child of the emperor that is no instance', 60, null],
    ['a daemon that has left the session and its parent', 61, null],
    ['init', 1, null],
    ['one that is gone', 999, null],
    ['one that we cannot see', 0, null],
    ['a circle, as of numbers given away while we look', 300, null],
  ])('is found, or not, for %s', (_, pid, instance) => {
    expect(ownerOf(pid, (each) => INSTANCES.get(each) ?? null, (each) => PROCESSES.get(each) ?? null)).toBe(instance);
  });

  it('is found for a child of a child of a real process', async () => {
    const instance = spawn('/bin/sh', ['-c', '/bin/sh -c "sleep 1000 & echo \\$!; wait"; :'], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    instance.stdout.on('data', (data: Buffer) => (printed += data.toString()));
    const grandchild = await until(() => {
      expect(printed).toMatch(/^\d+\n$/);
      return Number(printed);
    });
    expect(readProcessStat(grandchild)?.session).toBe(instance.pid);
    const instanceOf = (pid: number): InstanceId | null => (pid === instance.pid ? SHOP : null);
    expect(ownerOf(grandchild, instanceOf)).toBe(SHOP);
    expect(ownerOf(grandchild, instanceOf, (pid) => ({ parent: readProcessStat(pid)?.parent ?? 0, session: 0 }))).toBe(SHOP);
    expect(ownerOf(process.pid, instanceOf)).toBe(null);
    process.kill(-(instance.pid ?? 0), 'SIGKILL');
    await until(() => expect([null, 'Z']).toContain(stateOf(grandchild)));
  });
});
