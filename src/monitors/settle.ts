import type { Now } from '../core/event.ts';
import type { FileLook } from './look-at-file.ts';

/**
 * When a change is complete. The kernel tells whether anybody has a file open for writing; what it cannot tell is whether
 * somebody will open it again in a moment (`> f; cat x >> f`), so what was written here has to be quiet for a while.
 *
 *   what is seen                                                     told
 *   the content that was known before (a touch)                      at once
 *   moved or linked here, or its times were set: it was complete     at once
 *   written long ago                                                 at once
 *   written here, nobody writes                                      after QUIET_MS without a hint
 *   emptied or created empty                                         after EMPTY_MS without a hint
 *   the kernel does not tell who writes                              after BLIND_QUIET_MS without a hint or a change
 *   being written                                                    not now; looked at after 1, 2, 4 … 250 ms
 *   gone, or a link that leads nowhere since                         after the grace; the other half of a rename may follow
 */
export type Verdict =
  | { readonly kind: 'complete' }
  /** 0: in the next turn of the event loop, when all hints of what happened until now have come in. */
  | { readonly kind: 'again'; readonly afterMs: number };

export const QUIET_MS = 20;
export const BLIND_QUIET_MS = 30;
/** To empty a file, or to create it empty, is hardly ever all that somebody wants. */
export const EMPTY_MS = 250;
/** A removal may be half of `rm f; write f`, of an editor's `mv f f~; write f`, or of a checkout: it is told if nothing has followed by then. */
export const GRACE_MS = 5;
/** What is older has long been complete, if nobody writes it. */
export const OLD_MS = 2_000;
const LONGEST_RECHECK_MS = 250;
const SHORT_MS = 1;

/** What is remembered of a path from the first sign of a change until it is complete. Times are monotonic. */
export interface Waiting {
  /** The last hint, or the first look. */
  readonly sinceMs: number;
  /** A hint said so; false: found by looking through everything. */
  readonly hinted: boolean;
  /** Some hint told of written bytes or changed attributes, and not only of a name that came or went. */
  readonly written: boolean;
  /** Looks since the last hint. */
  readonly looks: number;
  /** When it was first found to be gone; null: it is there. */
  readonly goneMs: number | null;
  /** Seal of the last look; null: there was none, or it was being written then. */
  readonly seal: string | null;
}

/** What was told of a path so far. */
export interface Told {
  readonly hash: string;
  readonly ok: boolean;
  readonly identity: string;
}

/** Judges one look. Pure. */
export function judge(look: FileLook, told: Told | null, waiting: Waiting, now: Now): Verdict {
  if (look.kind === 'busy') return { kind: 'again', afterMs: Math.min(LONGEST_RECHECK_MS, 2 ** Math.min(waiting.looks, 10)) };
  if (look.kind === 'absent') return told === null ? COMPLETE : until((waiting.goneMs ?? now.ms) + GRACE_MS, now);
  const { state, file } = look;
  if (state.kind === 'final') return COMPLETE;
  if (state.kind === 'astray') return told?.ok === true ? until((waiting.goneMs ?? now.ms) + GRACE_MS, now) : COMPLETE;
  if (told !== null && told.hash === file.hash && told.hash !== '') return COMPLETE;
  if (now.at - state.changedAt >= OLD_MS && !state.empty) return COMPLETE;
  if (!state.unwritten) return until((look.seal === waiting.seal ? waiting.sinceMs : now.ms) + (state.empty ? EMPTY_MS : BLIND_QUIET_MS), now);
  if (state.handed) return COMPLETE;
  if (state.empty) return until(waiting.sinceMs + EMPTY_MS, now);
  if (waiting.hinted && !waiting.written && told?.identity !== state.identity) {
    // A name came, and no byte was written under it. If one was, its hint is in the queue already, as nobody writes any more.
    return waiting.seal === look.seal ? COMPLETE : { kind: 'again', afterMs: 0 };
  }
  return until(waiting.sinceMs + QUIET_MS, now);
}

const COMPLETE: Verdict = { kind: 'complete' };

/** Node's timers are off by up to a millisecond, early or late. So a short rest is spent in turns of the event loop. */
function until(dueMs: number, now: Now): Verdict {
  const restMs = dueMs - now.ms;
  return restMs <= 0 ? COMPLETE : { kind: 'again', afterMs: restMs <= SHORT_MS ? 0 : restMs };
}
