import { describe, expect, it } from 'vitest';
import type { ControlPorts } from '../../src/control/command.ts';
import { giveOrders, type Orders } from '../../src/control/orders.ts';
import type { Demand, OrderResult, OrderVerb } from '../../src/control/protocol.ts';
import { EmperorError } from '../../src/errors.ts';
import { declare, declareFaulty, specOf } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';
import { NO_LOGS, portsOf, quote } from './host.ts';

function give(emperor: FakeEmperor, verb: Exclude<OrderVerb, 'scale' | 'rollback'>, names: readonly string[], more: Partial<Orders> = {}): Promise<readonly OrderResult[]> {
  return demand(emperor, { verb }, names, more);
}

function demand(emperor: FakeEmperor, what: Demand, names: readonly string[], more: Partial<Orders> = {}): Promise<readonly OrderResult[]> {
  return giveOrders({ demand: what, names, actor: 'me', waitMs: 30_000, gone: new AbortController().signal, ...more }, portsOf(emperor));
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
    quote(emperor, 'shop', 'last words');
    expect(await reloaded).toMatchObject([{ outcome: 'failed', code: 'E_EXITED', log: ['last words'] }]);
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

  it('show what the failed instance printed, not what others did', async () => {
    const emperor = withShop();
    const tail = async (): Promise<Buffer> => Buffer.from('GET / 200\n');
    const results = giveOrders({ demand: { verb: 'restart' }, names: ['shop'], actor: 'me', waitMs: 1_000, gone: new AbortController().signal }, portsOf(emperor, { logs: { ...NO_LOGS, tail } }));
    await handled(emperor);
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    quote(emperor, 'shop', 'Traceback', 'boom');
    expect(await results).toMatchObject([{ outcome: 'failed', log: ['Traceback', 'boom'] }]);
    expect([emperor.observers, emperor.timers]).toEqual([0, 0]);
  });

  it('show the end of the log if nobody tells what the instance printed', async () => {
    const emperor = withShop();
    const tail = async (): Promise<Buffer> => Buffer.from('one\ntwo\n');
    const results = giveOrders({ demand: { verb: 'restart' }, names: ['shop'], actor: 'me', waitMs: 30_000, gone: new AbortController().signal }, portsOf(emperor, { logs: { ...NO_LOGS, tail } }));
    await handled(emperor);
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    await new Promise(setImmediate);
    emperor.wait(500);
    expect(await results).toMatchObject([{ outcome: 'failed', log: ['one', 'two'] }]);
    expect([emperor.observers, emperor.timers]).toEqual([0, 0]);
  });

  it('show no log of what never ran', async () => {
    const emperor = withShop();
    const tail = async (): Promise<Buffer> => Buffer.from('of the one before\n');
    const results = giveOrders({ demand: { verb: 'restart' }, names: ['shop'], actor: 'me', waitMs: 1_000, gone: new AbortController().signal }, portsOf(emperor, { logs: { ...NO_LOGS, tail } }));
    await handled(emperor);
    emperor.exit('shop');
    emperor.play({ type: 'unlaunchable', instance: emperor.instances('shop')[0]!.id, code: 'E_SPAWN', reason: 'EAGAIN', lasting: false });
    expect(await results).toMatchObject([{ outcome: 'failed', code: 'E_SPAWN', log: [] }]);
  });

  it('that run out of time while a vassal waits say for what', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('db'), declare('shop', { after: ['db'] }));
    const results = give(emperor, 'start', ['shop']);
    await handled(emperor);
    emperor.wait(30_000);
    expect(await results).toMatchObject([{ outcome: 'timeout', message: expect.stringContaining('it is waiting for db, and goes on') }]);
  });

  it('fail without their last words if those cannot be read', async () => {
    const emperor = withShop();
    const logs = { ...NO_LOGS, tail: async () => { throw new Error('EIO'); } };
    const results = giveOrders({ demand: { verb: 'restart' }, names: ['shop'], actor: 'me', waitMs: 1_000, gone: new AbortController().signal }, portsOf(emperor, { logs }));
    await handled(emperor);
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    quote(emperor, 'shop');
    expect(await results).toMatchObject([{ outcome: 'failed', log: [] }]);
  });
});

describe('an order to pause', () => {
  it('is done when nothing runs, and ended by one to resume', async () => {
    const emperor = withShop();
    const paused = give(emperor, 'pause', ['shop']);
    await handled(emperor);
    emperor.exit('shop');
    expect(await paused).toMatchObject([{ outcome: 'done' }]);
    expect(emperor.vassal('shop')?.state.phase).toBe('paused');
    const resumed = give(emperor, 'resume', ['shop']);
    await expect.poll(() => emperor.vassal('shop')?.state.phase).toBe('starting');
    emperor.rise('shop');
    expect(await resumed).toMatchObject([{ outcome: 'done' }]);
  });
});

describe('an order to scale', () => {
  it('is done when so many are ready', async () => {
    const emperor = withShop();
    const scaled = demand(emperor, { verb: 'scale', instances: 2 }, ['shop']);
    await handled(emperor);
    expect(emperor.posted).toEqual([{ type: 'order', verb: 'scale', instances: 2, vassal: fileOf('shop'), actor: 'me' }]);
    emperor.rise('shop');
    expect(await scaled).toMatchObject([{ outcome: 'done', message: null }]);
    expect(emperor.instances('shop')).toHaveLength(2);
  });

  it('fails when one of them does not come up', async () => {
    const emperor = withShop();
    const scaled = demand(emperor, { verb: 'scale', instances: 2 }, ['shop']);
    await handled(emperor);
    emperor.spawn('shop');
    const added = emperor.instances('shop').at(-1)!;
    emperor.play({ type: 'exited', instance: added.id, status: { kind: 'exited', code: 9 } });
    quote(emperor, 'shop', 'no room');
    expect(await scaled).toMatchObject([{ outcome: 'failed', code: 'E_EXITED', log: ['no room'] }]);
  });

  it('is remembered for what is stopped', async () => {
    const emperor = withShop();
    emperor.play({ type: 'order', verb: 'stop', vassal: fileOf('shop'), actor: 'me' });
    emperor.exit('shop');
    expect(await demand(emperor, { verb: 'scale', instances: 2 }, ['shop'])).toMatchObject([{ outcome: 'done', message: 'it takes effect when it starts' }]);
    expect(emperor.vassal('shop')?.scale).toBe(2);
  });
});

describe('an order to go back', () => {
  /** The vassal "shop" with three revisions, the second of which is at fault, and the third serves. */
  function withRevisions(): FakeEmperor {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', OVERLAP, 'one'));
    emperor.rise('shop');
    emperor.list(declareFaulty('shop', 'bad two', 2));
    emperor.list(declare('shop', OVERLAP, 'three', 3));
    emperor.rise('shop');
    emperor.exit('shop');
    return emperor;
  }

  const OVERLAP = { reload: { kind: 'overlap' } } as const;
  const parse: ControlPorts['parse'] = (id, text) => (text.startsWith('bad') ? declareFaulty('shop', text).outcome : { ok: true, spec: { ...specOf(OVERLAP), argv: ['/bin/echo', id, text] } });

  function goBack(emperor: FakeEmperor, revision: number | null, changes: Partial<ControlPorts> = {}): Promise<readonly OrderResult[]> {
    return giveOrders({ demand: { verb: 'rollback', revision }, names: ['shop'], actor: 'me', waitMs: 30_000, gone: new AbortController().signal }, portsOf(emperor, { parse, ...changes }));
  }

  it.each([[null], [1]])('to %j brings the text of revision 1 into service, as it was', async (revision) => {
    const emperor = withRevisions();
    const results = goBack(emperor, revision);
    await handled(emperor);
    expect(emperor.posted).toMatchObject([{ verb: 'rollback', to: { number: 1, spec: { argv: ['/bin/echo', '/v/shop.toml', 'one'] } } }]);
    emperor.rise('shop');
    expect(await results).toMatchObject([{ outcome: 'done' }]);
    expect(emperor.vassal('shop')).toMatchObject({ pinned: { number: 1 }, state: { phase: 'ready', current: { runs: { number: 1 } } } });
  });

  it.each([
    [2, 'revision 2 cannot be run: unknown key "x" at /v/shop.toml:1'],
    [7, 'there is no revision 7; there are 1 to 3'],
  ])('to %i fails, and nothing is asked of the vassal', async (revision, message) => {
    const emperor = withRevisions();
    expect(await goBack(emperor, revision)).toEqual([{ name: 'shop', outcome: 'failed', code: 'E_VALUE', message, log: [] }]);
    expect(emperor.posted).toEqual([]);
  });

  it('fails if there is nothing to go back to', async () => {
    expect(await goBack(withShop(), null)).toMatchObject([{ outcome: 'failed', code: 'E_VALUE', message: 'there is no revision before 1 that could be run' }]);
  });

  it('goes back from what runs, which need not be the newest', async () => {
    const emperor = withRevisions();
    emperor.list(declareFaulty('shop', 'bad four', 4));
    const results = goBack(emperor, null);
    await handled(emperor);
    expect(emperor.posted).toMatchObject([{ to: { number: 1 } }]);
    emperor.rise('shop');
    expect(await results).toMatchObject([{ outcome: 'done', message: null }]);
  });

  it('fails if that one is refused, for its own reason, whatever else was wrong before', async () => {
    const emperor = withRevisions();
    emperor.list(declareFaulty('shop', 'bad four', 4));
    const results = goBack(emperor, 1);
    await handled(emperor);
    emperor.spawn('shop');
    const next = emperor.instances('shop').find((each) => each.runs.number === 1)!;
    emperor.play({ type: 'exited', instance: next.id, status: { kind: 'exited', code: 6 } });
    expect(await results).toMatchObject([{ outcome: 'failed', message: expect.stringContaining('exited with code 6') }]);
    expect(emperor.vassal('shop')).toMatchObject({ state: { phase: 'ready', current: { runs: { number: 3 } } } });
  });

  it('is not given to anybody while the store cannot be read', async () => {
    const emperor = withRevisions();
    const revisions = (): never => {
      throw new EmperorError('E_STORE', 'the database cannot be read');
    };
    await expect(goBack(emperor, null, { revisions })).rejects.toMatchObject({ code: 'E_STORE' });
    expect(emperor.posted).toEqual([]);
  });
});
