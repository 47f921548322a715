import type { SocketEvent } from '../core/event.ts';
import type { VassalId } from '../core/listing.ts';
import type { Sockets } from '../sockets/sockets.ts';
import type { Clock } from '../world/clock.ts';

/** Between two looks at the connections that wait for a generation that goes. */
const DRAIN_LOOK_MS = 5;
/** Between two looks at the connections of a vassal that may fall asleep: the kernel remembers a closed one for a minute. */
const LOOK_MS = 20_000;
/** Looks at the connections that wait within the time that they have to; and the shortest and longest between two, ms. */
const CROWD_LOOKS = 4;
const SHORTEST_CROWD_LOOK_MS = 50;
const LONGEST_CROWD_LOOK_MS = 1_000;

/** Waits for what happens at the sockets of vassals, and tells of it. A new wait ends the one before of its kind, for the same vassal, or generation. */
export interface Patience extends Disposable {
  /** Tells of the first connection that waits. */
  awaitKnock(vassal: VassalId): void;
  ignoreKnock(vassal: VassalId): void;
  /** Tells when no connection waits for that generation. */
  awaitDrained(vassal: VassalId, generation: number): void;
  /** Tells when there was no new connection for so long, and none is open. */
  awaitUnused(vassal: VassalId, idleMs: number): void;
  ignoreUnused(vassal: VassalId): void;
  /** Tells each time that so many connections have waited for a generation, at each look for so long. */
  awaitCrowd(vassal: VassalId, generation: number, connections: number, forMs: number): void;
  ignoreCrowd(vassal: VassalId): void;
  /** Tells when there was no new connection for so long, and none is open: some of its instances can go. */
  awaitCalm(vassal: VassalId, idleMs: number): void;
  ignoreCalm(vassal: VassalId): void;
}

/** What patience is made of. */
export interface PatienceOptions {
  readonly sockets: Pick<Sockets, 'awaitKnock' | 'queued' | 'sinceUse'>;
  readonly clock: Clock;
  readonly post: (event: SocketEvent) => void;
}

/** Opens it. Disposing ends all waits. */
export function openPatience({ sockets, clock, post }: PatienceOptions): Patience {
  const knocks = new Map<VassalId, () => void>();
  const drains = new Map<string, () => void>();
  const uses = new Map<VassalId, () => void>();
  const crowds = new Map<VassalId, () => void>();
  const calms = new Map<VassalId, () => void>();

  function exchange<Key>(waits: Map<Key, () => void>, key: Key, end: (() => void) | null): void {
    waits.get(key)?.();
    if (end === null) waits.delete(key);
    else waits.set(key, end);
  }

  function lookIfDrained(vassal: VassalId, generation: number): void {
    const key = `${generation} of ${vassal}`;
    if (sockets.queued(vassal, generation) === 0) {
      exchange(drains, key, null);
      post({ type: 'drained', vassal, generation });
      return;
    }
    exchange(drains, key, clock.after(DRAIN_LOOK_MS, () => lookIfDrained(vassal, generation)));
  }

  function watchUse(vassal: VassalId, idleMs: number, type: 'unused' | 'calm'): () => void {
    let usedMs = clock.now().ms;
    let cancel = (): void => {};
    const look = (): void => {
      const { ms } = clock.now();
      usedMs = Math.max(usedMs, ms - sockets.sinceUse(vassal));
      const restMs = idleMs - (ms - usedMs);
      if (restMs <= 0) post({ type, vassal });
      else cancel = clock.after(Math.min(restMs, LOOK_MS), look);
    };
    cancel = clock.after(Math.min(idleMs, LOOK_MS), look);
    return () => cancel();
  }

  function watchCrowd(vassal: VassalId, generation: number, connections: number, forMs: number): () => void {
    const betweenMs = Math.min(LONGEST_CROWD_LOOK_MS, Math.max(SHORTEST_CROWD_LOOK_MS, forMs / CROWD_LOOKS));
    let sinceMs: number | null = null;
    let cancel = (): void => {};
    const look = (): void => {
      const { ms } = clock.now();
      const waiting = sockets.queued(vassal, generation);
      if (waiting < connections) sinceMs = null;
      else sinceMs ??= ms;
      cancel = clock.after(betweenMs, look);
      if (sinceMs === null || ms - sinceMs < forMs) return;
      sinceMs = null;
      post({ type: 'crowded', vassal, waiting });
    };
    cancel = clock.after(betweenMs, look);
    return () => cancel();
  }

  return {
    awaitKnock(vassal) {
      exchange(knocks, vassal, sockets.awaitKnock(vassal, () => {
        knocks.delete(vassal);
        post({ type: 'knocked', vassal });
      }));
    },
    ignoreKnock: (vassal) => exchange(knocks, vassal, null),
    awaitDrained(vassal, generation) {
      lookIfDrained(vassal, generation);
    },
    awaitUnused: (vassal, idleMs) => exchange(uses, vassal, watchUse(vassal, idleMs, 'unused')),
    ignoreUnused: (vassal) => exchange(uses, vassal, null),
    awaitCrowd: (vassal, generation, connections, forMs) => exchange(crowds, vassal, watchCrowd(vassal, generation, connections, forMs)),
    ignoreCrowd: (vassal) => exchange(crowds, vassal, null),
    awaitCalm: (vassal, idleMs) => exchange(calms, vassal, watchUse(vassal, idleMs, 'calm')),
    ignoreCalm: (vassal) => exchange(calms, vassal, null),
    [Symbol.dispose]() {
      for (const waits of [knocks, drains, uses, crowds, calms]) {
        for (const end of waits.values()) end();
        waits.clear();
      }
    },
  };
}
