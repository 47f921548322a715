import type { Address } from '../core/address.ts';
import type { Probe, Target } from '../core/spec.ts';
import { tellConflict, type Asked } from './asked.ts';
import type { Listening } from './listening.ts';

const LISTEN: Target = { kind: 'listen' };

/** What connect(2) takes them for. */
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Whom a probe asks. An address that leads to the first one of `listen` becomes that: asked from outside, the generation that
 * serves might answer for the one that is judged.
 *
 * @param address null: the first one of `listen`; undefined is returned, and a conflict told, where there is none
 */
export function targetOf(asked: Asked, key: string, address: Address | null, listening: Listening): Target | undefined {
  const { listen, sockets } = listening;
  const [first] = listen;
  if (address !== null) return sockets === 'held' && first !== undefined && leadsTo(address, first.address) ? LISTEN : { kind: 'address', address };
  if (sockets === 'none') return tellConflict(asked, key, `"${key}" asks the first address of "listen", and there is none`, 'write the address that is to be asked, or "listen"');
  return firstOf(listening);
}

/** What a preset asks, with sockets that the instances open themselves in mind. */
export function aimed(probe: Probe, listening: Listening): Probe {
  return probe.kind === 'command' || probe.target.kind === 'address' ? probe : { ...probe, target: firstOf(listening) };
}

function firstOf({ listen: [first], sockets }: Listening): Target {
  return sockets === 'own' && first !== undefined ? { kind: 'address', address: first.address } : LISTEN;
}

/** Whether a connection to `to` may arrive at `at`: at the same address, or at one that stands for every network. */
function leadsTo(to: Address, at: Address): boolean {
  if (to.kind === 'unix' || at.kind === 'unix') return to.kind === 'unix' && at.kind === 'unix' && to.path === at.path;
  if (to.port !== at.port) return false;
  const everywhere = to.host.includes(':') ? at.host === '::' : at.host === '0.0.0.0' || (at.host === '::' && !at.v6only);
  return everywhere || (LOOPBACK[to.host] ?? to.host) === at.host;
}
