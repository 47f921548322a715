import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import type { StatusDocument } from '../../src/control/protocol.ts';
import { Daemon, makePlace, toml } from './daemon.ts';
import { freePort } from './http.ts';

const SERVER = new URL('../fixtures/programs/serves-fd3.mjs', import.meta.url).pathname;
const VASSALS = 10;
const CONNECTIONS = 16;
const DEATHS = 10;
const UPGRADES = 20;

const instancesOf = ({ vassals }: StatusDocument): readonly (readonly [string, number | null])[] => vassals.flatMap(({ instances }) => instances.map(({ id, pid }) => [id, pid] as const));

/** Ten servers, and sixteen clients that never pause. */
async function underLoad(): Promise<{ readonly daemon: Daemon; readonly loads: readonly Load[]; readonly before: StatusDocument }> {
  const daemon = await Daemon.start(makePlace());
  const ports = await Promise.all(Array.from({ length: VASSALS }, freePort));
  for (const [index, port] of ports.entries()) {
    daemon.write(`shop${index}.toml`, ['[vassal]', `command = ["node", ${JSON.stringify(SERVER)}]`, `listen = "127.0.0.1:${port}"`, 'ready = { http = "/" }', ''].join('\n'));
  }
  const before = await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'ready').length === VASSALS, 'all are ready');
  const loads = ports.map((port, index) => startLoad(
    { address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, path: '/', connections: index < CONNECTIONS - VASSALS ? 2 : 1, keepAlive: index % 2 === 0, timeoutMs: 30_000 },
    () => performance.now(),
  ));
  return { daemon, loads, before };
}

async function nothingLost(loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    const { lost, answered, resent } = await load.end();
    expect({ lost: Object.fromEntries(lost), resent }).toEqual({ lost: {}, resent: 0 });
    expect(answered).toBeGreaterThan(100);
  }
}

it(`${DEATHS} times kill -9 of the emperor under load: no request is lost, no instance is restarted`, async () => {
  const { daemon, loads, before } = await underLoad();
  let emperor = daemon;
  try {
    for (let death = 0; death < DEATHS; death += 1) {
      await emperor.end('SIGKILL');
      emperor = await emperor.successor();
      expect(emperor.output.join('\n')).toContain(`${VASSALS} of ${VASSALS} adopted, 0 started`);
    }
    expect(instancesOf(await emperor.status())).toEqual(instancesOf(before));
    await nothingLost(loads);
  } finally {
    await Promise.all(loads.map((load) => load.end()));
    await emperor[Symbol.asyncDispose]();
  }
}, 300_000);

it(`${UPGRADES} upgrades in place under load: no request is lost, no instance is restarted, and how one ends afterwards is known`, async () => {
  const { daemon, loads, before } = await underLoad();
  await using emperor = daemon;
  emperor.write('ends.toml', toml(['/bin/sh', '-c', 'trap "exit 42" TERM; while :; do sleep 0.1; done'], 'restart = "never"'));
  await emperor.untilState('ends', 'ready');
  const pid = emperor.process.pid!;
  const open: number[] = [];
  for (let turn = 0; turn < UPGRADES; turn += 1) {
    expect(await emperor.cli('upgrade')).toMatchObject({ code: 0, stdout: expect.stringContaining(`; ${VASSALS + 1} of ${VASSALS + 1} instances were there before`) });
    open.push(readdirSync(`/proc/${pid}/fd`).length);
  }
  await nothingLost(loads);
  const after = await emperor.status();
  expect(instancesOf(after).filter(([id]) => !id.startsWith('ends'))).toEqual(instancesOf(before));
  expect(open.at(-1)).toBeLessThanOrEqual(Math.max(...open.slice(0, 3)) + 2);
  process.kill(after.vassals.find(({ name }) => name === 'ends')!.instances[0]!.pid!, 'SIGTERM');
  await emperor.untilState('ends', 'exited');
  const [end] = (await emperor.events('ends')).filter(({ event }) => event === 'exited');
  expect(end?.why).toContain('exited with code 42');
}, 600_000);
