import type { ChildProcess } from 'node:child_process';
import { renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, cpuMs, median, pause, residentBytes, toml, wakeUps } from './host.ts';
import { ms, ratio, type Figure } from './table.ts';

const SPAWN_LOOP = new URL('spawn-loop.ts', import.meta.url).pathname;

/** Bare `child_process.spawn` in a loop, from exec of Node to the last child's word. */
async function spawnLoop(count: number): Promise<{ readonly whole: number; readonly loop: number }> {
  await using bench = new Bench();
  const from = performance.now();
  bench.node([SPAWN_LOOP, String(count), bench.probe.path]);
  const first = await bench.probe.until('up', 0, 1);
  const last = await bench.probe.until('up', 0, count);
  return { whole: last - from, loop: last - first };
}

/** Many files at once. */
export async function drop(count = 500): Promise<readonly Figure[]> {
  const floors: number[] = [];
  const samples: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    floors.push((await spawnLoop(count)).loop);
    await using bench = new Bench();
    for (let each = 0; each < count; each += 1) writeFileSync(join(bench.aside, `v${each}.toml`), toml(bench.probe.sleeper(`v${each}`)));
    await bench.emperor();
    await pause(500);
    const from = performance.now();
    for (let each = 0; each < count; each += 1) renameSync(join(bench.aside, `v${each}.toml`), join(bench.vassals, `v${each}.toml`));
    samples.push((await bench.probe.until('up', 0, count)) - from);
  }
  const [ours, floor] = [median(samples), median(floors)];
  return [{ what: `${count} files dropped at once → all started`, ours: ms(ours), floor: ms(floor), ratio: ratio(ours, floor), target: '≤ 1.4× a spawn loop' }];
}

/** Boot with many files, then what they cost while nothing happens. */
export async function boot(count = 1_000): Promise<readonly Figure[]> {
  const floors: number[] = [];
  const samples: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    floors.push((await spawnLoop(count)).whole);
    await using bench = new Bench();
    samples.push((await reign(bench, count)).ms);
  }
  const baseBytes = await emptyEmperor();
  floors.push((await spawnLoop(count)).whole);
  await using bench = new Bench();
  const { child, ms: last } = await reign(bench, count);
  samples.push(last);
  const [ours, floor] = [median(samples), median(floors)];
  const pid = child.pid!;
  await pause(15_000);
  const [cpu, wakes, began] = [cpuMs(pid), wakeUps(pid), performance.now()];
  await pause(20_000);
  const seconds = (performance.now() - began) / 1_000;
  const percent = (cpuMs(pid) - cpu) / seconds / 10;
  const each = (residentBytes(pid) - baseBytes) / count / 1_000;
  return [
    { what: `boot with ${count} files → all started`, ours: ms(ours), floor: ms(floor), ratio: ratio(ours, floor), target: '≤ 1.4× a spawn loop' },
    { what: 'memory of an emperor without vassals (RSS)', ours: `${(baseBytes / 1e6).toFixed(0)} MB`, floor: `${(await bareNodeBytes() / 1e6).toFixed(0)} MB (bare node)`, ratio: '', target: '≤ 80 MB' },
    { what: `memory for each of ${count} idle vassals`, ours: `${each.toFixed(1)} kB`, floor: '', ratio: '', target: '≤ 40 kB' },
    { what: `CPU with ${count} idle vassals`, ours: `${percent.toFixed(2)} %`, floor: '', ratio: '', target: '≤ 0.2 %' },
    { what: `wake-ups a second with ${count} idle vassals`, ours: ((wakeUps(pid) - wakes) / seconds).toFixed(1), floor: '', ratio: '', target: 'no polling' },
  ];
}

/** Starts an emperor on a folder with so many files in it. */
async function reign(bench: Bench, count: number): Promise<{ readonly child: ChildProcess; readonly ms: number }> {
  for (let each = 0; each < count; each += 1) writeFileSync(join(bench.vassals, `v${each}.toml`), toml(bench.probe.sleeper(`v${each}`)));
  const from = performance.now();
  const child = await bench.emperor();
  return { child, ms: (await bench.probe.until('up', 0, count)) - from };
}

async function emptyEmperor(): Promise<number> {
  await using bench = new Bench();
  const child = await bench.emperor();
  await pause(5_000);
  return residentBytes(child.pid!);
}

async function bareNodeBytes(): Promise<number> {
  await using bench = new Bench();
  const child = bench.node(['-e', 'setInterval(() => {}, 1e6)']);
  await pause(1_000);
  return residentBytes(child.pid!);
}

/** One event among ten thousand files. */
export async function tenThousand(count = 10_000): Promise<readonly Figure[]> {
  await using bench = new Bench();
  const { probe } = bench;
  for (let each = 0; each < count; each += 1) writeFileSync(join(bench.vassals, `idle${each}.toml`), toml(['/bin/true'], 'restart = "never"'));
  await bench.emperor();
  const marker = join(bench.vassals, 'last.toml');
  const aside = join(bench.aside, 'x.toml');
  writeFileSync(aside, toml(probe.sleeper('last')));
  renameSync(aside, marker);
  await probe.until('up', 0, 1, 'last');
  await pause(10_000);
  const samples: number[] = [];
  for (let each = 0; each < 25; each += 1) {
    writeFileSync(aside, toml(probe.sleeper(`n${each}`)));
    const since = probe.arrivals.length;
    const from = performance.now();
    renameSync(aside, join(bench.vassals, `n${each}.toml`));
    samples.push((await probe.until('up', since, 1, `n${each}`)) - from);
    await pause(100);
  }
  const touches: number[] = [];
  for (let each = 0; each < 25; each += 1) {
    const since = probe.arrivals.length;
    const from = performance.now();
    utimesSync(join(bench.vassals, `n${each}.toml`), new Date(), new Date());
    touches.push((await probe.until('up', since, 1, `n${each}`)) - from);
    await pause(100);
  }
  const figure = (what: string, value: number): Figure => ({ what, ours: ms(value), floor: '', ratio: '', target: '≤ 20 ms' });
  return [
    figure(`${count} files in the folder: one more → started (median)`, median(samples)),
    figure(`${count} files in the folder: touch → started (median)`, median(touches)),
  ];
}
