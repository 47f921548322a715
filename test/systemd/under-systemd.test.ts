import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openServiceManager } from '../../src/systemd/under-systemd.ts';
import { statusLine } from '../../src/systemd/status-line.ts';
import { HandClock } from '../fakes/clock.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { FakeManager } from './manager.ts';

async function open() {
  const manager = await FakeManager.start();
  const clock = new HandClock();
  const emperor = new FakeEmperor();
  const troubles: string[] = [];
  const spoken = openServiceManager({ libc: openLibc(), clock, monotonicUs: () => 1_234n, environment: { NOTIFY_SOCKET: manager.socket }, pid: process.pid, onTrouble: (message) => troubles.push(message) });
  emperor.subscribe((_, state) => spoken.observe(state));
  /** All that is said up to one line, which is the last. */
  const heardUntil = async (end: string): Promise<readonly string[]> => {
    const heard: string[] = [];
    while (!heard.includes(end)) {
      try {
        heard.push(...(await manager.hear()).lines);
      } catch (error) {
        throw new Error(`${end} is not said, but ${heard.join(', ')}`, { cause: error });
      }
    }
    return heard.filter((line) => !line.startsWith('EXTEND_'));
  };
  return { manager, clock, emperor, spoken, troubles, heardUntil, [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose]() };
}

describe('the service manager', () => {
  it('is told of readiness with a status, and of what changes at most each second', async () => {
    await using stage = await open();
    const { emperor, spoken, clock, heardUntil } = stage;
    emperor.list(declare('shop'));
    spoken.ready();
    expect(await heardUntil('READY=1')).toEqual(['STATUS=1 vassal: 1 starting; 1 instance', 'READY=1']);
    emperor.rise('shop');
    emperor.list(declare('shop'), declare('blog'));
    clock.advance(1_000);
    expect(await heardUntil('STATUS=2 vassals: 1 ready, 1 starting; 2 instances')).toHaveLength(1);
    // Nothing that would be seen: nothing is said.
    emperor.list(declare('shop'), declare('blog'));
    clock.advance(10_000);
    spoken.upgrading();
    expect(await heardUntil('RELOADING=1')).toEqual(['RELOADING=1', 'MONOTONIC_USEC=1234']);
  });

  it('is told of reloads, of several at once as of one, and of their end also when they fail', async () => {
    await using stage = await open();
    const { spoken, heardUntil } = stage;
    spoken.ready();
    await heardUntil('READY=1');
    let end = (): void => {};
    const first = new Promise<void>((resolve) => (end = resolve));
    const both = Promise.allSettled([spoken.reloading(() => first), spoken.reloading(() => Promise.reject(new Error('no')))]);
    end();
    expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await heardUntil('READY=1')).toEqual(['RELOADING=1', 'MONOTONIC_USEC=1234', 'READY=1']);
  });

  it('is told of the end, and for how long it takes that it may take longer', async () => {
    await using stage = await open();
    const { emperor, spoken, clock, manager } = stage;
    emperor.list(declare('shop'));
    emperor.rise('shop');
    spoken.ready();
    while (!(await manager.hear()).lines.includes('READY=1'));
    emperor.play({ type: 'shutdown', keep: false, actor: 'TERM' });
    clock.advance(11_000);
    const heard: string[] = [];
    for (let count = 0; count < 5; count += 1) heard.push(...(await manager.hear()).lines);
    expect(heard).toEqual(['STOPPING=1', 'EXTEND_TIMEOUT_USEC=20000000', 'STATUS=ends: 1 instance left', 'EXTEND_TIMEOUT_USEC=20000000', 'EXTEND_TIMEOUT_USEC=20000000']);
    spoken[Symbol.dispose]();
    expect(clock.waiting).toBe(0);
  });

  it('is not told of an end when an upgrade makes way', async () => {
    await using stage = await open();
    const { emperor, spoken, heardUntil } = stage;
    spoken.ready();
    await heardUntil('READY=1');
    spoken.upgrading();
    emperor.play({ type: 'shutdown', keep: true, actor: 'root' });
    await spoken.reloading(async () => {});
    spoken[Symbol.dispose]();
    expect(await heardUntil('MONOTONIC_USEC=1234')).toEqual(['RELOADING=1', 'MONOTONIC_USEC=1234']);
  });

  it('may need long for the beginning', async () => {
    await using stage = await open();
    const { spoken, clock, manager } = stage;
    clock.advance(5_000);
    expect([await manager.hear(), await manager.hear()].map(({ lines }) => lines)).toEqual([['EXTEND_TIMEOUT_USEC=20000000'], ['EXTEND_TIMEOUT_USEC=20000000']]);
    spoken.ready();
    expect(clock.waiting).toBe(0);
  });
});

describe('the status line', () => {
  it('names a few that are in trouble, and cannot be more than a line', () => {
    const emperor = new FakeEmperor();
    expect(statusLine(emperor.snapshot())).toBe('0 vassals; 0 instances');
    emperor.list(...['a', 'b', 'c', 'd\nSTOPPING=1'].map((name) => declare(name)));
    for (const name of ['a', 'b', 'c', 'd\nSTOPPING=1']) {
      emperor.spawn(name);
      emperor.exit(name);
    }
    expect(statusLine(emperor.snapshot())).toMatch(/^4 vassals: 4 backoff \((?:[abc]|d\\nSTOPPING=1), .*, .* …\); 0 instances$/);
    emperor.play({ type: 'blind', source: 'dir:///v', reason: 'ENOENT' });
    expect(statusLine(emperor.snapshot())).toMatch(/; blind: dir:\/\/\/v$/);
  });
});
