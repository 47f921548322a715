import type { EmperorState, Instance, InstanceId, Vassal } from '../core/state.ts';
import type { VassalId } from '../core/listing.ts';
import { living } from '../core/lifecycle.ts';
import type { Door, Sockets } from '../sockets/sockets.ts';

/** How probes come to an instance: from its id, by what the emperor knows of it. */
export interface WaysIn {
  /** To its generation alone, through the first address of `listen`; null: it has none. */
  door(instance: InstanceId): Door | null;
  /** Connections that wait for its generation. */
  pending(instance: InstanceId): number;
  /** null: it is a stranger, or gone. */
  find(instance: InstanceId): { readonly vassal: VassalId; readonly name: string; readonly instance: Instance } | null;
  /** @throws Error for a stranger */
  with<T>(instance: InstanceId, use: (vassal: Vassal, instance: Instance) => Promise<T>): Promise<T>;
}

/** Looks instances up in the state. */
export function waysIn(snapshot: () => EmperorState, sockets: Pick<Sockets, 'door' | 'queued'>): WaysIn {
  function find(id: InstanceId): readonly [Vassal, Instance] | null {
    const state = snapshot();
    const owner = state.instances.get(id);
    const vassal = owner === undefined ? undefined : state.vassals.get(owner);
    const instance = vassal === undefined ? undefined : living(vassal).find((each) => each.id === id);
    return vassal === undefined || instance === undefined ? null : [vassal, instance];
  }

  return {
    door(id) {
      const found = find(id);
      const address = found?.[1].runs.spec.listen[0]?.address;
      if (found === null || address === undefined) return null;
      const [vassal, instance] = found;
      if (instance.runs.spec.passing !== 'port') return sockets.door(vassal.id, instance.generation, address);
      const connect = address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      return { connect, [Symbol.dispose]: () => {} };
    },
    pending(id) {
      const found = find(id);
      return found === null || found[1].runs.spec.passing === 'port' ? 0 : sockets.queued(found[0].id, found[1].generation);
    },
    find(id) {
      const found = find(id);
      return found === null ? null : { vassal: found[0].id, name: found[0].name, instance: found[1] };
    },
    with(id, use) {
      const found = find(id);
      if (found === null) throw new Error(`there is no instance ${id}`);
      return use(...found);
    },
  };
}
