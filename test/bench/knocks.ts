import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketAddresses } from '../../src/kernel/sockaddr.ts';
import { openStreamSockets } from '../../src/kernel/sockets.ts';
import { Bench, median, pause, residentBytes, toml } from './host.ts';
import { addressOf, countListening, listenOn, SERVERS } from './servers.ts';
import { ms, ratio, type Figure } from './table.ts';

const KNOCKS = 15;

/** From the first request to its answer, the server's start included: an idle vassal beside a bare spawn on a socket that was held in the same way. */
export async function knock(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const server of ['node', 'python'] as const) {
    const { ours, floor } = await knocks(server);
    figures.push({ what: `first request to an idle ${server} vassal → its answer (median)`, ours: ms(ours), floor: ms(floor), ratio: difference(ours - floor), target: '≤ the start + 15 ms' });
  }
  return figures;
}

function difference(value: number): string {
  return `${value < 0 ? '−' : '+'}${ms(Math.abs(value))}`;
}

/** One of each in turn, so that both meet the same host. */
async function knocks(server: keyof typeof SERVERS): Promise<{ readonly ours: number; readonly floor: number }> {
  await using bench = new Bench();
  const command = SERVERS[server](bench.probe.path);
  for (let each = 0; each < KNOCKS; each += 1) {
    writeFileSync(join(bench.vassals, `v${each}.toml`), toml(command, listenOn(each), 'on-demand = true', 'ready = { tcp = true }'));
  }
  await bench.emperor();
  while (countListening(readFileSync('/proc/net/tcp', 'latin1')) < KNOCKS) await pause(20);
  const hold = holder();
  const [ours, floor]: [number[], number[]] = [[], []];
  for (let each = 0; each < KNOCKS; each += 1) {
    await pause(300);
    const fd = hold(KNOCKS + each);
    floor.push(await firstAnswer(KNOCKS + each, () => {
      const [program = '', ...args] = command;
      spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', fd], env: { ...process.env, BENCH: bench.folder, LISTEN_FDS: '1' }, detached: true });
    }));
    closeSync(fd);
    await pause(300);
    ours.push(await firstAnswer(each, () => {}));
  }
  return { ours: median(ours), floor: median(floor) };
}

/** Opens a socket that listens, and that nobody accepts from. */
function holder(): (each: number) => number {
  const libc = openLibc();
  const sockets = openStreamSockets(libc);
  const addresses = openSocketAddresses(libc);
  return (each) => {
    const { host, port } = addressOf(each);
    const fd = sockets.open('v4');
    sockets.set(fd, 'reuse-address', true);
    const errno = sockets.bind(fd, addresses.ip(host, port)) ?? sockets.listen(fd, 128);
    if (errno !== null) throw new Error(`cannot listen on ${host}:${port}: ${errno}`);
    return fd;
  };
}

/** @param start called as soon as the request is on its way */
async function firstAnswer(each: number, start: () => void): Promise<number> {
  const from = performance.now();
  const socket = connect(addressOf(each));
  socket.write('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
  start();
  await once(socket, 'data');
  const ms = performance.now() - from;
  socket.destroy();
  return ms;
}

/** Vassals of which only the sockets are there: how soon all are held, and what each costs. */
export async function asleep(count = 1_000): Promise<readonly Figure[]> {
  const floors: number[] = [];
  const samples: number[] = [];
  let bytes = 0;
  const baseBytes = await emptyBytes();
  for (let round = 0; round < 3; round += 1) {
    {
      await using bare = new Bench();
      const from = performance.now();
      bare.node([new URL('listen-loop.ts', import.meta.url).pathname, String(count), bare.probe.path]);
      floors.push((await bare.probe.until('up', 0)) - from);
    }
    await using bench = new Bench();
    for (let each = 0; each < count; each += 1) {
      writeFileSync(join(bench.vassals, `v${each}.toml`), toml(bench.probe.sleeper(`v${each}`), listenOn(each), 'on-demand = true'));
    }
    const from = performance.now();
    const child = await bench.emperor();
    while (countListening(readFileSync('/proc/net/tcp', 'latin1')) < count) await pause(20);
    samples.push(performance.now() - from);
    await pause(15_000);
    bytes = residentBytes(child.pid!) - baseBytes;
  }
  const [ours, floor] = [median(samples), median(floors)];
  return [
    { what: `boot with ${count} on-demand vassals → all sockets held`, ours: ms(ours), floor: `${ms(floor)} (bare listen loop)`, ratio: ratio(ours, floor), target: '' },
    { what: `memory for each of ${count} on-demand vassals`, ours: `${(bytes / count / 1_000).toFixed(1)} kB`, floor: '', ratio: '', target: '≤ 40 kB' },
  ];
}

async function emptyBytes(): Promise<number> {
  await using bench = new Bench();
  const child = await bench.emperor();
  await pause(5_000);
  return residentBytes(child.pid!);
}
