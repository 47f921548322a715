import type { Backoff } from './spec.ts';

/** The answer to a death: start again at once, or wait. `deaths` is the count to remember. */
export type Respite = { readonly waitMs: number; readonly deaths: number };

/**
 * Decides how long to wait after a death.
 *
 * The first death of an instance that had been ready is answered at once; further ones wait longer and longer. A death
 * before readiness always waits. An instance that was ready for `resetAfterMs` is loyal: what was before it is forgotten.
 *
 * @param deaths deaths since the last loyal instance, as remembered from the last answer
 * @param readyForMs how long the dead instance had been ready; null: it never was
 * @param seed spreads vassals that die together; the same seed and count give the same wait
 */
export function respite(policy: Backoff, deaths: number, readyForMs: number | null, seed: string): Respite {
  const counted = readyForMs !== null && readyForMs >= policy.resetAfterMs ? 0 : deaths;
  if (readyForMs !== null && counted === 0) return { waitMs: 0, deaths: 1 };
  const nth = Math.max(1, counted);
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** (nth - 1));
  const waitMs = Math.min(policy.maxMs, Math.max(0, full * (1 + policy.jitter * spread(`${seed}/${nth}`))));
  return { waitMs: Math.round(waitMs), deaths: nth + 1 };
}

/** A number from -1 to 1 that depends on the text alone. FNV-1a, 32 bit. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return ((hash >>> 0) / 0xffffffff) * 2 - 1;
}
