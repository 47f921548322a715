import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { printAddress, type Address } from '../core/address.ts';
import { EmperorError, reasonOf } from '../errors.ts';
import type { Clock } from '../world/clock.ts';

/** What it takes to tell statistics to whoever connects. */
export interface StatsServerOptions {
  readonly address: Address;
  /** An HTTP header first, and a request before that. */
  readonly http: boolean;
  readonly clock: Clock;
  /** Makes the document. */
  readonly document: () => object;
}

/** Who does not take it by then is dropped: that of uWSGI. */
const TIMEOUT_MS = 4_000;
/** What was made so short a time ago is told again: to make it anew for many at once would cost the vassals. */
const FRESH_MS = 200;
const MOST_CONNECTIONS = 64;
/** More than any request that means this; who sends more is not read any further. */
const MOST_REQUEST_BYTES = 16_384;

/**
 * Tells statistics once per connection, to its end: as uWSGI does, raw JSON at once, or after an HTTP request. A unix socket gets mode 0660.
 * @throws E_SETTINGS if the address cannot be had
 */
export async function openStatsServer({ address, http, clock, document }: StatsServerOptions): Promise<AsyncDisposable> {
  const connections = new Set<Socket>();
  let fresh: { readonly ms: number; readonly text: string } | null = null;

  function text(): string {
    const { ms } = clock.now();
    if (fresh === null || ms - fresh.ms > FRESH_MS) fresh = { ms, text: `${JSON.stringify(document(), null, '\t')}\n` };
    return fresh.text;
  }

  function serve(socket: Socket): void {
    connections.add(socket);
    const cancel = clock.after(TIMEOUT_MS, () => socket.destroy());
    socket.once('close', () => {
      cancel();
      connections.delete(socket);
    });
    // Who goes away before the end has what it wanted.
    socket.on('error', () => socket.destroy());
    if (http) answer(socket);
    else socket.resume().end(text());
  }

  function answer(socket: Socket): void {
    let request = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      if (socket.writableEnded) return;
      request += piece;
      if (!/\r?\n\r?\n/.test(request) && request.length < MOST_REQUEST_BYTES) return;
      const body = text();
      const head = request.startsWith('GET ') ? '200 OK' : '405 Method Not Allowed';
      socket.end(`HTTP/1.0 ${head}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\n\r\n${body}`);
    });
  }

  const server = createServer({ allowHalfOpen: true }, serve);
  server.maxConnections = MOST_CONNECTIONS;
  try {
    if (address.kind === 'unix') await makeWay(address.path);
    await listen(server, address);
  } catch (cause) {
    server.close();
    throw new EmperorError('E_SETTINGS', `cannot tell statistics on ${printAddress(address)}: ${reasonOf(cause)}`, { cause });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A socket on which nobody answers is left from an earlier life. */
async function makeWay(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const refused = await new Promise<boolean>((resolve) => {
    const connection = connect(path);
    connection.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    connection.once('connect', () => {
      connection.destroy();
      resolve(false);
    });
  });
  if (refused) unlinkSync(path);
}

async function listen(server: Server, address: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).once('listening', resolve);
    // bind(2) happens within this call.
    const before = process.umask(0o117);
    server.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port });
    process.umask(before);
  });
}
