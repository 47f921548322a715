import { once } from 'node:events';
import { renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, median, pause, toml } from './host.ts';
import { ms, ratio, type Figure } from './table.ts';

const SAMPLES = 25;

interface Latencies {
  readonly rename: number;
  readonly inPlace: number;
  readonly touch: number;
  readonly crash: number;
  readonly removal: number;
}

/** From what a person does to what the host sees: medians, ours beside a bare Node program that does no more than this. */
export async function latency(): Promise<readonly Figure[]> {
  const floor = await measure(async (bench) => {
    const child = bench.node([new URL('watch-loop.ts', import.meta.url).pathname, bench.vassals, bench.probe.path]);
    await once(child.stdout!, 'data');
  });
  const ours = await measure(async (bench) => void (await bench.emperor()));
  const figure = (what: string, key: keyof Latencies, target: string): Figure =>
    ({ what, ours: ms(ours[key]), floor: ms(floor[key]), ratio: ratio(ours[key], floor[key]), target });
  return [
    figure('touch → new process started (median)', 'touch', '≤ 10 ms'),
    figure('file renamed into the folder → process started (median)', 'rename', '≤ 10 ms'),
    figure('file written in place → process started (median)', 'inPlace', '≤ 40 ms'),
    figure('removal → stop signal (median)', 'removal', '≤ 10 ms'),
    figure('first crash of a ready instance → started again (median)', 'crash', '≤ 10 ms'),
  ];
}

async function measure(begin: (bench: Bench) => Promise<void>): Promise<Latencies> {
  await using bench = new Bench();
  const { probe } = bench;
  await begin(bench);
  const names = Array.from({ length: SAMPLES }, (_, each) => `v${each}`);
  const file = (name: string): string => join(bench.vassals, `${name}.toml`);
  const collect = async (word: string, act: (name: string) => void, among: readonly string[] = names): Promise<number> => {
    const samples: number[] = [];
    for (const name of among) {
      const since = probe.arrivals.length;
      const from = performance.now();
      act(name);
      samples.push((await probe.until(word, since, 1, name)) - from);
      await pause(15);
    }
    return median(samples);
  };

  const inPlace = await collect('up', (name) => writeFileSync(file(name), toml(probe.speaker(name), 'ready = { after = "10ms" }')), names.map((name) => `w${name}`));
  const rename = await collect('up', (name) => {
    const aside = join(bench.aside, `${name}.toml`);
    writeFileSync(aside, toml(probe.speaker(name), 'ready = { after = "10ms" }'));
    renameSync(aside, file(name));
  });
  const touch = await collect('up', (name) => utimesSync(file(name), new Date(), new Date()));
  await pause(1_000);
  const pids = bench.processesByName();
  const crash = await collect('up', (name) => process.kill(pids.get(name)!, 'SIGKILL'));
  await pause(1_000);
  const removal = await collect('term', (name) => unlinkSync(file(name)));
  return { rename, inPlace, touch, crash, removal };
}
