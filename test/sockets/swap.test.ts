import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Door } from '../../src/sockets/sockets.ts';
import { SELF, SHOP } from '../contracts/sockets.ts';
import { until } from '../until.ts';
import { RealStage, wayTo } from './stage.ts';

const SERVER = fileURLToPath(new URL('../fixtures/programs/answers-on-fd3.mjs', import.meta.url));

/** A server on a lent socket; it answers with its name. */
async function serve(fd: number, name: string): Promise<ChildProcess> {
  const server = spawn(process.execPath, [SERVER, name], { stdio: ['ignore', 'pipe', 'inherit', fd] });
  if (server.stdout === null) throw new Error('it has an output');
  await once(server.stdout, 'data');
  return server;
}

function ask(way: Door['connect']): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const client = connect(way);
    client.setEncoding('utf8').on('data', (text) => (said += String(text))).on('end', () => resolve(said)).on('error', reject);
  });
}

/** Clients who ask without pause, until they are told to stop. @returns how often each answer came */
function crowd(address: Address): { readonly answers: Map<string, number>; stop(): Promise<void> } {
  const answers = new Map<string, number>();
  const end = new AbortController();
  const clients = Array.from({ length: 4 }, async () => {
    while (!end.signal.aborted) {
      const answer = await ask(wayTo(address));
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  return {
    answers,
    stop: async () => {
      end.abort();
      await Promise.all(clients);
    },
  };
}

describe('a swap under load', () => {
  it.each(['127.0.0.1', '::', 'unix'] as const)('loses no connection in 20 turns, and each door leads to whom it should (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const { sockets } = stage;
    const http = await stage.free();
    const servers: ChildProcess[] = [];
    try {
      for (const generation of [1, 2]) {
        const [lent] = sockets.lend(SHOP, 'shop', generation, [http], SELF);
        servers.push(await serve(lent?.fd ?? -1, `generation ${generation}`));
      }
      const load = crowd(http.address);
      for (let turn = 0; turn < 20; turn += 1) {
        const generation = 1 + (turn % 2);
        const other = 3 - generation;
        using door = sockets.door(SHOP, other, http.address);
        sockets.steer(SHOP, generation, 1);
        expect(await ask(door.connect)).toBe(`generation ${other}`);
        const before = load.answers.get(`generation ${generation}`) ?? 0;
        await until(() => expect(load.answers.get(`generation ${generation}`)).toBeGreaterThan(before + 5));
      }
      await load.stop();
      expect([...load.answers.keys()].sort()).toEqual(['generation 1', 'generation 2']);
    } finally {
      for (const server of servers) server.kill('SIGKILL');
    }
  });

  it.each(['127.0.0.1', 'unix'] as const)('loses no connection when one generation after the other is replaced and ended (%s)', async (kind) => {
    await using stage = new RealStage(kind);
    const { sockets } = stage;
    const http = await stage.free();
    const servers: ChildProcess[] = [];
    const start = async (generation: number): Promise<ChildProcess> => {
      const [lent] = sockets.lend(SHOP, 'shop', generation, [http], SELF);
      const server = await serve(lent?.fd ?? -1, `generation ${generation}`);
      servers.push(server);
      return server;
    };
    try {
      let current = await start(1);
      const load = crowd(http.address);
      for (let generation = 2; generation < 7; generation += 1) {
        const next = await start(generation);
        using door = sockets.door(SHOP, generation, http.address);
        expect(await ask(door.connect)).toBe(`generation ${generation}`);
        sockets.steer(SHOP, generation, 1);
        await until(() => expect(load.answers.get(`generation ${generation}`)).toBeGreaterThan(20));
        await until(() => expect(sockets.queued(SHOP, generation - 1)).toBe(0));
        current.kill('SIGTERM');
        await once(current, 'exit');
        sockets.retire(SHOP, generation - 1);
        current = next;
      }
      await load.stop();
      expect([...load.answers.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6].map((generation) => `generation ${generation}`));
    } finally {
      for (const server of servers) server.kill('SIGKILL');
    }
  });
});
