import { startLoad, type Load } from '../../src/cli/load.ts';
import type { Member } from './household.ts';
import type { LostRequest } from './invariants.ts';

/** A client waits so long for its answer. */
const PATIENCE_MS = 20_000;

/** Clients of all members that have some; they go on until they are told to end. */
export class Traffic {
  readonly #loads: readonly Load[];

  constructor(members: readonly Member[], now: () => number, onLost: (lost: LostRequest) => void) {
    this.#loads = members.flatMap(({ name, custom }) => (custom === null ? [] : [startLoad({
      ...custom, path: '/', timeoutMs: PATIENCE_MS, onLost: (why, fromMs) => onLost({ vassal: name, fromMs, atMs: now(), why }),
    }, now)]));
  }

  /** Until now. */
  counts(): { readonly answered: number; readonly resent: number; readonly lost: number } {
    const results = this.#loads.map((load) => load.result());
    const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
    return { answered: sum(results.map((each) => each.answered)), resent: sum(results.map((each) => each.resent)), lost: sum(results.map((each) => sum([...each.lost.values()]))) };
  }

  async end(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.end()));
  }
}
