import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EmperorError } from '../../src/errors.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';
import { host, logsOf, me, quote } from './host.ts';

/** An emperor with the vassal "shop", which is ready. */
function withShop(): FakeEmperor {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  emperor.rise('shop');
  return emperor;
}

describe('the control socket answers', () => {
  it('who reigns', async () => {
    const { ask } = await host({ emperor: withShop() });
    expect(await ask('GET', '/v1/emperor')).toMatchObject({
      status: 200,
      json: { version: '0.1.0', pid: 4242, startedAt: '2020-09-13T12:26:40.000Z', life: 'running', sources: ['dir:///v'], blind: [] },
    });
  });

  it('the status of all, and of one', async () => {
    const emperor = withShop();
    emperor.list(declare('shop'), declare('wiki'));
    const { ask } = await host({ emperor });
    const names = ({ json }: { json: unknown }): string[] => (json as { vassals: { name: string }[] }).vassals.map(({ name }) => name);
    expect(names(await ask('GET', '/v1/status'))).toEqual(['shop', 'wiki']);
    expect(names(await ask('GET', '/v1/status/wiki'))).toEqual(['wiki']);
  });

  it.each([
    ['GET', '/v1/status/ghost', undefined, 404, 'E_NO_VASSAL', 'there is no vassal "ghost"'],
    ['GET', '/v1/logs/ghost', undefined, 404, 'E_NO_VASSAL', 'ghost'],
    ['GET', '/v1/events?name=ghost', undefined, 404, 'E_NO_VASSAL', 'ghost'],
    ['GET', '/v1/nothing', undefined, 404, 'E_REQUEST', 'there is no GET /v1/nothing'],
    ['GET', '/v2/status', undefined, 404, 'E_REQUEST', 'there is no GET /v2/status'],
    ['DELETE', '/v1/status', undefined, 404, 'E_REQUEST', 'there is no DELETE'],
    ['GET', '/v1/status/%zz', undefined, 400, 'E_REQUEST', ''],
    ['GET', '/v1/status?color=1', undefined, 400, 'E_REQUEST', 'unknown parameter "color"'],
    ['GET', '/v1/events?limit=-1', undefined, 400, 'E_REQUEST', 'limit has to be'],
    ['GET', '/v1/events?limit=1&limit=2', undefined, 400, 'E_REQUEST', 'given twice'],
    ['GET', '/v1/events?limit=99999999', undefined, 400, 'E_REQUEST', 'limit has to be'],
    ['GET', '/v1/events?follow=yes', undefined, 400, 'E_REQUEST', 'follow has to be'],
    ['GET', '/v1/logs/shop?lines=many', undefined, 400, 'E_REQUEST', 'lines has to be'],
    ['POST', '/v1/stop', undefined, 400, 'E_REQUEST', 'names'],
    ['POST', '/v1/stop', '{"names":', 400, 'E_REQUEST', ''],
    ['POST', '/v1/stop', {}, 400, 'E_REQUEST', 'names'],
    ['POST', '/v1/stop', [], 400, 'E_REQUEST', 'names'],
    ['POST', '/v1/stop', { names: [] }, 400, 'E_REQUEST', 'at least one'],
    ['POST', '/v1/stop', { names: 'shop' }, 400, 'E_REQUEST', 'names'],
    ['POST', '/v1/stop', { names: [7] }, 400, 'E_REQUEST', 'not empty'],
    ['POST', '/v1/stop', { names: [''] }, 400, 'E_REQUEST', 'not empty'],
    ['POST', '/v1/stop', '{"__proto__":{"names":["shop"]}}', 400, 'E_REQUEST', ''],
    ['POST', '/v1/stop?wait=1&timeout=soon', { names: ['shop'] }, 400, 'E_REQUEST', 'timeout has to be'],
    ['POST', '/v1/stop?wait=1&timeout=0s', { names: ['shop'] }, 400, 'E_REQUEST', 'timeout has to be'],
    ['POST', '/v1/scale', { names: ['shop'] }, 400, 'E_REQUEST', 'instances has to be a whole number from 1 to 1000'],
    ['POST', '/v1/scale', { names: ['shop'], instances: 0 }, 400, 'E_REQUEST', 'instances has to be'],
    ['POST', '/v1/scale', { names: ['shop'], instances: 1001 }, 400, 'E_REQUEST', 'instances has to be'],
    ['POST', '/v1/scale', { names: ['shop'], instances: '3' }, 400, 'E_REQUEST', 'instances has to be'],
    ['POST', '/v1/scale', { names: ['shop'], instances: 2.5 }, 400, 'E_REQUEST', 'instances has to be'],
    ['POST', '/v1/rollback', { names: ['shop'], revision: 'one' }, 400, 'E_REQUEST', 'revision has to be'],
    ['POST', '/v1/rollback', { names: ['shop'], revision: 0 }, 400, 'E_REQUEST', 'revision has to be'],
    ['POST', '/v1/rollback', { revision: 1 }, 400, 'E_REQUEST', 'names'],
    ['GET', '/v1/history/ghost', undefined, 404, 'E_NO_VASSAL', 'ghost'],
    ['GET', '/v1/diff/ghost', undefined, 404, 'E_NO_VASSAL', 'ghost'],
    ['GET', '/v1/why/ghost', undefined, 404, 'E_NO_VASSAL', 'ghost'],
    ['GET', '/v1/diff/shop', undefined, 400, 'E_VALUE', 'there is no revision before 1 to compare with'],
    ['GET', '/v1/diff/shop?from=7', undefined, 400, 'E_VALUE', 'there is no revision 7; there are 1 to 1'],
    ['GET', '/v1/diff/shop?to=7', undefined, 400, 'E_VALUE', 'there is no revision 7'],
    ['GET', '/v1/diff/shop?from=0', undefined, 400, 'E_REQUEST', 'from has to be a whole number from 1'],
    ['GET', '/v1/diff/shop?to=-1', undefined, 400, 'E_REQUEST', 'to has to be'],
    ['GET', '/v1/why/shop?verbose=1', undefined, 400, 'E_REQUEST', 'unknown parameter'],
    ['POST', '/v1/explode', { names: ['shop'] }, 404, 'E_REQUEST', 'there is no POST'],
    ['POST', '/v1/shutdown?keep=maybe', undefined, 400, 'E_REQUEST', 'keep has to be'],
  ] as const)('%s %s %j with %i %s', async (method, path, body, status, code, message) => {
    const { ask, emperor } = await host({ emperor: withShop() });
    const answer = await ask(method, path, body);
    expect(answer).toMatchObject({ status, json: { error: { code, message: expect.stringContaining(message) } } });
    expect(emperor.posted).toEqual([]);
  });

  it('a body of another type with 415', async () => {
    const { ask } = await host();
    expect(await ask('POST', '/v1/stop', 'names=shop', { 'content-type': 'application/x-www-form-urlencoded' }))
      .toMatchObject({ status: 415, json: { error: { code: 'E_REQUEST' } } });
  });

  it('a body that is too large with 413', async () => {
    const { ask } = await host();
    expect(await ask('POST', '/v1/stop', { names: ['x'.repeat(9 * 2 ** 20)] })).toMatchObject({ status: 413, json: { error: { code: 'E_REQUEST' } } });
  });

  it('what is no HTTP with 400, and goes on', async () => {
    const { ask, path } = await host();
    const socket = connect(path);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).end('what are you?\r\n\r\n');
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 [^]*\{"error":\{"code":"E_REQUEST"/);
    expect((await ask('GET', '/v1/emperor')).status).toBe(200);
  });

  it('a bug of its own with E_BUG, and logs it once', async () => {
    const { ask, logged } = await host({ rescan: async () => { throw new TypeError('undefined is not a function'); } });
    expect(await ask('POST', '/v1/rescan')).toMatchObject({ status: 500, json: { error: { code: 'E_BUG' } } });
    expect(logged).toEqual(['error: a control request met a bug']);
  });

  it('trouble of the store with its code', async () => {
    const { ask } = await host({ history: () => { throw new EmperorError('E_STORE', 'the database cannot be read'); } });
    for (const path of ['/v1/events', '/v1/events?follow=1']) {
      expect(await ask('GET', path)).toMatchObject({ status: 500, json: { error: { code: 'E_STORE', message: 'the database cannot be read' } } });
    }
  });

  it('a rescan when it was done', async () => {
    let scans = 0;
    const { ask } = await host({ rescan: async () => { scans += 1; } });
    expect(await ask('POST', '/v1/rescan')).toMatchObject({ status: 200, json: {} });
    expect(scans).toBe(1);
  });

  it('a shutdown at once, and posts it', async () => {
    const { ask, emperor } = await host({ emperor: withShop() });
    expect(await ask('POST', '/v1/shutdown?keep=1', undefined, { 'emperor-actor': 'j%C3%BCrgen' })).toMatchObject({ status: 200, json: { pid: 4242 } });
    expect(emperor.posted).toEqual([{ type: 'shutdown', keep: true, actor: `${me()} claiming "jürgen"` }]);
  });

  it('100 askers at once', async () => {
    const { ask } = await host({ emperor: withShop() });
    const answers = await Promise.all(Array.from({ length: 100 }, async () => ask('GET', '/v1/status')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('names', () => {
  const NAMES = ['a b', `it's "quoted"`, 'new\nline', '..', '.', 'a/b', 'a%2Fb', '%', 'a?b#c', 'a&b=c', 'größe', '商店', '🦊', '\u0001', 'x'.repeat(255), 'é'.repeat(127), '__proto__'];

  it.each(NAMES)('like %j pass through paths, queries and bodies unharmed', async (name) => {
    const emperor = new FakeEmperor();
    emperor.list(declare(name), declare('other'));
    const asked: string[] = [];
    const logs = { tail: async (of: string) => Buffer.from(`${asked.push(of)}\n`), async *follow() {} };
    const { ask } = await host({ emperor, logs });
    const encoded = encodeURIComponent(name);
    expect(await ask('GET', `/v1/status/${encoded}`)).toMatchObject({ status: 200, json: { vassals: [{ name }] } });
    expect((await ask('GET', `/v1/logs/${encoded}`)).status).toBe(200);
    expect(asked).toEqual([name]);
    expect(await ask('GET', `/v1/history/${encoded}`)).toMatchObject({ status: 200, json: { name, revisions: [{ number: 1 }] } });
    expect(await ask('GET', `/v1/why/${encoded}`)).toMatchObject({ status: 200, json: { name } });
    const { text } = await ask('GET', `/v1/events?name=${encoded}&limit=1`);
    expect(JSON.parse(text)).toMatchObject({ name });
    expect(await ask('POST', '/v1/stop', { names: [name] })).toMatchObject({ status: 200, json: { results: [{ name, outcome: 'posted' }] } });
    expect(emperor.posted).toEqual([{ type: 'order', verb: 'stop', vassal: fileOf(name), actor: me() }]);
  });

  it.each(['../../etc/passwd', '..%2f..%2fetc', '%2e%2e'])('that no vassal has, like %j, lead nowhere', async (name) => {
    let read = 0;
    const { ask } = await host({ emperor: withShop(), logs: { tail: async () => Buffer.from(`${read += 1}`), async *follow() {} } });
    expect((await ask('GET', `/v1/logs/${encodeURIComponent(name)}`)).status).toBe(404);
    expect((await ask('GET', `/v1/logs/${name}`)).status).toBe(404);
    expect(read).toBe(0);
  });
});

describe('an order over the socket', () => {
  it('waits for its outcome', async () => {
    const { ask, emperor } = await host({ emperor: withShop() });
    const stopped = ask('POST', '/v1/stop?wait=1', { names: ['shop'] });
    await expect.poll(() => emperor.vassal('shop')?.state.phase).toBe('stopping');
    emperor.exit('shop', { kind: 'killed', signal: 'SIGTERM' });
    expect(await stopped).toMatchObject({ status: 200, json: { results: [{ name: 'shop', outcome: 'done', code: null, message: null, log: [] }] } });
  });

  it('that fails says why, with what the vassal printed last', async () => {
    const { ask, emperor } = await host({ emperor: withShop(), logs: logsOf('starting\nno module named shop\n') });
    const restarted = ask('POST', '/v1/restart?wait=1', { names: ['shop'] });
    await expect.poll(() => emperor.vassal('shop')?.state.phase).toBe('stopping');
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    quote(emperor, 'shop');
    expect(await restarted).toMatchObject({
      status: 200,
      json: { results: [{ outcome: 'failed', code: 'E_EXITED', message: expect.stringContaining('exited with code 3'), log: ['starting', 'no module named shop'] }] },
    });
  });

  it('for a file at fault tells the faults', async () => {
    const emperor = withShop();
    emperor.list(declareFaulty('shop'));
    const { ask } = await host({ emperor });
    expect(await ask('POST', '/v1/reload?wait=1', { names: ['shop'] })).toMatchObject({
      json: { results: [{ outcome: 'fault', code: 'E_KEY_UNKNOWN', message: 'unknown key "x" at /v/shop.toml:1' }] },
    });
  });

  it('is forgotten, but done, when the asker goes away', async () => {
    const { emperor, path } = await host({ emperor: withShop() });
    const asked = request({ socketPath: path, method: 'POST', path: '/v1/stop?wait=1', agent: false, headers: { 'content-type': 'application/json' } });
    asked.on('error', () => {}).end('{"names":["shop"]}');
    await expect.poll(() => emperor.vassal('shop')?.state.phase).toBe('stopping');
    expect(emperor.observers).toBe(1);
    asked.destroy();
    await expect.poll(() => emperor.observers).toBe(0);
    expect(emperor.timers).toBe(0);
  });
});

describe('a stream', () => {
  /** Opens a stream and gives its reply as soon as the head is there. */
  async function open(socketPath: string, path: string, method = 'GET'): Promise<IncomingMessage> {
    const asked = request({ socketPath, path, method, agent: false }).on('error', () => {});
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  }

  it('of events begins with the past and goes on', async () => {
    const { emperor, path } = await host({ emperor: withShop() });
    const response = await open(path, '/v1/events?follow=1&name=shop&limit=2');
    expect(response.headers['content-type']).toBe('application/x-ndjson');
    const seen: string[] = [];
    const collected = (async () => {
      let rest = '';
      for await (const chunk of response) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        seen.push(...lines.map((line) => (JSON.parse(line) as { event: string }).event));
      }
    })().catch(() => {});
    await expect.poll(() => seen).toEqual(['spawned', 'ready']);
    emperor.play({ type: 'order', verb: 'stop', vassal: fileOf('shop'), actor: 'me' });
    await expect.poll(() => seen).toEqual(['spawned', 'ready', 'order', 'cursed']);
    response.destroy();
    await collected;
    await expect.poll(() => emperor.observers).toBe(0);
  });

  it('that nobody reads holds up nobody and fills no memory', async () => {
    const emperor = withShop();
    let read = 0;
    const { path, ask } = await host({ emperor, history: (query) => {
      const page = emperor.store.history(query);
      read += page.length;
      return page;
    } });
    const response = await open(path, '/v1/events?follow=1&limit=0');
    response.pause();
    for (let round = 0; round < 20_000; round += 1) emperor.play({ type: 'order', verb: 'start', vassal: fileOf('shop'), actor: 'a'.repeat(60) });
    expect((await ask('GET', '/v1/status')).status).toBe(200);
    expect(read).toBeLessThan(10_000);
    let lines = 0;
    for await (const chunk of response) {
      lines += String(chunk).split('\n').length - 1;
      if (lines === 20_000) break;
    }
    expect(lines).toBe(20_000);
  });

  it.each(['', '?follow=1'])('of logs%s is the bytes that were printed', async (query) => {
    const printed = [Buffer.from([0x61, 0xff, 0x00, 0x0a, 0x1b]), Buffer.from([0x5b, 0x0a])];
    const { path } = await host({ emperor: withShop(), logs: { tail: async () => Buffer.concat(printed), async *follow() { yield* printed; } } });
    const chunks: Buffer[] = [];
    for await (const chunk of await open(path, `/v1/logs/shop${query}`)) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat(printed));
  });

  it('of logs is told of a vassal that is forgotten, too', async () => {
    const emperor = withShop();
    emperor.list();
    emperor.exit('shop');
    expect(emperor.vassal('shop')).toBeUndefined();
    const { ask } = await host({ emperor, logs: logsOf('last words\n') });
    expect((await ask('GET', '/v1/logs/shop')).text).toBe('last words\n');
  });

  it('of logs tells the reader of the file when its asker goes away', async () => {
    const told: string[] = [];
    const { path } = await host({ emperor: withShop(), logs: {
      tail: async () => new Uint8Array(),
      async *follow(name, signal, lines) {
        told.push(`${name} ${lines}`);
        yield Buffer.from('x\n');
        if (!signal.aborted) await once(signal, 'abort');
        told.push('gone');
      },
    } });
    const response = await open(path, '/v1/logs/shop?follow=1&lines=7');
    await once(response, 'data');
    response.destroy();
    await expect.poll(() => told).toEqual(['shop 7', 'gone']);
  });

  it('ends with the server, but for those that wait for the end of the process', async () => {
    const { path, close, ask } = await host({ emperor: withShop() });
    const farewell = await open(path, '/v1/shutdown?wait=1', 'POST');
    const feed = await open(path, '/v1/events?follow=1');
    const ended = new Promise((resolve) => feed.on('error', () => {}).resume().on('close', resolve));
    await close();
    await ended;
    await expect(ask('GET', '/v1/emperor')).rejects.toThrow('ENOENT');
    expect(farewell.destroyed).toBe(false);
    farewell.on('error', () => {}).destroy();
  });
});
