import { mkdirSync, readdirSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLoad, type Load } from '../../src/cli/load.ts';
import type { EventDocument, StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import { until } from '../until.ts';
import { Daemon, toml } from './daemon.ts';
import { answer, freePort } from './http.ts';

const SERVER = new URL('../fixtures/programs/serves-when-let.mjs', import.meta.url).pathname;

/** A shop whose instances are ready as soon as there is a file `REVISION.go` in its gate. */
class Shop {
  readonly daemon: Daemon;
  readonly port: number;
  readonly gate: string;

  constructor(daemon: Daemon, port: number) {
    this.daemon = daemon;
    this.port = port;
    this.gate = join(daemon.place.folder, 'gate');
    mkdirSync(this.gate);
  }

  get file(): string {
    return join(this.daemon.place.vassals, 'shop.toml');
  }

  /** Writes a revision; it answers with its name. */
  edit(revision: string, ...more: readonly string[]): void {
    this.daemon.write('shop.toml', [
      '[vassal]', `command = ${JSON.stringify(['node', SERVER, this.gate, revision])}`, `listen = "127.0.0.1:${this.port}"`, 'ready = { http = "/ready", interval = "20ms" }',
      ...(more.some((line) => line.startsWith('linger')) ? [] : ['linger = "100ms"']), ...more, '',
    ].join('\n'));
  }

  let(revision: string): void {
    writeFileSync(join(this.gate, `${revision}.go`), '');
  }

  /** Deploys a first revision that is let. */
  async serve(...more: readonly string[]): Promise<VassalDocument> {
    this.let('one');
    this.edit('one', ...more);
    return this.daemon.untilState('shop', 'ready');
  }

  load(): Load {
    return startLoad({ address: { kind: 'tcp', host: '127.0.0.1', port: this.port, v6only: false }, path: '/', connections: 4, keepAlive: false, timeoutMs: 20_000 }, () => performance.now());
  }

  async events(event: string): Promise<readonly string[]> {
    return (await this.daemon.events('shop')).filter((each) => each.event === event).map(({ why }) => why);
  }
}

async function openShop(): Promise<{ readonly daemon: Daemon; readonly shop: Shop }> {
  const daemon = await Daemon.start();
  return { daemon, shop: new Shop(daemon, await freePort()) };
}

const only = (wanted: (shop: VassalDocument) => boolean) => ({ vassals: [shop] }: StatusDocument): boolean => shop !== undefined && wanted(shop);
/** It serves, and what served before is gone. */
const settled = only(({ state, instances }) => state === 'ready' && instances.length === 1);

describe('while a reload is judged', () => {
  it('further edits and touches leave exactly one generation, of the last text', async () => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve();
    const load = shop.load();
    shop.edit('two');
    await daemon.until(only(({ stage, instances }) => stage === 'judging' && instances.some(({ revision, pid }) => revision === 2 && pid !== null)), 'two is judged');
    utimesSync(shop.file, new Date(), new Date());
    await daemon.until(only(({ instances }) => instances.some(({ revision, generation }) => revision === 2 && generation > 2)), 'two is judged again');
    shop.edit('three');
    await daemon.until(only(({ stage, instances }) => stage === 'judging' && instances.some(({ revision }) => revision === 3)), 'three is judged');
    // What is let now is not what was asked for last.
    shop.let('two');
    shop.let('three');
    const { vassals: [after] } = await daemon.until((status) => settled(status) && status.vassals[0]?.revision === 3, 'three serves alone');
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(10);
    expect(await answer(shop.port)).toBe(`three ${after?.instances[0]?.pid}\n`);
    expect(daemon.survivors()).toEqual([after?.instances[0]?.pid]);
    expect(await shop.events('swapped')).toEqual(['revision 3 gets all new connections']);
    expect(after).toMatchObject({ failure: null, restarts: 0 });
  });

  it('an edit to a broken file does not end what is judged, and is told', async () => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve();
    shop.edit('two');
    await daemon.until(only(({ stage, instances }) => stage === 'judging' && instances.length === 2), 'two is judged');
    daemon.write('shop.toml', '[vassal]\ncomand = "x"\n');
    await daemon.until(only(({ failure }) => failure?.code === 'E_KEY_MISSING'), 'the fault is told');
    shop.let('two');
    const { vassals: [after] } = await daemon.until((status) => settled(status) && status.vassals[0]?.revision === 2, 'two serves');
    expect(await answer(shop.port)).toMatch(/^two /);
    expect(after?.failure).toMatchObject({ revision: 3, code: 'E_KEY_MISSING' });
    shop.edit('four');
    shop.let('four');
    const { vassals: [mended] } = await daemon.until((status) => settled(status) && status.vassals[0]?.revision === 4, 'four serves');
    expect(mended?.failure).toBeNull();
  });

  it('an edit back to what serves ends the other one', async () => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve();
    shop.edit('two');
    await daemon.until(only(({ stage, instances }) => stage === 'judging' && instances.length === 2), 'two is judged');
    shop.edit('one');
    const { vassals: [after] } = await daemon.until((status) => settled(status) && status.vassals[0]?.revision === 3, 'one serves again');
    expect(await answer(shop.port)).toMatch(/^one /);
    expect(daemon.survivors()).toEqual([after?.instances[0]?.pid]);
  });
});

describe('a file that is removed', () => {
  it.each([
    ['judging', []],
    ['canary', ['canary = { share = "50%", for = "60s" }']],
    ['swapped', ['linger = "60s"']],
  ] as const)('while its reload is at the stage "%s" leaves nothing', async (stage, more) => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve(...more);
    if (stage !== 'judging') shop.let('two');
    shop.edit('two', ...more);
    await daemon.until(only((each) => each.stage === stage && each.instances.length === 2 && each.instances.every(({ pid }) => pid !== null)), `it is ${stage}`);
    unlinkSync(shop.file);
    await daemon.until(({ vassals }) => vassals.length === 0, 'shop is forgotten');
    await until(() => expect(daemon.survivors()).toEqual([]));
    expect(await answer(shop.port)).toBeNull();
    expect(readdirSync(join(daemon.place.state, 'fifos'))).toEqual([]);
  });
});

it('an instance that does not heed its stop signal after a swap is killed, and the site is not down', async () => {
  const { daemon: started, shop } = await openShop();
  await using daemon = started;
  writeFileSync(join(shop.gate, 'one.deaf'), '');
  const before = await shop.serve('stop-timeout = "500ms"');
  const load = shop.load();
  shop.let('two');
  shop.edit('two', 'stop-timeout = "500ms"');
  await daemon.untilReplaced('shop', before);
  await daemon.until(settled, 'the deaf one is gone');
  const { lost, answered } = await load.end();
  expect(Object.fromEntries(lost)).toEqual({});
  expect(answered).toBeGreaterThan(10);
  expect(await shop.events('killed')).toEqual([expect.stringContaining('did not end within 500 ms')]);
  expect(daemon.survivors()).toHaveLength(1);
});

describe('several instances', () => {
  it('become more and fewer under load without a lost request', async () => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve();
    const load = shop.load();
    for (const count of [4, 1, 3]) {
      expect(await daemon.cli('scale', 'shop', String(count))).toMatchObject({ code: 0 });
      await daemon.until(only(({ state, instances }) => state === 'ready' && instances.length === count && instances.every((each) => each.state === 'ready')), `there are ${count}`);
      expect(new Set(await Promise.all(Array.from({ length: 100 }, () => answer(shop.port)))).has(null)).toBe(false);
    }
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(10);
    expect(daemon.survivors()).toHaveLength(3);
  });

  it('that are rolled are never more than one too many, one that ends counted, and no request is lost', async () => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    const more = ['instances = 3', 'roll = true'];
    const before = await shop.serve(...more);
    const load = shop.load();
    shop.let('two');
    shop.edit('two', ...more);
    await daemon.until(only(({ state, instances }) => state === 'ready' && instances.length === 3 && instances.every(({ revision, state: each }) => revision === 2 && each === 'ready')), 'all are of revision 2');
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(10);
    expect(mostAtOnce(await daemon.events('shop'))).toBeLessThanOrEqual(4);
    expect(daemon.survivors()).toHaveLength(3);
    for (const { pid } of before.instances) expect(daemon.survivors()).not.toContain(pid);
  });
});

/** The most instances that lived at one time, as the history tells it. */
function mostAtOnce(events: readonly EventDocument[]): number {
  const living = new Set<string>();
  let most = 0;
  for (const { event, instance } of events) {
    if (instance === null) continue;
    if (event === 'spawned') living.add(instance);
    if (event === 'exited') living.delete(instance);
    most = Math.max(most, living.size);
  }
  return most;
}

describe('vassals that wait for others', () => {
  const waiting = (after: string): string => toml(['/bin/sleep', '100000'], `after = ["${after}"]`);

  it('start in their order, along a chain of three', async () => {
    await using daemon = await Daemon.start();
    daemon.write('shop.toml', waiting('cache'));
    daemon.write('cache.toml', waiting('database'));
    await daemon.untilState('shop', 'waiting');
    const cache = await daemon.untilState('cache', 'waiting');
    expect(cache).toMatchObject({ waitsFor: ['database'], instances: [] });
    daemon.write('database.toml', toml(['/bin/sleep', '100000']));
    await daemon.untilState('shop', 'ready');
    const ready = (await daemon.events()).filter(({ event }) => event === 'ready').map(({ name }) => name);
    expect(ready).toEqual(['database', 'cache', 'shop']);
  });

  it('in a circle are told so, start nothing, and start when it is broken', async () => {
    await using daemon = await Daemon.start();
    daemon.write('a.toml', waiting('b'));
    daemon.write('b.toml', waiting('c'));
    daemon.write('c.toml', waiting('a'));
    daemon.write('neighbour.toml', toml(['/bin/sleep', '100000']));
    const { vassals } = await daemon.until((status) => status.vassals.filter(({ state }) => state === 'invalid').length === 3, 'all three are at fault');
    expect(vassals.filter(({ name }) => name !== 'neighbour').map(({ failure }) => failure?.code)).toEqual(['E_CYCLE', 'E_CYCLE', 'E_CYCLE']);
    expect(vassals[0]?.failure?.message).toContain('a → b → c → a');
    await daemon.untilState('neighbour', 'ready');
    expect(daemon.survivors()).toHaveLength(1);
    daemon.write('c.toml', toml(['/bin/sleep', '100000']));
    const mended = await daemon.until((status) => status.vassals.every(({ state }) => state === 'ready'), 'all are ready');
    expect(mended.vassals.map(({ failure }) => failure)).toEqual([null, null, null, null]);
  });
});

describe('while a canary has its share of the users', () => {
  it.each<[string, (daemon: Daemon, shop: Shop) => Promise<unknown>]>([
    ['a pause and its end', async (daemon) => {
      expect(await daemon.cli('pause', 'shop')).toMatchObject({ code: 0 });
      expect(await daemon.cli('resume', 'shop')).toMatchObject({ code: 0 });
    }],
    ['a restart', async (daemon) => expect(await daemon.cli('restart', 'shop')).toMatchObject({ code: 0 })],
    ['an edit', async (daemon, shop) => {
      shop.let('three');
      shop.edit('three', 'canary = { share = "50%", for = "60s" }');
      await daemon.until(only(({ stage, revision }) => stage === 'canary' && revision === 1), 'the next canary has its share');
    }],
  ])('%s loses no request', async (_what, happens) => {
    const { daemon: started, shop } = await openShop();
    await using daemon = started;
    await shop.serve();
    const load = shop.load();
    shop.let('two');
    shop.edit('two', 'canary = { share = "50%", for = "60s" }');
    await daemon.until(only(({ stage }) => stage === 'canary'), 'the canary has its share');
    await until(async () => expect(await answer(shop.port)).toContain('two'));
    await happens(daemon, shop);
    const { lost, answered } = await load.end();
    expect(Object.fromEntries(lost)).toEqual({});
    expect(answered).toBeGreaterThan(10);
  });
});
