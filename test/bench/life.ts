import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlClient } from '../../src/control/client.ts';
import { Bench, pause, residentBytes, toml } from './host.ts';
import type { Figure } from './table.ts';

const FIRST = 100;
/** V8 gives memory back when nothing has happened for some seconds. */
const REST_MS = 20_000;

/** A long life in short: what a vassal costs that is reloaded again and again. */
export async function life(reloads = 10_000): Promise<readonly Figure[]> {
  await using bench = new Bench();
  writeFileSync(join(bench.vassals, 'shop.toml'), toml(['/bin/sleep', '100000'], 'ready = { after = "0ms" }', 'reload = "restart"'));
  const { pid } = await bench.emperor();
  const client = controlClient(bench.control, 'bench');
  while ((await client.status(null)).vassals[0]?.state !== 'ready');
  const stature = async (): Promise<{ readonly bytes: number; readonly descriptors: number }> => {
    await pause(REST_MS);
    return { bytes: residentBytes(pid!), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  };
  let young = await stature();
  for (let each = 1; each <= reloads; each += 1) {
    const { results } = await client.order({ verb: 'reload' }, ['shop'], 60_000);
    if (results[0]?.outcome !== 'done') throw new Error(`reload ${each}: ${JSON.stringify(results)}`);
    if (each === FIRST) young = await stature();
  }
  const old = await stature();
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    { what: `memory after ${reloads} reloads of one vassal`, ours: megabytes(old.bytes), floor: `${megabytes(young.bytes)} (after ${FIRST})`, ratio: `${(old.bytes / young.bytes).toFixed(2)}×`, target: '≤ 1.1×' },
    { what: `descriptors after ${reloads} reloads of one vassal`, ours: String(old.descriptors), floor: `${young.descriptors} (after ${FIRST})`, ratio: `${(old.descriptors / young.descriptors).toFixed(2)}×`, target: '≤ 1.1×' },
  ];
}
