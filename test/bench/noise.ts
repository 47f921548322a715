import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, median, pause, toml } from './host.ts';
import { ms, ratio, type Figure } from './table.ts';

/** A vassal that prints as fast as it can, and how soon another one is started again meanwhile. */
export async function noise(): Promise<readonly Figure[]> {
  const quiet = await crashes(false);
  const loud = await crashes(true);
  return [
    { what: 'crash → started again, beside a vassal that prints flat out (median)', ours: ms(loud.medianMs), floor: `${ms(quiet.medianMs)} (quiet)`, ratio: ratio(loud.medianMs, quiet.medianMs), target: 'not delayed' },
    { what: 'what that vassal printed, all of it in its log', ours: `${loud.megabytes.toFixed(0)} MB/s`, floor: '', ratio: '', target: '100 MB/s' },
  ];
}

async function crashes(loud: boolean): Promise<{ readonly medianMs: number; readonly megabytes: number }> {
  await using bench = new Bench();
  const { probe } = bench;
  const put = (name: string, text: string): void => {
    const aside = join(bench.aside, name);
    writeFileSync(aside, text);
    renameSync(aside, join(bench.vassals, name));
  };
  await bench.emperor();
  const names = Array.from({ length: 20 }, (_, each) => `v${each}`);
  for (const name of names) put(`${name}.toml`, toml(probe.sleeper(name), 'ready = { after = "10ms" }'));
  await probe.until('up', 0, names.length);
  if (loud) put('loud.toml', toml(['/bin/sh', '-c', `exec yes ${'x'.repeat(120)}`], 'log = { max-size = "100M", keep = 1 }'));
  await pause(2_000);
  const pids = bench.processesByName();
  const [before, began] = [loud ? bytesPrinted(bench) : 0, performance.now()];
  const samples: number[] = [];
  for (const name of names) {
    const since = probe.arrivals.length;
    const from = performance.now();
    process.kill(pids.get(name)!, 'SIGKILL');
    samples.push((await probe.until('up', since, 1, name)) - from);
    await pause(100);
  }
  const megabytes = loud ? (bytesPrinted(bench) - before) / ((performance.now() - began) / 1_000) / 1e6 : 0;
  return { medianMs: median(samples), megabytes };
}

/** What `yes` has written so far: /proc/PID/io, wchar. */
function bytesPrinted(bench: Bench): number {
  const pid = bench.find('yes\0');
  return Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}
