import { once } from 'node:events';
import { mkdtempSync, readdirSync, renameSync, rmdirSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSpawn } from '../../src/kernel/spawn.ts';
import { OWN_TREE } from '../runner/cgroup-tree.ts';
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
  const floor = await measure(watchLoop);
  const ours = await measure(async (bench) => void (await bench.emperor()));
  const figure = (what: string, key: keyof Latencies, target: string): Figure =>
    ({ what, ours: ms(ours[key]), floor: ms(floor[key]), ratio: ratio(ours[key], floor[key]), target });
  return [
    figure('touch → new process started (median)', 'touch', '≤ 10 ms'),
    figure('file renamed into the folder → process started (median)', 'rename', '≤ 10 ms'),
    figure('file written in place → process started (median)', 'inPlace', '≤ 40 ms'),
    figure('removal → stop signal (median)', 'removal', '≤ 10 ms'),
    figure('first crash of a ready instance → started again (median)', 'crash', '≤ 10 ms'),
    ...(OWN_TREE === null ? [] : [await inCgroups(OWN_TREE)]),
  ];
}

/**
 * A crash once more, where each instance has a cgroup. The floor makes them as well, and its children enter them by themselves: which costs a grace period of
 * the kernel, and nothing where the C library can start a process in a cgroup.
 */
async function inCgroups(own: string): Promise<Figure> {
  const tree = mkdtempSync(join(own, 'emperor-bench-'));
  const { crash: floor } = await measure(async (bench) => await watchLoop(bench, tree));
  const { crash } = await measure(async (bench) => void (await bench.emperor(tree)));
  while (!isRemoved(tree)) await pause(100);
  const way = openSpawn(openLibc()).inCgroups ? 'started in it' : 'an old C library: it enters by itself';
  return { what: `the same crash, where each instance has a cgroup (${way})`, ours: ms(crash), floor: ms(floor), ratio: ratio(crash, floor), target: '≤ 10 ms, started in it' };
}

/** Removes a cgroup with those in it, as soon as the last process in them has ended. */
function isRemoved(cgroup: string): boolean {
  try {
    for (const { name } of readdirSync(cgroup, { withFileTypes: true }).filter((each) => each.isDirectory())) if (!isRemoved(join(cgroup, name))) return false;
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}

async function watchLoop(bench: Bench, cgroup = ''): Promise<void> {
  const child = bench.node([new URL('watch-loop.ts', import.meta.url).pathname, bench.vassals, bench.probe.path, cgroup]);
  await once(child.stdout!, 'data');
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
