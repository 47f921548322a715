import type { Look, SeenFile } from '../core/listing.ts';
import type { Clock } from '../world/clock.ts';

/** What there is to tell at a moment. */
export interface News {
  /** Another number: another listing. */
  readonly version: number;
  /** Files whose change is not complete yet. */
  readonly waiting: number;
  /** Everything is being looked at just now. */
  readonly working: boolean;
  readonly list: () => readonly SeenFile[];
}

/** Decides when a look is posted: no listing twice in a row, no half of a switch, and not one listing per file of a heap. */
export interface Announcer {
  /** Holds the listing back until everything has been looked at; then for at most `mostMs`, while files wait for their change to be complete. */
  hold(mostMs: number): void;
  /** Posts that nothing can be seen, once. */
  blind(reason: string): void;
  /** It can be seen again: the next listing is posted even if it is the one from before. */
  sighted(): void;
  /** Posts the listing if it is to be posted now. */
  announce(news: News): void;
  /** When {@link announce} has something to do next, monotonic; null: when there are other news. */
  nextDue(news: News): number | null;
  /** True if a hold has taken its time and files still wait: the listing goes without them. */
  impatient(news: News): boolean;
  /** Resolves when nothing is held back. */
  told(): Promise<void>;
  /** Resolves all that wait for {@link told}. */
  close(): void;
}

/** Between two listings while much happens; a millisecond more for each thousand files. */
const GAP_MS = 5;

/** Nothing has been posted yet. */
export function createAnnouncer(clock: Clock, post: (look: Look) => void): Announcer {
  const listeners: (() => void)[] = [];
  let blindness: string | null = null;
  let posted: number | null = null;
  let gapUntilMs = 0;
  let held: { readonly mostMs: number; readonly untilMs: number | null } | null = null;

  function release(): void {
    held = null;
    for (const listener of listeners.splice(0)) listener();
  }

  return {
    hold(mostMs) {
      held = { mostMs: Math.max(mostMs, held?.mostMs ?? 0), untilMs: null };
    },
    blind(reason) {
      if (reason !== blindness) post({ kind: 'blind', reason });
      blindness = reason;
    },
    sighted() {
      if (blindness !== null) posted = null;
      blindness = null;
    },
    announce({ version, waiting, working, list }) {
      const nowMs = clock.now().ms;
      if (blindness !== null) {
        if (!working) release();
        return;
      }
      if (held !== null) {
        if (working) return;
        held = { ...held, untilMs: held.untilMs ?? nowMs + held.mostMs };
        if (waiting > 0 && nowMs < (held.untilMs ?? 0)) return;
      } else if (nowMs < gapUntilMs) {
        return;
      }
      if (version !== posted) {
        posted = version;
        const files = list();
        gapUntilMs = nowMs + GAP_MS + files.length / 1_000;
        post({ kind: 'listing', files });
      }
      if (!working) release();
    },
    nextDue({ version, working }) {
      if (blindness !== null || working) return null;
      if (held !== null) return held.untilMs;
      return version === posted ? null : gapUntilMs;
    },
    impatient({ waiting, working }) {
      return held !== null && held.untilMs !== null && !working && waiting > 0 && clock.now().ms >= held.untilMs;
    },
    told: () => new Promise((resolve) => void listeners.push(resolve)),
    close: release,
  };
}
