import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Probe } from '../core/spec.ts';
import type { Pattern } from '../world/pattern.ts';
import { bad, good, trouble, within } from './answer.ts';
import type { Answer } from './prober.ts';
import type { Way } from './way.ts';

/** One question by HTTP. */
export interface HttpQuestion {
  readonly probe: Probe & { readonly kind: 'http' };
  readonly way: Way;
  /** What the body has to match; null: it is not read. */
  readonly body: Pattern | null;
  /** Aborted when the time is over, which covers the whole answer. */
  readonly signal: AbortSignal;
  /** For the message. */
  readonly timeoutMs: number;
}

/** So much of a body is read and looked at. */
const MOST_BODY_BYTES = 64 * 1024;
const MOST_HEAD_BYTES = 16 * 1024;
/** Answers of the kind 1xx before the real one. */
const MOST_HERALDS = 20;

/** Asks once: GET, HTTP/1.1, on a connection of its own. Redirections are not followed: 302 is an answer like others. */
export function askHttp(question: HttpQuestion): Promise<Answer> {
  const { probe, way, signal } = question;
  return new Promise((resolve) => {
    let request: ClientRequest | null = null;
    /** `HTTP 200`, when the head of the answer was there. */
    let head: string | null = null;
    const brokenOff = (why: string): void => finish(bad(head === null ? why : `${head}, but its body broke off`));
    const finish = (answer: Answer): void => {
      signal.removeEventListener('abort', late);
      request?.destroy();
      resolve(answer);
    };
    const late = (): void => finish(bad(head === null ? `no answer ${within(question.timeoutMs)}` : `${head}, but its body did not end ${within(question.timeoutMs)}`));
    signal.addEventListener('abort', late);

    try {
      // An `import` of node:http builds a namespace, which loads all of undici: 2 MB.
      request = process.getBuiltinModule('node:http').request({
        method: 'GET',
        path: probe.path,
        headers: { Host: way.host, 'User-Agent': 'emperor-probe', Accept: '*/*', Connection: 'close' },
        maxHeaderSize: MOST_HEAD_BYTES,
        createConnection: () => connect(way.connect),
      });
    } catch {
      // It has characters that no request can have.
      finish(bad(`cannot ask for ${probe.path}`));
      return;
    }
    // Both may still fail when we have destroyed them: then that is known already.
    request.on('error', (error) => brokenOff(trouble(error)));
    // A head that changes the protocol, and nothing else, ends so.
    request.once('close', () => brokenOff('it closed the connection without an answer'));
    let heralds = 0;
    request.on('information', () => {
      heralds += 1;
      if (heralds > MOST_HERALDS) finish(bad('it announces an answer again and again'));
    });
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      head = `HTTP ${status}`;
      response.on('error', (error) => brokenOff(trouble(error)));
      if (status < probe.status[0] || status > probe.status[1] || question.body === null) finish(judge(question, status, null));
      else readBody(response, (body) => finish(judge(question, status, body)));
    });
    request.end();
  });
}

function judge({ probe, body: pattern }: HttpQuestion, status: number, body: string | null): Answer {
  const head = `HTTP ${status}`;
  if (status < probe.status[0] || status > probe.status[1]) return bad(head);
  if (pattern === null || body === null) return good(head);
  const found = pattern.find([body]);
  switch (found.kind) {
    case 'found':
      return good(head);
    case 'none':
      return bad(`${head}, but its body does not match ${pattern.text}`);
    case 'unusable':
      return bad(`${head}, but ${found.why}`);
    default:
      return found satisfies never;
  }
}

/** Reads to the end, or as much as is looked at. */
function readBody(response: IncomingMessage, done: (body: string) => void): void {
  const pieces: Buffer[] = [];
  let length = 0;
  const end = (): void => done(Buffer.concat(pieces).toString('utf8', 0, MOST_BODY_BYTES));
  response.on('data', (piece: Buffer) => {
    if (length >= MOST_BODY_BYTES) return;
    pieces.push(piece);
    length += piece.length;
    if (length >= MOST_BODY_BYTES) end();
  });
  response.once('end', end);
}
