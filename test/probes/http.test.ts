import { describe, expect, it } from 'vitest';
import { askHttp, type HttpQuestion } from '../../src/probes/http.ts';
import type { Answer } from '../../src/probes/prober.ts';
import type { Way } from '../../src/probes/way.ts';
import { openPatterns } from '../../src/world/pattern.ts';
import { until } from '../until.ts';
import { saying, serve } from './stage.ts';

const patterns = openPatterns();

interface Asking {
  readonly status?: readonly [number, number];
  readonly body?: string;
  readonly path?: string;
  readonly signal?: AbortSignal;
}

async function ask(way: Way, { status = [200, 399], body, path = '/healthy?x=1', signal = new AbortController().signal }: Asking = {}): Promise<Answer> {
  const question: HttpQuestion = {
    probe: { kind: 'http', target: { kind: 'listen' }, path, status, body: body ?? null },
    way,
    body: body === undefined ? null : patterns(body),
    signal,
    timeoutMs: 5_000,
  };
  return await askHttp(question);
}

const answer = (status: string, body: string): string => `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const HEAD = 'HTTP/1.1 200 OK\r\n';

describe('a question by HTTP', () => {
  it.each<[string, string, Asking, Answer]>([
    ['200', answer('200 OK', 'ok'), {}, { good: true, text: 'HTTP 200' }],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', {}, { good: true, text: 'HTTP 204' }],
    ['a redirection, which is not followed', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', {}, { good: true, text: 'HTTP 302' }],
    ['an old version of HTTP', 'HTTP/1.0 200 OK\r\n\r\nok', { body: 'ok' }, { good: true, text: 'HTTP 200' }],
    ['500', answer('500 Oops', 'ok'), {}, { good: false, text: 'HTTP 500' }],
    ['500, whatever its body', answer('500 Oops', 'ok'), { body: 'ok' }, { good: false, text: 'HTTP 500' }],
    ['a status below the range', answer('200 OK', ''), { status: [201, 299] }, { good: false, text: 'HTTP 200' }],
    ['the last status of the range', answer('299 Odd', ''), { status: [201, 299] }, { good: true, text: 'HTTP 299' }],
    ['100, then 200', `HTTP/1.1 100 Continue\r\n\r\n${answer('200 OK', '')}`, {}, { good: true, text: 'HTTP 200' }],
    ['a body that matches', answer('200 OK', '{"state":"up"}'), { body: '"state":\\s*"up"' }, { good: true, text: 'HTTP 200' }],
    ['a body with such a line', answer('200 OK', 'one\nok\n'), { body: '^ok$' }, { good: true, text: 'HTTP 200' }],
    ['a body in pieces', `${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n`, { body: '^ok$' }, { good: true, text: 'HTTP 200' }],
    ['a body that does not match', answer('200 OK', 'down'), { body: 'up' }, { good: false, text: 'HTTP 200, but its body does not match /up/' }],
    ['no body', answer('200 OK', ''), { body: 'up' }, { good: false, text: 'HTTP 200, but its body does not match /up/' }],
    ['a body that stalls the pattern', answer('200 OK', `${'a'.repeat(60)}b`), { body: '(a+)+$' }, { good: false, text: 'HTTP 200, but /(a+)+$/ takes too long to match' }],
    ['half a body', `${HEAD}Content-Length: 100\r\n\r\nok`, { body: 'ok' }, { good: false, text: 'HTTP 200, but its body broke off' }],
    ['half a body in pieces', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nok`, { body: 'ok' }, { good: false, text: 'HTTP 200, but its body broke off' }],
    ['half a head', HEAD, {}, { good: false, text: 'it closed the connection without an answer' }],
    ['nothing, and an end', '', {}, { good: false, text: 'it closed the connection without an answer' }],
    ['another protocol instead', `${HEAD.replace('200 OK', '101 Switching Protocols')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, {}, { good: false, text: 'it closed the connection without an answer' }],
    ['the greeting of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', {}, { good: false, text: 'not HTTP' }],
    ['garbage', '\0\u0001\u0002\u001B[31m\n\n\n', {}, { good: false, text: 'not HTTP' }],
    ['a garbled length', `${HEAD}Content-Length: x\r\n\r\n`, {}, { good: false, text: 'not HTTP' }],
    ['a head of 1 MiB', `${HEAD}X: ${'x'.repeat(2 ** 20)}\r\n\r\n`, {}, { good: false, text: 'the head of its answer is too large' }],
  ])('that is answered by %s', async (_, said, asking, expected) => {
    await using place = await serve(saying(said));
    expect(await ask(place.way, asking)).toEqual(expected);
  });

  it.each(['tcp', 'unix'] as const)('is put in plain HTTP/1.1, over %s', async (kind) => {
    let asked = '';
    await using place = await serve((socket) => void socket.once('data', (data) => {
      asked = data.toString();
      socket.end(answer('200 OK', ''));
    }), kind);
    expect(await ask(place.way)).toEqual({ good: true, text: 'HTTP 200' });
    const host = kind === 'unix' ? 'localhost' : place.way.host;
    expect(asked).toBe(`GET /healthy?x=1 HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: emperor-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n`);
  });

  it('that is never answered ends with its time', async () => {
    const control = new AbortController();
    await using place = await serve((socket) => void socket.once('data', () => control.abort()));
    expect(await ask(place.way, { signal: control.signal })).toEqual({ good: false, text: 'no answer within 5 s' });
    await until(() => expect(place.connections[0]?.destroyed).toBe(true));
  });

  it.each([
    ['head', 'HTTP/1.1 200 OK\r\nX: ', 'no answer within 5 s'],
    ['body', `${HEAD}\r\n`, 'HTTP 200, but its body did not end within 5 s'],
  ])('whose answer has a %s that comes byte by byte, without end, ends with its time', async (_, beginning, text) => {
    const control = new AbortController();
    let sent = 0;
    await using place = await serve((socket) => {
      socket.once('data', () => socket.write(beginning, drip));
      const drip = (): void => {
        sent += 1;
        if (sent === 200) control.abort();
        else if (!socket.destroyed) socket.write('x', () => setImmediate(drip));
      };
    });
    expect(await ask(place.way, { signal: control.signal, body: 'y' })).toEqual({ good: false, text });
    expect(sent).toBe(200);
  });

  it.each([['a'.repeat(5), true], ['needle', false]])('reads the first 64 KiB of 1 GB: /%s/ is found: %s', async (body, found) => {
    let sent = 0;
    const block = Buffer.alloc(64 * 1024, 'a');
    await using place = await serve((socket) => {
      const pump = (): void => {
        while (!socket.destroyed && sent < 2 ** 30) {
          sent += block.length;
          if (!socket.write(sent > 2 ** 17 ? Buffer.from('needle'.padEnd(block.length, 'a')) : block)) break;
        }
      };
      socket.on('drain', pump);
      socket.once('data', () => {
        socket.write(`${HEAD}Content-Length: ${2 ** 30}\r\n\r\n`);
        pump();
      });
    });
    expect(await ask(place.way, { body })).toMatchObject({ good: found });
    await until(() => expect(place.connections[0]?.destroyed).toBe(true));
    expect(sent).toBeLessThan(2 ** 26);
  });

  it('that is answered by a reset says so', async () => {
    await using place = await serve((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect(await ask(place.way)).toEqual({ good: false, text: 'connection reset' });
  });

  it('to where nobody listens says so', async () => {
    const place = await serve(() => {});
    await place[Symbol.asyncDispose]();
    expect(await ask(place.way)).toEqual({ good: false, text: 'connection refused' });
    expect(await ask({ ...place.way, connect: { path: '/nowhere/socket' } })).toEqual({ good: false, text: 'there is no such socket' });
  });

  it('for a path that no request can have says so', async () => {
    await using place = await serve(() => {});
    expect(await ask(place.way, { path: '/a b' })).toEqual({ good: false, text: 'cannot ask for /a b' });
  });
});
