import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlClient } from '../../src/control/client.ts';
import { Bench, median, pause, toml } from './host.ts';
import { ms, type Figure } from './table.ts';

const ROUNDS = 3;

/** What it takes to be there again, with many instances: after a kill, and in an upgrade in place. */
export async function survival(count = 1_000): Promise<readonly Figure[]> {
  await using bench = new Bench();
  for (let each = 0; each < count; each += 1) writeFileSync(join(bench.vassals, `v${each}.toml`), toml(bench.probe.sleeper(`v${each}`)));
  let emperor = await bench.emperor();
  await bench.probe.until('up', 0, count);
  await settled(bench, count);
  const adoptions: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    emperor.kill('SIGKILL');
    await once(emperor, 'exit');
    const from = performance.now();
    emperor = await bench.emperor();
    await adopted(bench, emperor, count);
    adoptions.push(performance.now() - from);
  }
  const upgrades: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const client = controlClient(bench.control, 'bench');
    const { startedAt } = await client.emperor();
    await client.upgrade();
    // From the moment when the new program has proved itself.
    const from = performance.now();
    while ((await client.emperor().catch(() => null))?.startedAt === startedAt || (await client.emperor().catch(() => null)) === null) await pause(5);
    await adopted(bench, emperor, count);
    upgrades.push(performance.now() - from);
  }
  return [
    { what: `${count} instances after kill -9: exec → all adopted`, ours: ms(median(adoptions)), floor: '', ratio: '', target: '≤ 2 s' },
    { what: `${count} instances, upgrade in place → all adopted`, ours: ms(median(upgrades)), floor: '', ratio: '', target: '≤ 2 s' },
  ];
}

async function settled(bench: Bench, count: number): Promise<void> {
  const client = controlClient(bench.control, 'bench');
  while ((await client.status(null)).vassals.filter(({ state }) => state === 'ready').length < count) await pause(200);
}

/** It reigns, and all of them are its own. */
async function adopted(bench: Bench, emperor: ChildProcess, count: number): Promise<void> {
  const client = controlClient(bench.control, 'bench');
  while ((await client.emperor()).life === 'starting') await pause(5);
  const instances = (await client.status(null)).vassals.flatMap((vassal) => vassal.instances);
  if (instances.length !== count || instances.some((instance) => !instance.adopted)) throw new Error(`emperor ${emperor.pid} has ${instances.length} instances, and not all of them were there before`);
}
