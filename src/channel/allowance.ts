/** How often one vassal may have our ear: so often at once, then so often a second. Heartbeats of many workers that come together are read together. */
const AT_ONCE = 64;
const A_SECOND = 20;

/** What is left of it. */
export interface Allowance {
  readonly left: number;
  /** Monotonic ms. */
  readonly atMs: number;
}

/** All of it. */
export function fullAllowance(nowMs: number): Allowance {
  return { left: AT_ONCE, atMs: nowMs };
}

/** Takes one of it. @returns what is left, and how long to wait before the next may be taken, in ms */
export function spend({ left, atMs }: Allowance, nowMs: number): { readonly allowance: Allowance; readonly waitMs: number } {
  const now = Math.min(AT_ONCE, left + (Math.max(0, nowMs - atMs) * A_SECOND) / 1_000) - 1;
  return { allowance: { left: now, atMs: nowMs }, waitMs: now >= 1 ? 0 : Math.ceil(((1 - now) * 1_000) / A_SECOND) };
}
