/**
 * Looks at most once in a turn of the event loop: thousands of addresses that are opened together share one look. What is seen may be as old as the turn,
 * so it serves for what was there before us, and not for what we do ourselves.
 */
export function onceATurn<T>(look: () => T): () => T {
  let seen: { readonly found: T } | null = null;
  return () => {
    if (seen === null) {
      seen = { found: look() };
      setImmediate(() => {
        seen = null;
      });
    }
    return seen.found;
  };
}
