// Run by units.ts under a real systemd. Prints medians in ms, as JSON.
import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, median, pause, toml } from './host.ts';

const SAMPLES = 25;

await using bench = new Bench();
const { probe } = bench;
await bench.emperor();

async function sample(word: string, begin: (name: string) => void): Promise<number> {
  const samples: number[] = [];
  for (let each = 0; each < SAMPLES; each += 1) {
    const name = `${word}${each}`;
    const since = probe.arrivals.length;
    const from = performance.now();
    begin(name);
    samples.push((await probe.until('up', since, 1, name)) - from);
    await pause(50);
  }
  return median(samples);
}

function drop(name: string, ...more: readonly string[]): void {
  const aside = join(bench.aside, `${name}.toml`);
  writeFileSync(aside, toml(probe.sleeper(name), 'ready = { after = "10ms" }', ...more));
  renameSync(aside, join(bench.vassals, `${name}.toml`));
}

const floor = await sample('floor', (name) => spawn('systemd-run', ['--pipe', '--quiet', '--collect', '--service-type=exec', '--', ...probe.sleeper(name)], { stdio: 'ignore' }).unref());
const direct = await sample('direct', (name) => drop(name));
const unit = await sample('unit', (name) => drop(name, 'runner = "systemd"'));
process.stdout.write(`${JSON.stringify({ floor, direct, unit })}\n`);
