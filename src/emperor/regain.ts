import { holdsSockets } from '../core/generation.ts';
import type { Listen } from '../core/address.ts';
import type { VassalId } from '../core/listing.ts';
import type { VassalSpec } from '../core/spec.ts';
import type { Instance, Remembered } from '../core/state.ts';
import type { Living, Owner } from '../sockets/sockets.ts';
import type { Logger } from '../world/logger.ts';

/** Who takes what from living instances. */
export interface Regainers {
  readonly channels: { adopt(instance: Instance, lent: number): boolean };
  readonly sockets: { takeBack(vassal: VassalId, name: string, listen: readonly Listen[], owner: Owner, living: readonly Living[]): readonly string[] };
  /** The number of the descriptor at which an instance with so many sockets keeps our end of its channel. */
  readonly lentDescriptor: (sockets: number) => number;
  readonly ownerOf: (spec: VassalSpec) => Owner;
  readonly logger: Logger;
}

/** Takes back from the instances of an earlier emperor what they kept for the next one: channels and sockets. What cannot be had is told. */
export function regain(remembered: readonly Remembered[], { channels, sockets, lentDescriptor, ownerOf, logger }: Regainers): void {
  for (const { id, name, living, leaving, dismissed } of remembered) {
    const all = [...living, ...dismissed, ...leaving];
    for (const instance of all) {
      const { spec } = instance.runs;
      const lent = lentDescriptor(holdsSockets(instance.runs) ? spec.listen.length : 0);
      if (spec.channel && !channels.adopt(instance, lent)) logger.warn({ vassal: name, instance: instance.id }, 'the channel of this instance could not be taken back; it cannot be told to reload');
    }
    const [first] = living;
    if (first === undefined || !holdsSockets(first.runs)) continue;
    const { spec } = first.runs;
    const pids = all.flatMap(({ generation, process }) => (process === null ? [] : [{ generation, pid: process.pid }]));
    const lost = sockets.takeBack(id, name, spec.listen, ownerOf(spec), pids);
    if (lost.length > 0) logger.warn({ vassal: name, listen: lost }, 'these addresses could not be taken back from the instances; they cannot be held again while those live');
  }
}
