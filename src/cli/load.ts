import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { Client, errors } from 'undici';
import type { Address } from '../core/address.ts';
import { errnoOf } from '../errors.ts';

/** What a load is made of. */
export interface LoadOptions {
  readonly address: Address;
  readonly path: string;
  /** Requests under way at one time, 1 or more. */
  readonly connections: number;
  /** False: a new connection for each request. */
  readonly keepAlive: boolean;
  /** A request without an answer after this is lost, ms. */
  readonly timeoutMs: number;
  /** How long each of them rests between two requests, ms; default: not at all. */
  readonly restMs?: number;
  /** Told of each lost request: by what, and when it was asked. */
  readonly onLost?: (why: string, fromMs: number) => void;
}

/** What came of it, until now. */
export interface LoadResult {
  readonly answered: number;
  /** Requests with a broken connection, without an answer in time, or answered by a status of 500 or more; by what befell them. */
  readonly lost: ReadonlyMap<string, number>;
  /**
   * Requests whose kept connection the server closed before it began to answer, and that were asked again on a new one, as each browser and proxy
   * does: a server may close a connection that it thinks unused, and a request may cross that on its way. RFC 9112, section 9.3.1.
   */
  readonly resent: number;
  /** Longest time in which no request was answered, ms. */
  readonly longestGapMs: number;
  /** Longest time that one answer took, ms. */
  readonly slowestMs: number;
}

/** Requests that go on until they are told to end. Made with undici, because a load generator that only counts answers does not see a request that a closed connection swallowed. */
export interface Load {
  result(): LoadResult;
  /** The longest gap is counted anew from here on. */
  lap(): void;
  /** No new requests; resolves when the last ones are answered. */
  end(): Promise<LoadResult>;
}

/** Starts a load. @param now a monotonic clock, ms */
export function startLoad(options: LoadOptions, now: () => number): Load {
  const { address, connections, keepAlive, timeoutMs, restMs = 0, onLost = () => {} } = options;
  const origin = address.kind === 'unix' ? 'http://localhost' : `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  const settings: Client.Options = {
    pipelining: keepAlive ? 1 : 0,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    ...(address.kind === 'unix' ? { socketPath: address.path } : {}),
  };
  const lost = new Map<string, number>();
  let answered = 0;
  let resent = 0;
  let slowestMs = 0;
  let longestGapMs = 0;
  let lastMs = now();
  const ending = new AbortController();

  function lose(why: string, fromMs: number): void {
    lost.set(why, (lost.get(why) ?? 0) + 1);
    onLost(why, fromMs);
  }

  async function ask(way: Way): Promise<void> {
    const from = now();
    const statusCode = await answerTo(way);
    if (typeof statusCode === 'string' || statusCode >= 500) {
      lose(typeof statusCode === 'string' ? statusCode : `HTTP ${statusCode}`, from);
      return;
    }
    const at = now();
    answered += 1;
    slowestMs = Math.max(slowestMs, at - from);
    longestGapMs = Math.max(longestGapMs, at - lastMs);
    lastMs = at;
  }

  /** The status, or why there is none. */
  async function answerTo(way: Way): Promise<number | string> {
    let begun = false;
    try {
      const { statusCode, body } = await way.client.request({ method: 'GET', path: options.path, reset: !keepAlive });
      begun = true;
      // Its own dump() does not tell of an end that came too early.
      await finished(body.resume());
      way.answers += 1;
      return statusCode;
    } catch (error) {
      if (begun || way.answers === 0 || !isClosed(error)) return reasonOfLoss(error);
    }
    way.answers = 0;
    resent += 1;
    return answerTo(way);
  }

  async function client(): Promise<void> {
    const way: Way = { client: new Client(origin, settings), answers: 0 };
    way.client.on('connect', () => (way.answers = 0));
    do {
      await ask(way);
      if (restMs > 0) await setTimeout(restMs);
    } while (!ending.signal.aborted);
    await way.client.close();
  }

  async function finish(): Promise<LoadResult> {
    ending.abort();
    // The last answers come while no new ones are asked for: that is no gap.
    const { longestGapMs: gapMs } = result();
    await Promise.all(clients);
    return { ...result(), longestGapMs: gapMs };
  }

  let ended: Promise<LoadResult> | null = null;
  const clients = Array.from({ length: connections }, client);
  const result = (): LoadResult => ({ answered, lost: new Map(lost), resent, longestGapMs: Math.max(longestGapMs, now() - lastMs), slowestMs });
  return {
    result,
    lap() {
      longestGapMs = 0;
      lastMs = now();
    },
    end() {
      ended ??= finish();
      return ended;
    },
  };
}

/** One connection at a time, and how many answers came over the one that there is. */
interface Way {
  readonly client: Client;
  answers: number;
}

function isClosed(error: unknown): boolean {
  return error instanceof errors.SocketError || ['ECONNRESET', 'EPIPE'].includes(errnoOf(error));
}

function reasonOfLoss(error: unknown): string {
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError || error instanceof errors.ConnectTimeoutError) return 'no answer in time';
  if (error instanceof errors.SocketError) return 'connection closed without an answer';
  return errnoOf(error) || String(error);
}
