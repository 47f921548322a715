import { describe, expect, it } from 'vitest';
import type { DiffDocument, RevisionsDocument, WhyDocument } from '../../src/control/protocol.ts';
import type { Listen } from '../../src/core/address.ts';
import type { Order } from '../../src/core/event.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';
import { host, quote } from './host.ts';

const OVERLAP = { reload: { kind: 'overlap' } } as const;
const LISTEN: Listen = { address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 511, mode: null, user: null, group: null };

function order(emperor: FakeEmperor, what: Order): void {
  emperor.play({ type: 'order', vassal: fileOf('shop'), actor: 'alice', ...what });
}

/** "shop" with three revisions: the first serves, the second is at fault, the third was refused. */
function withRevisions(): FakeEmperor {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop', OVERLAP, 'one\n'));
  emperor.rise('shop');
  emperor.ms += 60_000;
  emperor.list(declareFaulty('shop', 'two\n', 2));
  emperor.list(declare('shop', OVERLAP, 'three\n', 3));
  emperor.spawn('shop');
  const next = emperor.instances('shop').find((each) => each.runs.number === 3)!;
  emperor.play({ type: 'exited', instance: next.id, status: { kind: 'exited', code: 1 } });
  return emperor;
}

async function historyOf(emperor: FakeEmperor, name = 'shop'): Promise<RevisionsDocument> {
  return (await (await host({ emperor })).ask('GET', `/v1/history/${name}`)).json as RevisionsDocument;
}

function marks({ revisions }: RevisionsDocument): string[] {
  return revisions.map(({ number, runnable, marks: each }) => [number, ...(runnable ? [] : ['faulty']), ...each].join(' '));
}

describe('the history of a vassal file', () => {
  it('is its revisions, oldest first, and what became of them', async () => {
    const document = await historyOf(withRevisions());
    expect(document).toMatchObject({ name: 'shop', file: '/v/shop.toml', revisions: [{ number: 1, hash: 'one\n', at: expect.stringMatching(/^\d{4}-.*Z$/) }, {}, {}] });
    expect(JSON.stringify(document)).not.toContain('text');
    expect(marks(document)).toEqual(['1 serving good', '2 faulty', '3 newest refused']);
  });

  it('tells which one an operator went back to', async () => {
    const emperor = withRevisions();
    emperor.list(declare('shop', OVERLAP, 'four\n', 4));
    emperor.rise('shop');
    emperor.exit('shop');
    order(emperor, { verb: 'rollback', to: { number: 1, spec: emperor.vassal('shop')!.good!.spec } });
    expect(marks(await historyOf(emperor))).toEqual(['1 pinned', '2 faulty', '3', '4 serving newest good']);
    emperor.rise('shop');
    emperor.exit('shop');
    expect(marks(await historyOf(emperor))).toEqual(['1 serving pinned good', '2 faulty', '3', '4 newest']);
  });

  it('can be read when the vassal is forgotten', async () => {
    const emperor = withRevisions();
    emperor.list();
    emperor.exit('shop');
    expect(emperor.vassal('shop')).toBeUndefined();
    expect(marks(await historyOf(emperor))).toEqual(['1', '2 faulty', '3']);
  });
});

describe('two revisions of a vassal file', () => {
  async function numbers(emperor: FakeEmperor, query = ''): Promise<number[]> {
    const { from, to } = (await (await host({ emperor })).ask('GET', `/v1/diff/shop${query}`)).json as DiffDocument;
    return [from.number, to.number];
  }

  it('come with their texts', async () => {
    const { ask } = await host({ emperor: withRevisions() });
    expect(await ask('GET', '/v1/diff/shop')).toMatchObject({
      status: 200,
      json: { name: 'shop', file: '/v/shop.toml', from: { number: 1, text: 'one\n', hash: 'one\n' }, to: { number: 3, text: 'three\n' } },
    });
  });

  it.each([
    ['', [1, 3]], ['?to=2', [1, 2]], ['?to=1&from=3', [3, 1]], ['?from=2', [2, 3]], ['?from=2&to=2', [2, 2]],
  ])('by "%s" are %j, while the first serves', async (query, expected) => {
    expect(await numbers(withRevisions(), query)).toEqual(expected);
  });

  it('are the newest and the one before it, if the newest serves, or nothing does', async () => {
    const emperor = withRevisions();
    emperor.list(declare('shop', OVERLAP, 'four\n', 4));
    emperor.rise('shop');
    emperor.exit('shop');
    expect(await numbers(emperor)).toEqual([3, 4]);
    order(emperor, { verb: 'stop' });
    emperor.exit('shop');
    expect(await numbers(emperor)).toEqual([3, 4]);
  });
});

describe('why a vassal does what it does', () => {
  async function whyOf(emperor: FakeEmperor): Promise<WhyDocument> {
    return (await (await host({ emperor })).ask('GET', '/v1/why/shop')).json as WhyDocument;
  }

  it('in backoff: what died, what it printed, when it starts again', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    quote(emperor, 'shop', 'boom');
    expect(await whyOf(emperor)).toEqual({
      name: 'shop', file: '/v/shop.toml', state: 'backoff', revision: 1, actor: null,
      since: '2023-11-14T22:13:20.000Z',
      cause: 'instance shop#1 exited with code 3, 0.0 s after its start, before it was ready; starting again in 0.25 s',
      failure: { revision: 1, code: 'E_EXITED', message: 'instance shop#1 exited with code 3, 0.0 s after its start, before it was ready', at: '2023-11-14T22:13:20.000Z', output: ['boom'] },
      nextStartAt: '2023-11-14T22:13:20.250Z', waitsFor: [],
      advice: [expect.stringContaining('"emperor logs shop"')],
    });
  });

  it('stopped: by whom', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    order(emperor, { verb: 'stop' });
    expect(await whyOf(emperor)).toMatchObject({ state: 'stopping', cause: 'it was stopped by an operator', actor: 'alice' });
  });

  it('ready: since its instances are, and what is wrong with the newest revision', async () => {
    const emperor = withRevisions();
    expect(await whyOf(emperor)).toMatchObject({
      state: 'ready', revision: 1, since: '2023-11-14T22:13:21.000Z', failure: { revision: 3, code: 'E_EXITED' }, advice: [expect.stringContaining('"emperor diff shop"')],
    });
  });

  it('waiting: for what, and what that does', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declareFaulty('db'), declare('cache'), declare('shop', { after: ['db', 'cache', 'ghost'] }));
    expect(await whyOf(emperor)).toMatchObject({
      state: 'waiting', waitsFor: [{ name: 'db', state: 'invalid' }, { name: 'cache', state: 'starting' }, { name: 'ghost', state: null }], advice: ['it starts when they are ready'],
    });
  });

  it.each<[string, (emperor: FakeEmperor) => void, string]>([
    ['idle', (emperor) => emperor.list(declare('shop', { onDemand: true, listen: [LISTEN] })), 'the first connection to 127.0.0.1:8000'],
    ['invalid', (emperor) => emperor.list(declareFaulty('shop')), 'mend its file'],
    ['invalid', (emperor) => emperor.list(declare('shop', { after: ['db'] }), declare('db', { after: ['shop'] })), 'take one of them out of "after": shop → db → shop'],
    ['starting', (emperor) => emperor.list(declare('shop')), '"emperor events -f shop"'],
    ['paused', (emperor) => {
      emperor.list(declare('shop'));
      emperor.rise('shop');
      order(emperor, { verb: 'pause' });
      emperor.exit('shop');
    }, '"emperor resume shop"'],
    ['stopped', (emperor) => {
      emperor.list(declare('shop'));
      emperor.rise('shop');
      order(emperor, { verb: 'stop' });
      emperor.exit('shop');
    }, '"emperor start shop"'],
    ['exited', (emperor) => {
      emperor.list(declare('shop', { restart: 'never' }));
      emperor.rise('shop');
      emperor.exit('shop', { kind: 'exited', code: 0 });
    }, 'its restart policy leaves it'],
    ['ready', (emperor) => {
      emperor.list(declare('shop', OVERLAP, 'one'));
      emperor.rise('shop');
      order(emperor, { verb: 'rollback', to: emperor.vassal('shop')!.good! });
      emperor.rise('shop');
      emperor.exit('shop');
    }, 'an operator went back to revision 1'],
    ['reloading', (emperor) => {
      emperor.list(declare('shop', OVERLAP, 'one'));
      emperor.rise('shop');
      order(emperor, { verb: 'reload' });
    }, 'the old instances serve until'],
    ['stopped', (emperor) => emperor.list({ ...declare('shop'), awaitsCommand: true }), 'its file alone does not'],
  ])('%s: what can be done', async (state, live, advice) => {
    const emperor = new FakeEmperor();
    live(emperor);
    expect(await whyOf(emperor)).toMatchObject({ state, advice: [expect.stringContaining(advice)] });
  });

  it('ready, with nothing wrong: there is nothing to do', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    expect(await whyOf(emperor)).toMatchObject({ state: 'ready', failure: null, advice: [] });
  });
});
