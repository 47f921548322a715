import type { Clock } from '../world/clock.ts';
import type { Patterns } from '../world/pattern.ts';
import { LastWords } from './last-words.ts';
import { LineWatch, type Seen } from './line-watch.ts';

/** Told of the end of a watch. */
export type OnSeen = (seen: Seen) => void;

/** What an ear is made of. */
export interface EarParts {
  readonly clock: Clock;
  readonly patterns: Patterns;
  /** Looked for from the first byte on: who asks for it comes only after the instance has begun to print. null: nothing. */
  readonly early: string | null;
}

/** One watch, and what it found while nobody had asked yet. */
interface Watching {
  readonly watch: LineWatch;
  readonly source: string;
  onSeen: OnSeen | null;
  seen: Seen | null;
}

/** Listens to one instance. Costs nothing for each byte while no watch is set. */
export class Ear {
  readonly #parts: EarParts;
  readonly #words: LastWords = new LastWords();
  readonly #watching: Set<Watching> = new Set();
  #early: Watching | null = null;

  constructor(parts: EarParts) {
    this.#parts = parts;
    if (parts.early !== null) this.#early = this.#set(parts.early, null);
  }

  /** Takes output. It may be changed afterwards. */
  hear(data: Buffer): void {
    this.#words.add(data);
    for (const each of this.#watching) {
      each.seen = each.watch.push(data);
      if (each.seen === null) continue;
      this.#watching.delete(each);
      this.#tell(each);
    }
  }

  /** See {@link LastWords.lines}. */
  lastLines(): readonly string[] {
    return this.#words.lines();
  }

  /** Looks for a line from now on; the first who looks for what was looked for from the first byte is told of that. @returns ends it */
  watch(source: string, onSeen: OnSeen): () => void {
    const early = this.#early;
    this.#early = null;
    if (early !== null && early.source !== source) this.#watching.delete(early);
    const watching = early?.source === source ? early : this.#set(source, onSeen);
    watching.onSeen = onSeen;
    this.#tell(watching);
    return () => {
      watching.onSeen = null;
      this.#watching.delete(watching);
    };
  }

  #set(source: string, onSeen: OnSeen | null): Watching {
    const watching: Watching = { watch: new LineWatch(this.#parts.patterns(source)), source, onSeen, seen: null };
    this.#watching.add(watching);
    return watching;
  }

  #tell(watching: Watching): void {
    const { seen } = watching;
    // Never from within the call that asks for it.
    if (seen !== null && watching.onSeen !== null) this.#parts.clock.soon(() => watching.onSeen?.(seen));
  }
}
