import type { VassalDocument } from '../../src/control/protocol.ts';
import type { Trouble } from './invariants.ts';

interface Open {
  readonly vassal: string;
  readonly kind: Trouble['kind'];
  readonly what: string;
  readonly fromMs: number;
  /** An instance that has to be gone before this is over; null: none. */
  readonly gone: string | null;
  /** It cannot be over before that; Infinity: what was done is not undone yet. */
  leastMs: number;
  untilMs: number;
}

/** What was done to each vassal, and until when it mattered. */
export class Troubles {
  readonly #all: Open[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Something begins. @returns to be called when it is undone: then it lasts until the vassal is seen to serve */
  begin(vassal: string, kind: Trouble['kind'], what: string, gone: string | null = null): () => void {
    const trouble: Open = { vassal, kind, what, fromMs: this.#now(), gone, leastMs: Infinity, untilMs: Infinity };
    this.#all.push(trouble);
    return () => (trouble.leastMs = this.#now());
  }

  /** Something that lasts so long, and no longer. */
  moment(vassal: string, what: string, forMs: number): void {
    const fromMs = this.#now();
    this.#all.push({ vassal, kind: 'deadly', what, fromMs, gone: null, leastMs: fromMs, untilMs: fromMs + forMs });
  }

  /** The vassals were seen so, in a status that was asked for at that time. */
  seen(vassals: readonly VassalDocument[], askedMs: number): void {
    for (const trouble of this.#all) {
      if (trouble.untilMs !== Infinity || trouble.leastMs >= askedMs) continue;
      const vassal = vassals.find((each) => each.name === trouble.vassal);
      if (vassal !== undefined && serves(vassal) && vassal.instances.every((each) => each.id !== trouble.gone)) trouble.untilMs = this.#now();
    }
  }

  all(): readonly Trouble[] {
    return this.#all;
  }
}

function serves({ state, want }: VassalDocument): boolean {
  return want === 'up' && (state === 'ready' || state === 'idle');
}
