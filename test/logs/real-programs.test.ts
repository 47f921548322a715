import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { InstanceEvent } from '../../src/core/event.ts';
import type { Proof } from '../../src/core/state.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openCapture, type Capture } from '../../src/logs/capture.ts';
import { tail } from '../../src/logs/tail.ts';
import { openDirectRunner } from '../../src/runner/direct.ts';
import { openGroupCage } from '../../src/runner/group-cage.ts';
import type { Runner } from '../../src/runner/runner.ts';
import { findMarked } from '../../src/runner/strays.ts';
import { HandClock } from '../fakes/clock.ts';
import { instanceOf } from '../fakes/instance.ts';
import { expectNobodyLeft, isThere, program } from '../runner/household.ts';
import { until } from '../until.ts';

/** What of an emperor touches instances: a runner and a capture, as they meet in the daemon. */
interface Hands extends AsyncDisposable {
  readonly runner: Runner;
  readonly capture: Capture;
  readonly events: InstanceEvent[];
}

interface Stage extends AsyncDisposable {
  readonly log: string;
  readonly logs: string;
  readonly fifos: string;
  hands(): Hands;
}

function openStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-programs-'));
  const [logs, fifos] = [join(folder, 'logs'), join(folder, 'fifos')];
  const libc = openLibc();
  const all: Hands[] = [];
  return {
    logs,
    fifos,
    log: join(logs, 'shop.log'),
    hands() {
      const events: InstanceEvent[] = [];
      const capture = openCapture({ libc, clock: new HandClock(), fifoFolder: fifos, logFolder: logs, onLost: () => {} });
      const cage = openGroupCage({ libc, clock: new HandClock(), state: folder });
      const runner = openDirectRunner({ libc, cage, files: null, output: capture, state: folder, environment: process.env, notifySocket: join(folder, 'notify'), sink: (event) => events.push(event) });
      const hands: Hands = {
        runner,
        capture,
        events,
        async [Symbol.asyncDispose]() {
          await runner[Symbol.asyncDispose]();
          await capture[Symbol.asyncDispose]();
        },
      };
      all.push(hands);
      return hands;
    },
    async [Symbol.asyncDispose]() {
      for (const hands of all) await hands[Symbol.asyncDispose]();
      for (const { process: proof } of findMarked(folder)) process.kill(proof.pid, 'SIGKILL');
      await expectNobodyLeft(folder);
      rmSync(folder, { recursive: true });
    },
  };
}

const proofOf = (events: readonly InstanceEvent[], id: string): Promise<Proof> =>
  until(() => {
    const event = events.find((each) => each.instance === id && each.type === 'spawned');
    if (event?.type !== 'spawned') throw new Error(`${id} does not live: ${JSON.stringify(events)}`);
    return event.process;
  });

const ended = (events: readonly InstanceEvent[], id: string): Promise<void> =>
  until(() => expect(events.filter((each) => each.instance === id).at(-1)).toMatchObject({ type: 'exited' }));

it('keeps every line of a program that prints as fast as it can, across rotations, until its end', async () => {
  await using stage = openStage();
  const { runner, capture, events } = stage.hands();
  runner.launch('shop', instanceOf(1, { ...program('prints-a-lot', '200000', '80'), log: { to: 'file', maxBytes: 2 ** 20, keep: 100, format: 'raw' } }), []);
  await ended(events, 'shop#1');
  await capture[Symbol.asyncDispose]();
  const parts = readdirSync(stage.logs).sort((one, other) => Number(other.split('.')[2] ?? 0) - Number(one.split('.')[2] ?? 0));
  const text = parts.map((name) => (name.endsWith('.gz') ? gunzipSync(readFileSync(join(stage.logs, name))) : readFileSync(join(stage.logs, name)))).join('');
  expect(text.trimEnd().split('\n').map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 200_000 }, (_, index) => index + 1));
  expect((await tail(stage.log, 100_000)).toString()).toBe(text.slice(-100_000 * 80));
});

it('tells of others while one prints without end', async () => {
  await using stage = openStage();
  const { runner, events } = stage.hands();
  runner.launch('noisy', instanceOf(1, program('prints-a-lot')), []);
  await proofOf(events, 'shop#1');
  for (let serial = 2; serial <= 20; serial++) runner.launch('shop', instanceOf(serial, program('dies-at-once', '0')), []);
  for (let serial = 2; serial <= 20; serial++) await ended(events, `shop#${serial}`);
  await until(() => expect(readFileSync(stage.log, 'utf8')).toBe('cannot go on\n'.repeat(19)));
  runner.signal(instanceOf(1).id, 'SIGKILL', 'group');
  await ended(events, 'shop#1');
});

it('lets a program live that closes its output', async () => {
  await using stage = openStage();
  const { runner, events } = stage.hands();
  runner.launch('shop', instanceOf(1, program('closes-its-output')), []);
  const proof = await proofOf(events, 'shop#1');
  await until(() => expect(readdirSync(stage.fifos)).toEqual([]));
  await until(() => expect(readFileSync(stage.log, 'utf8')).toBe('goodbye\n'));
  expect(isThere(proof)).toBe(true);
});

it('reads on, in the next life, what a program prints that never noticed the change', async () => {
  await using stage = openStage();
  const first = stage.hands();
  first.runner.launch('shop', instanceOf(1, program('ignores-sigterm')), []);
  const proof = await proofOf(first.events, 'shop#1');
  await until(() => expect(readFileSync(stage.log, 'utf8')).toBe('ready\n'));
  await first[Symbol.asyncDispose]();
  process.kill(proof.pid, 'SIGTERM');
  const second = stage.hands();
  expect(second.runner.adopt('shop', instanceOf(1, program('ignores-sigterm'), proof))).toBe(true);
  second.capture.sweep();
  // A second signal before the first is taken would be one with it.
  await until(() => expect(readFileSync(stage.log, 'utf8')).toBe('ready\nno\n'));
  second.runner.signal(instanceOf(1).id, 'SIGTERM', 'main');
  await until(() => expect(readFileSync(stage.log, 'utf8')).toBe('ready\nno\nno\n'));
  second.runner.signal(instanceOf(1).id, 'SIGKILL', 'group');
  await ended(second.events, 'shop#1');
  expect(readdirSync(stage.fifos)).toEqual([]);
});
