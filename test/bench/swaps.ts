import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlClient } from '../../src/control/client.ts';
import { Bench, median, pause, toml } from './host.ts';
import { listenOn, SERVERS } from './servers.ts';
import { ms, ratio, type Figure } from './table.ts';

const SWAPS = 25;
const TARGET = '≤ 5 ms';

/** From the next instance's word that it is ready to the stop signal in the current one: ours beside a bare Node program that reads that word and signals. */
export async function swap(): Promise<readonly Figure[]> {
  const figure = async (what: string, server: keyof typeof SERVERS, ready: string): Promise<Figure> => {
    const floor = await bareSwaps(server);
    const ours = await swaps(server, ready);
    return { what, ours: ms(ours), floor: ms(floor), ratio: ratio(ours, floor), target: TARGET };
  };
  return [
    await figure('swap, node: ready line printed → the current one has its stop signal (median)', 'node', 'ready = { log = "^serves" }'),
    await figure('swap, python: READY=1 sent → the current one has its stop signal (median)', 'python', 'ready = { notify = true }'),
  ];
}

async function swaps(server: keyof typeof SERVERS, ready: string): Promise<number> {
  await using bench = new Bench();
  await bench.emperor();
  writeFileSync(join(bench.vassals, 'shop.toml'), toml(SERVERS[server](bench.probe.path), listenOn(0), 'linger = "0s"', ready));
  await bench.probe.until('up', 0);
  await pause(500);
  const client = controlClient(bench.control, 'bench');
  return await medianOf(bench, async () => {
    const { results } = await client.order({ verb: 'reload' }, ['shop'], 30_000);
    if (results.some(({ outcome }) => outcome !== 'done')) throw new Error(`a reload failed: ${JSON.stringify(results)}`);
  });
}

async function bareSwaps(server: keyof typeof SERVERS): Promise<number> {
  await using bench = new Bench();
  const [program = '', ...args] = SERVERS[server](bench.probe.path);
  let current: ChildProcess | null = null;
  const exchange = async (): Promise<void> => {
    const next = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BENCH: bench.folder } });
    await new Promise<void>((resolve) => {
      next.stdout.once('data', () => {
        current?.kill('SIGTERM');
        resolve();
      });
    });
    if (current !== null) await once(current, 'exit');
    current = next;
  };
  await exchange();
  return await medianOf(bench, exchange);
}

/** Both moments are the servers' own, so that the way to the bench does not count. */
async function medianOf({ probe }: Bench, exchange: () => Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let each = 0; each < SWAPS; each += 1) {
    const since = probe.arrivals.length;
    await exchange();
    await probe.until('term', since);
    const stamp = (word: string): bigint => BigInt(probe.arrivals.slice(since).find((arrival) => arrival.word === word)!.name);
    samples.push(Number(stamp('term') - stamp('up')) / 1e6);
    await pause(100);
  }
  return median(samples);
}
