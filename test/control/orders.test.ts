import { describe, expect, it } from 'vitest';
import type { ControlPorts } from '../../src/control/command.ts';
import { giveOrders, type Orders } from '../../src/control/orders.ts';
import type { OrderResult, OrderVerb } from '../../src/control/protocol.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';
import { NO_LOGS } from './host.ts';

function portsOf(emperor: FakeEmperor, logs: ControlPorts['logs'] = NO_LOGS): ControlPorts {
  const quiet = (): void => {};
  const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => logger };
  return {
    emperor, clock: emperor, logs, logger,
    identity: { version: '0', pid: 1, startedAt: 0 },
    history: (query) => emperor.store.history(query),
    rescan: async () => {},
  };
}

function give(emperor: FakeEmperor, verb: OrderVerb, names: readonly string[], more: Partial<Orders> = {}): Promise<readonly OrderResult[]> {
  return giveOrders({ verb, names, actor: 'me', waitMs: 30_000, gone: new AbortController().signal, ...more }, portsOf(emperor));
}

function withShop(): FakeEmperor {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  emperor.rise('shop');
  return emperor;
}

/** The events that were posted have been handled. */
async function handled(emperor: FakeEmperor): Promise<void> {
  await expect.poll(() => emperor.store.history({ name: null, limit: 100, after: null }).some(({ event }) => event === 'order')).toBe(true);
}

describe('orders', () => {
  it('have a result for each name, once, in the order of the names', async () => {
    const emperor = withShop();
    emperor.list(declare('shop'), declareFaulty('bad'));
    const results = give(emperor, 'start', ['ghost', 'shop', 'bad', 'shop'], {});
    expect((await results).map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['ghost no-vassal', 'shop done', 'bad fault', 'shop done']);
    expect(emperor.posted).toHaveLength(2);
  });

  it('are not judged before they are handled: a vassal that is ready now is not a restart', async () => {
    const emperor = withShop();
    emperor.asleep = true;
    let settled = false;
    const results = give(emperor, 'restart', ['shop']).finally(() => {
      settled = true;
    });
    // Something else happens to the vassal first.
    emperor.list(declare('shop', {}, 'a', 2));
    await new Promise(setImmediate);
    expect(settled).toBe(false);
    emperor.wake();
    emperor.exit('shop');
    emperor.rise('shop');
    expect(await results).toMatchObject([{ outcome: 'done' }]);
  });

  it('do not blame a vassal for an older failure', async () => {
    const emperor = withShop();
    const overlap = { reload: { kind: 'overlap' } } as const;
    emperor.list(declare('shop', overlap, 'two', 2));
    emperor.spawn('shop', 77);
    const next = emperor.instances('shop').find((each) => each.process?.pid === 77)!;
    emperor.play({ type: 'exited', instance: next.id, status: { kind: 'exited', code: 1 } });
    expect(emperor.vassal('shop')).toMatchObject({ state: { phase: 'ready' }, failure: { code: 'E_EXITED' } });
    expect(await give(emperor, 'start', ['shop'])).toMatchObject([{ outcome: 'done' }]);
    const reloaded = give(emperor, 'reload', ['shop']);
    await handled(emperor);
    await expect.poll(() => emperor.vassal('shop')?.state.phase).toBe('reloading');
    emperor.spawn('shop', 78);
    const again = emperor.instances('shop').find((each) => each.process?.pid === 78)!;
    emperor.play({ type: 'exited', instance: again.id, status: { kind: 'exited', code: 1 } });
    expect(await reloaded).toMatchObject([{ outcome: 'failed', code: 'E_EXITED' }]);
  });

  it('run out of time, and say what the vassal is doing', async () => {
    const emperor = withShop();
    const results = give(emperor, 'stop', ['shop']);
    await handled(emperor);
    emperor.wait(29_000);
    emperor.wait(1_000);
    expect(await results).toEqual([{ name: 'shop', outcome: 'timeout', code: 'E_TIMEOUT', message: 'the stop did not come to an end within 30 s: it is stopping, and goes on', log: [] }]);
    expect([emperor.observers, emperor.timers]).toEqual([0, 0]);
  });

  it('leave nothing behind', async () => {
    const emperor = withShop();
    await give(emperor, 'start', ['shop']);
    expect([emperor.observers, emperor.timers]).toEqual([0, 0]);
  });

  it('to stop a vassal whose file has just gone wait for its end', async () => {
    const emperor = withShop();
    emperor.list();
    const results = give(emperor, 'stop', ['shop']);
    emperor.exit('shop');
    expect(await results).toMatchObject([{ outcome: 'done' }]);
  });

  it('to start a vassal whose file has gone say that it is gone', async () => {
    const emperor = withShop();
    emperor.list();
    expect(await give(emperor, 'start', ['shop'])).toMatchObject([{ outcome: 'no-vassal', message: 'its file is gone' }]);
    expect(emperor.posted).toEqual([]);
  });

  it('whose vassal loses its file before they are handled say that it is gone', async () => {
    const emperor = withShop();
    emperor.asleep = true;
    const results = give(emperor, 'restart', ['shop']);
    emperor.list();
    emperor.wake();
    expect(await results).toMatchObject([{ outcome: 'no-vassal', code: 'E_NO_VASSAL' }]);
  });

  it('mean the file that owns the name', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    emperor.list(declare('shop', {}, 'a', 1, '/a'), declare('shop'));
    await give(emperor, 'restart', ['shop'], { waitMs: null });
    expect(emperor.posted).toMatchObject([{ vassal: fileOf('shop') }]);
  });

  it('are refused while the emperor ends', async () => {
    const emperor = withShop();
    emperor.play({ type: 'shutdown', keep: false, actor: 'me' });
    expect(await give(emperor, 'restart', ['shop'])).toMatchObject([{ outcome: 'failed', message: 'the emperor is about to end' }]);
    expect(emperor.posted).toEqual([]);
  });

  it('to a thousand vassals are one subscription', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `v${index}`);
    const emperor = new FakeEmperor();
    emperor.list(...names.map((name) => declare(name)));
    const results = give(emperor, 'stop', names);
    expect(emperor.observers).toBe(1);
    await handled(emperor);
    for (const name of names) emperor.exit(name);
    expect(new Set((await results).map(({ outcome }) => outcome))).toEqual(new Set(['done']));
  });

  it('fail without their last words if those cannot be read', async () => {
    const emperor = withShop();
    const logs = { ...NO_LOGS, tail: async () => { throw new Error('EIO'); } };
    const results = giveOrders({ verb: 'restart', names: ['shop'], actor: 'me', waitMs: 1_000, gone: new AbortController().signal }, portsOf(emperor, logs));
    await handled(emperor);
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    expect(await results).toMatchObject([{ outcome: 'failed', log: [] }]);
  });
});
