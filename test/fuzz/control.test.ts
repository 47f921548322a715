import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { openControl } from '../../src/control/server.ts';
import { ask, portsOf } from '../control/host.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { fuzz } from './fuzz.ts';

const folder = mkdtempSync(join(tmpdir(), 'emperor-fuzz-'));
const path = join(folder, 'control.sock');
let server: AsyncDisposable;

beforeAll(async () => {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'), declare('__proto__'));
  server = await openControl({ path, gid: null, fd: null }, portsOf(emperor));
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** One whole request. */
interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const PART = fc.oneof(fc.constantFrom('v1', 'status', 'emperor', 'logs', 'events', 'history', 'diff', 'why', 'shop', '__proto__', 'ghost', '..', '.', '', '%2e', '%2F', '%00', '%zz', '%ff', '*', 'a'.repeat(9_000), 'stop', 'scale', 'rescan'), fc.stringMatching(/^[!-~]{0,10}$/));
// Neither `follow` nor `wait`: their answers have no end here.
const QUERY = fc.array(fc.constantFrom('limit=1', 'limit=-1', 'limit=1e9', 'name=shop', 'name=__proto__', '__proto__=1', 'from=1', 'to=0', 'lines=5', 'x', '=', 'limit=1&limit=2', 'timeout=1s', 'wait=0', 'follow=0', 'name=%zz', 'a[b]=c'), { maxLength: 3 });
const VALUE = fc.oneof(fc.json(), fc.constantFrom('{"names":["shop"]}', '{"names":["ghost"],"instances":3}', '{"names":["__proto__"],"revision":1}', '{"names":[]}', '{"__proto__":{"names":["shop"]}}', '{"constructor":{"prototype":1}}', '{', '', 'null', '\uFEFF{}', '[]', '1e400'), fc.string({ unit: 'binary', maxLength: 40 }));
// No `upgrade`: Node itself leaves such a connection open after its answer.
const HEADER = fc.constantFrom('content-type: application/json', 'content-type: text/plain', 'content-type: application/json; charset=utf-16', 'content-type: x', 'content-type:', 'emperor-actor: %zz', 'emperor-actor: \u00e9', 'emperor-actor: ' + 'x'.repeat(5_000), 'accept: image/png', 'accept-encoding: gzip', 'range: bytes=0-1', 'x-http-method-override: DELETE', 'cookie: a=b', 'content-encoding: gzip');
const ASKED: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'),
  target: fc.tuple(fc.oneof({ weight: 4, arbitrary: fc.array(PART, { maxLength: 3 }).map((parts) => `/v1/${parts.join('/')}`) }, fc.array(PART, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`), fc.constantFrom('http://x/v1/status', '//', '*')), QUERY).map(([place, query]) => (query.length === 0 ? place : `${place}?${query.join('&')}`)).filter((target) => !/follow=1|wait=1|shutdown/.test(target)),
  headers: fc.uniqueArray(HEADER, { maxLength: 3, selector: (header) => header.split(':')[0] }),
  body: VALUE,
});

function written({ method, target, headers, body }: Asked): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from([`${method} ${target} HTTP/1.1`, 'host: x', ...headers, `content-length: ${bytes.length}`, '', ''].join('\r\n'), 'latin1'), bytes]);
}

const LAST = Buffer.from('GET /v1/emperor HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');

/** The answers on a connection, by their own count of bytes or chunks. */
function answersIn(all: string): readonly { readonly status: number; readonly type: string; readonly body: string }[] {
  const answers = [];
  for (let rest = all; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, end);
    rest = rest.slice(end + 4);
    const headerOf = (name: string): string => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
    let body = '';
    if (headerOf('transfer-encoding') === 'chunked') {
      for (let size = -1; size !== 0; ) {
        size = Number.parseInt(rest, 16);
        const start = rest.indexOf('\r\n') + 2;
        body += rest.slice(start, start + size);
        rest = rest.slice(start + size + 2);
      }
    } else {
      const length = Number(headerOf('content-length'));
      body = rest.slice(0, length);
      rest = rest.slice(length);
    }
    answers.push({ status: Number(head.split(' ')[1]), type: headerOf('content-type'), body });
  }
  return answers;
}

async function answersStill(): Promise<void> {
  expect(await ask(path, 'GET', '/v1/emperor')).toMatchObject({ status: 200, json: { pid: 4242 } });
}

fuzz<readonly Asked[]>({
  name: 'each whole request is answered, by 200 or a fault of the asker as JSON, also one behind another',
  inputs: fc.array(ASKED, { minLength: 1, maxLength: 4 }),
  corpus: [[{ method: 'GET', target: '/v1/status/%zz', headers: [], body: '' }], [{ method: 'POST', target: '/v1/stop', headers: ['content-type: application/json'], body: '{"__proto__":{"names":["shop"]}}' }]],
  runs: 150,
  async check(asked) {
    const socket = connect(path);
    socket.write(Buffer.concat([...asked.map(written), LAST]));
    socket.setEncoding('latin1');
    const answers = answersIn(await text(socket));
    expect(answers.length).toBeGreaterThan(0);
    // What cannot be told from the next request ends the connection.
    if (answers.length <= asked.length) expect(answers.at(-1)?.status).toBeGreaterThanOrEqual(400);
    for (const { status, type, body } of answers) {
      expect(status >= 200 && status < 500, `${status} ${body}`).toBe(true);
      if (/json/.test(type) || status >= 400) for (const line of type.includes('ndjson') ? body.split('\n').filter((each) => each !== '') : [body]) JSON.parse(line);
    }
    await answersStill();
  },
});

fuzz<readonly [Asked, number, string]>({
  name: 'requests that break off, and what is no request, harm nobody',
  inputs: fc.tuple(ASKED, fc.double({ min: 0, max: 1, noNaN: true }), fc.oneof(fc.constantFrom('', '\r\n\r\n', '\0', 'GET', 'transfer-encoding: chunked\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), fc.string({ unit: 'binary', maxLength: 40 }))),
  corpus: [[{ method: 'GET', target: '/', headers: [], body: '' }, 0, '']],
  runs: 150,
  async check([asked, cut, more]) {
    const bytes = written(asked);
    const socket = connect(path);
    await once(socket, 'connect');
    await new Promise<unknown>((resolve) => socket.on('error', resolve).write(Buffer.concat([bytes.subarray(0, Math.floor(cut * bytes.length)), Buffer.from(`${more} `)]), resolve));
    socket.destroy();
    await answersStill();
  },
});
