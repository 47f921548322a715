import { printAddress } from '../core/address.ts';
import type { Target } from '../core/spec.ts';

/** What net.connect() takes. */
export type Connect = { readonly path: string } | { readonly host: string; readonly port: number; readonly localAddress?: string; readonly localPort?: number };

/** A private way to one generation of instances; to be given back after use. */
export type Door = Disposable & { readonly connect: Connect };

/** How to connect to whom a probe asks. */
export interface Way extends Disposable {
  readonly connect: Connect;
  /** As in the Host field of HTTP. */
  readonly host: string;
}

/** Finds the way to a target. null: there is none now, as the instance has no socket. */
export function wayTo(target: Target, door: () => Door | null): Way | null {
  if (target.kind === 'listen') {
    const way = door();
    return way === null ? null : { connect: way.connect, host: hostOf(way.connect), [Symbol.dispose]: () => way[Symbol.dispose]() };
  }
  const { address } = target;
  const connect = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  return { connect, host: hostOf(connect), [Symbol.dispose]: () => {} };
}

function hostOf(connect: Connect): string {
  return 'path' in connect ? 'localhost' : printAddress({ kind: 'tcp', host: connect.host, port: connect.port, v6only: false });
}
