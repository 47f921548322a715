import { distance } from 'fastest-levenshtein';

/** Longer names are not compared: they are no typing mistakes, and comparing takes time. */
const LONGEST = 100;

/** The name that was probably meant, or null if none is close: a third of the letters may differ, two in short names (a swap counts as two), one in very short ones. */
export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > LONGEST) return null;
  let best: string | null = null;
  let limit = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  for (const candidate of known) {
    const found = distance(name.toLowerCase(), candidate.toLowerCase());
    if (found > limit) continue;
    best = candidate;
    limit = found - 1;
  }
  return best;
}

/** The hint of a misspelt name; null if none is close. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  const meant = nearest(name, known);
  return meant === null ? null : `did you mean "${meant}"?`;
}
