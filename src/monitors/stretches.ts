import type { Clock } from '../world/clock.ts';

/** One whole turn of the event loop: what has come in by now has been told when it resolves. */
export function turnOver(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(() => clock.soon(resolve)));
}

/** Divides long work: the function returned is awaited after each step, and gives way to others when a stretch of `longestMs` is over. */
export function stretches(clock: Clock, longestMs: number): () => Promise<void> | undefined {
  let startMs = clock.now().ms;
  return () => {
    if (clock.now().ms - startMs < longestMs) return undefined;
    return turnOver(clock).then(() => {
      startMs = clock.now().ms;
    });
  };
}
