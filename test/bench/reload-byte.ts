import { utimesSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { Bench, median, pause } from './host.ts';
import { ms, ratio, type Figure } from './table.ts';

const VASSALS = 5;
const ROUNDS = 5;

/**
 * From a touch to the moment at which uWSGI has read its reload on the channel: its hook says so. Beside a bare Node program that does no more than this: starts uWSGI on
 * the file up to where its app would be loaded, and tells the one that serves. What uWSGI needs to start is in both.
 */
export async function reloadByte(): Promise<readonly Figure[]> {
  const floor = await measure(async (bench) => {
    const child = bench.node([new URL('reload-loop.ts', import.meta.url).pathname, bench.vassals]);
    await once(child.stdout!, 'data');
  });
  const ours = await measure(async (bench) => void (await bench.emperor()));
  return [{ what: 'touch → uWSGI tried and told to reload, by its Emperor protocol (median)', ours: ms(ours), floor: ms(floor), ratio: ratio(ours, floor), target: '≤ 10 ms, and what the try takes' }];
}

async function measure(begin: (bench: Bench) => Promise<void>): Promise<number> {
  await using bench = new Bench();
  const { probe } = bench;
  const names = Array.from({ length: VASSALS }, (_, each) => `v${each}`);
  const file = (name: string): string => join(bench.vassals, `${name}.ini`);
  for (const name of names) {
    const says = (hook: string, word: string): string => `${hook} = writen:${probe.path} ${word} ${name}`;
    writeFileSync(file(name), ['[uwsgi]', 'need-app = false', `socket = ${join(bench.folder, name)}.sock`, says('hook-emperor-reload', 'told'), says('hook-accepting1', 'up'), ''].join('\n'));
  }
  await begin(bench);
  await probe.until('up', 0, VASSALS);
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) {
      await pause(30);
      const since = probe.arrivals.length;
      const from = performance.now();
      utimesSync(file(name), new Date(), new Date());
      samples.push((await probe.until('told', since, 1, name)) - from);
      // It reloads for a second: what it costs to start again is not what is measured.
      await probe.until('up', since, 1, name);
    }
  }
  return median(samples);
}
