import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address, Listen } from '../../src/core/address.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSockets } from '../../src/sockets/open-sockets.ts';
import type { Door, Sockets } from '../../src/sockets/sockets.ts';
import type { SocketsStage } from '../contracts/sockets.ts';
import { listenOf } from '../fakes/sockets.ts';

/** Kinds of addresses that behave alike. */
export const KINDS = ['127.0.0.1', '0.0.0.0', '::1', '::', 'unix'] as const;
export type Kind = (typeof KINDS)[number];

/** Where clients of an address connect to. */
export function wayTo(address: Address): Door['connect'] {
  if (address.kind === 'unix') return { path: address.path };
  const host = address.host === '0.0.0.0' || address.host === '::' ? '127.0.0.1' : address.host;
  return { host, port: address.port };
}

/** A port that nobody has, outside of those that the kernel gives to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer().listen(port, '::');
    const free = await once(server, 'listening').then(() => true, () => false);
    server.close();
    if (!free) continue;
    await once(server, 'close');
    return port;
  }
}

/** Real sockets, and clients of them. */
export class RealStage implements SocketsStage {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'emperor-sockets-'));
  readonly sockets: Sockets = openSockets(openLibc());
  readonly clients: Socket[] = [];
  readonly #kind: Kind;
  #count = 0;

  constructor(kind: Kind = '127.0.0.1') {
    this.#kind = kind;
  }

  async free(): Promise<Listen> {
    this.#count += 1;
    if (this.#kind === 'unix') return listenOf({ kind: 'unix', path: join(this.folder, `${this.#count}.sock`) });
    return listenOf({ kind: 'tcp', host: this.#kind, port: await freePort(), v6only: false });
  }

  async visit(address: Address, door?: Door): Promise<void> {
    const client = connect(door?.connect ?? wayTo(address));
    this.clients.push(client);
    // A slot that is ended resets who waits there.
    client.on('error', () => {});
    await once(client, 'connect');
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.destroy();
    this.sockets[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
    return Promise.resolve();
  }
}
