import type { ClientRequest, IncomingMessage } from 'node:http';
import { CODES, EmperorError, type Code } from '../errors.ts';
import {
  ACTOR_HEADER, VERSION_PREFIX,
  type Demand, type DiffDocument, type EmperorDocument, type EventDocument, type OrderReply, type RevisionsDocument, type ShutdownReply,
  type StatusDocument, type UpgradeReply, type WhyDocument,
} from './protocol.ts';

/** How long an emperor may be silent before it counts as hung, beyond what it was asked to wait. */
const PATIENCE_MS = 30_000;

/** The successor may take half a minute to prove itself. */
const UPGRADE_PATIENCE_MS = 60_000;

/** What can be asked of an emperor. Everything rejects with an EmperorError: what the emperor answered, E_NO_EMPEROR, or E_TIMEOUT. */
export interface ControlClient {
  emperor(): Promise<EmperorDocument>;
  /** All vassals, or the one of that name. */
  status(name: string | null): Promise<StatusDocument>;
  /** `waitMs`: how long to wait for the outcomes; null: not at all. */
  order(demand: Demand, names: readonly string[], waitMs: number | null): Promise<OrderReply>;
  history(name: string): Promise<RevisionsDocument>;
  /** null: by default; see {@link DiffDocument}. */
  diff(name: string, from: number | null, to: number | null): Promise<DiffDocument>;
  why(name: string): Promise<WhyDocument>;
  /** Resolves when all sources were looked at again, and what was seen is acted upon. */
  rescan(): Promise<void>;
  /** Bytes as they come. */
  logs(name: string, lines: number, follow: boolean): AsyncIterable<Uint8Array>;
  events(name: string | null, limit: number, follow: boolean): AsyncIterable<EventDocument>;
  /** Resolves when the program on the disk has proved that it can take over; it does so next. Rejects with E_UPGRADE if it can not. */
  upgrade(): Promise<UpgradeReply>;
  /** Resolves when the emperor is gone; without `wait`, when it has heard. Rejects with E_TIMEOUT if `patience` ends first. */
  shutdown(keep: boolean, wait: boolean, patience: AbortSignal): Promise<ShutdownReply>;
}

/**
 * A client of the emperor at a control socket; connects anew for each request.
 * @param claim what is to be known of who asks, beside what the kernel says; null: nothing
 */
export function controlClient(socketPath: string, claim: string | null, patienceMs: number = PATIENCE_MS): ControlClient {
  const ask = (method: string, path: string, body: object | null, silenceMs: number, signal?: AbortSignal): Promise<IncomingMessage> =>
    open({ socketPath, claim, method, path: `${VERSION_PREFIX}${path}`, body, silenceMs, signal });
  const document = async (method: string, path: string, body: object | null, silenceMs: number): Promise<unknown> =>
    parse(await wholeText(await ask(method, path, body, silenceMs), socketPath));

  return {
    // The shape of a reply is the emperor's word, and its version is in the path.
    emperor: async () => (await document('GET', '/emperor', null, patienceMs)) as EmperorDocument,
    status: async (name) => (await document('GET', name === null ? '/status' : `/status/${encodeURIComponent(name)}`, null, patienceMs)) as StatusDocument,
    order: async ({ verb, ...more }, names, waitMs) => {
      const query = waitMs === null ? '' : `?wait=1&timeout=${waitMs}ms`;
      return (await document('POST', `/${verb}${query}`, { names, ...more }, patienceMs + (waitMs ?? 0))) as OrderReply;
    },
    history: async (name) => (await document('GET', `/history/${encodeURIComponent(name)}`, null, patienceMs)) as RevisionsDocument,
    diff: async (name, from, to) => {
      const query = [['from', from], ['to', to]].flatMap(([key, number]) => (number === null ? [] : [`${key}=${number}`])).join('&');
      return (await document('GET', `/diff/${encodeURIComponent(name)}?${query}`, null, patienceMs)) as DiffDocument;
    },
    why: async (name) => (await document('GET', `/why/${encodeURIComponent(name)}`, null, patienceMs)) as WhyDocument,
    rescan: async () => void (await document('POST', '/rescan', null, patienceMs)),
    async *logs(name, lines, follow) {
      const path = `/logs/${encodeURIComponent(name)}?lines=${lines}${follow ? '&follow=1' : ''}`;
      yield* bytes(await ask('GET', path, null, patienceMs), socketPath);
    },
    async *events(name, limit, follow) {
      const query = `limit=${limit}${follow ? '&follow=1' : ''}${name === null ? '' : `&name=${encodeURIComponent(name)}`}`;
      for await (const line of linesOf(textOf(bytes(await ask('GET', `/events?${query}`, null, patienceMs), socketPath)))) yield parse(line) as EventDocument;
    },
    upgrade: async () => (await document('POST', '/upgrade', null, UPGRADE_PATIENCE_MS)) as UpgradeReply,
    shutdown: async (keep, wait, patience) => {
      let said = '';
      try {
        const reply = await ask('POST', `/shutdown?keep=${keep ? 1 : 0}&wait=${wait ? 1 : 0}`, null, patienceMs, patience);
        for await (const chunk of textOf(bytes(reply, socketPath))) said += chunk;
      } catch (thrown) {
        if (patience.aborted) throw new EmperorError('E_TIMEOUT', `the emperor at ${socketPath} ${said === '' ? 'did not answer in time' : 'is still there, and goes on ending'}`, { cause: thrown });
        // That the connection breaks is what we wait for.
        if (said === '') throw thrown;
      }
      return parse(said) as ShutdownReply;
    },
  };
}

interface Question {
  readonly socketPath: string;
  readonly claim: string | null;
  readonly method: string;
  readonly path: string;
  readonly body: object | null;
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Asks, and resolves with the head of the reply if it is a good one. */
function open({ socketPath, claim, method, path, body, silenceMs, signal }: Question): Promise<IncomingMessage> {
  // An `import` of node:http builds a namespace, which loads all of undici: 50 ms and more, against 7 ms this way.
  const http = process.getBuiltinModule('node:http');
  const payload = body === null ? null : JSON.stringify(body);
  const headers = {
    ...(claim === null ? {} : { [ACTOR_HEADER]: encodeURIComponent(claim) }),
    ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
  };
  return new Promise((resolve, reject) => {
    const request: ClientRequest = http.request({ socketPath, method, path, headers, agent: false, timeout: silenceMs, ...(signal === undefined ? {} : { signal }) });
    request.on('timeout', () => request.destroy(new EmperorError('E_TIMEOUT', `the emperor at ${socketPath} took the request and did not answer within ${silenceMs / 1000} s`)));
    request.on('error', (error) => reject(error instanceof EmperorError ? error : unreachableEmperor(socketPath, error)));
    request.on('response', (response) => {
      // What comes from here on may take any time: a feed is silent while nothing happens.
      request.setTimeout(0);
      if (response.statusCode === 200) resolve(response);
      else wholeText(response, socketPath).then((body) => reject(refusal(body, response)), reject);
    });
    request.end(payload ?? undefined);
  });
}

async function wholeText(response: IncomingMessage, socketPath: string): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of textOf(bytes(response, socketPath))) chunks.push(chunk);
  return chunks.join('');
}

/** Bytes as text; a character may be spread over several chunks. */
export async function* textOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
}

async function* bytes(response: IncomingMessage, socketPath: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (cause) {
    throw new EmperorError('E_NO_EMPEROR', `the emperor at ${socketPath} went away before it had answered`, { cause });
  }
}

/** Splits text into lines; a last one without an end counts. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EmperorError('E_NO_EMPEROR', 'what answers on the control socket is no emperor: its reply is not JSON', { cause });
  }
}

function refusal(body: string, response: IncomingMessage): EmperorError {
  const reply = parse(body) as { readonly error?: { readonly code?: unknown; readonly message?: unknown } } | null;
  const { code, message } = reply?.error ?? {};
  if (isCode(code) && typeof message === 'string') return new EmperorError(code, message);
  return new EmperorError('E_NO_EMPEROR', `what answers on the control socket is no emperor: status ${response.statusCode ?? 0}`);
}

function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(CODES, value);
}

function unreachableEmperor(socketPath: string, error: NodeJS.ErrnoException): EmperorError {
  return new EmperorError('E_NO_EMPEROR', `no emperor answers on ${socketPath}: ${WHY_NOT[error.code ?? ''] ?? error.message}`, { cause: error });
}

const WHY_NOT: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; start one with "emperor run", or name its socket with --control or EMPEROR_CONTROL',
  ECONNREFUSED: 'nobody listens there; the emperor that made it is gone',
  EACCES: 'permission denied; it is open to its owner and its group',
  EPERM: 'permission denied; it is open to its owner and its group',
  ECONNRESET: 'it went away before it had answered',
  EPIPE: 'it went away before it had answered',
};
