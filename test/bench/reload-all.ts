import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { controlClient, type ControlClient } from '../../src/control/client.ts';
import { Bench, median, pause, toml } from './host.ts';
import { listenOn, SERVERS } from './servers.ts';
import { ms, ratio, type Figure } from './table.ts';

/** The default of `max-starting`. */
const AT_ONCE = cpus().length * 2;

/** One order to reload all of many vassals, beside a bare loop that starts as many servers and stops none. */
export async function reloadAll(count = 100): Promise<readonly Figure[]> {
  const floors: number[] = [];
  const samples: number[] = [];
  const judged: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    floors.push(await startLoop(count));
    await using bench = new Bench();
    const names = Array.from({ length: count }, (_, each) => `v${each}`);
    names.forEach((name, each) => {
      writeFileSync(join(bench.vassals, `${name}.toml`), toml(SERVERS.python(bench.probe.path), listenOn(each), 'linger = "0s"', 'ready = { log = "^serves" }'));
    });
    await bench.emperor();
    await bench.probe.until('up', 0, count);
    await pause(2_000);
    const client = controlClient(bench.control, 'bench');
    const from = performance.now();
    const order = client.order({ verb: 'reload' }, names, 120_000);
    const last = await bench.probe.until('term', 0, count);
    samples.push(last - from);
    const failed = (await order).results.filter(({ outcome }) => outcome !== 'done');
    if (failed.length > 0) throw new Error(`reloads failed: ${JSON.stringify(failed)}`);
    judged.push(await mostJudged(client));
    await pause(500);
  }
  const [ours, floor] = [median(samples), median(floors)];
  return [
    { what: `${count} python vassals reloaded at once → the last old one has its stop signal`, ours: ms(ours), floor: `${ms(floor)} (starts only)`, ratio: ratio(ours, floor), target: '≤ 1.5× the starts' },
    { what: 'starts that were judged at one time, at most', ours: String(Math.max(...judged)), floor: '', ratio: '', target: `≤ ${AT_ONCE} (max-starting)` },
  ];
}

/** As many servers as may be judged at one time, and the next one whenever one has printed that it is ready. */
async function startLoop(count: number): Promise<number> {
  await using bench = new Bench();
  const [program = '', ...args] = SERVERS.python(bench.probe.path);
  let started = 0;
  const start = (): void => {
    if (started === count) return;
    started += 1;
    spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BENCH: bench.folder } }).stdout.once('data', start);
  };
  const from = performance.now();
  for (let each = 0; each < AT_ONCE; each += 1) start();
  return (await bench.probe.until('up', 0, count)) - from;
}

/** By the history: from `launch` an instance is judged until it is ready or has ended. */
async function mostJudged(client: ControlClient): Promise<number> {
  const judged = new Set<string>();
  let most = 0;
  for await (const { event, instance } of client.events(null, 10_000, false)) {
    if (instance === null) continue;
    if (event === 'launch') judged.add(instance);
    else if (event === 'ready' || event === 'exited' || event === 'unlaunchable') judged.delete(instance);
    most = Math.max(most, judged.size);
  }
  return most;
}
