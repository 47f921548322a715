import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Way } from '../../src/probes/way.ts';

/** A server on a port or path of its own; what it does with a connection is the test's. */
export interface Place extends AsyncDisposable {
  readonly way: Way;
  readonly connections: Socket[];
}

/** Listens on 127.0.0.1, or on a unix socket. */
export async function serve(onConnection: (socket: Socket) => void, kind: 'tcp' | 'unix' = 'tcp'): Promise<Place> {
  const folder = kind === 'unix' ? mkdtempSync(join(tmpdir(), 'emperor-probe-')) : null;
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    // Whoever asks goes away when it pleases.
    socket.on('error', () => {});
    onConnection(socket);
  });
  if (folder === null) server.listen(0, '127.0.0.1');
  else server.listen(join(folder, 'socket'));
  await once(server, 'listening');
  const connect = folder === null ? { host: '127.0.0.1', port: (server.address() as AddressInfo).port } : { path: join(folder, 'socket') };
  return {
    way: { connect, host: 'path' in connect ? 'localhost' : `127.0.0.1:${connect.port}`, [Symbol.dispose]: () => {} },
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
      if (folder !== null) rmSync(folder, { recursive: true });
    },
  };
}

/** Answers each connection that has said something with these bytes, then ends. */
export function saying(text: string): (socket: Socket) => void {
  return (socket) => void socket.once('data', () => socket.end(text));
}

/** One turn of the event loop, and all promises. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
