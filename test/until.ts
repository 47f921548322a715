import { vi } from 'vitest';

/** Long enough for a loaded machine; who waits for longer waits in vain. */
const PATIENCE_MS = 20_000;

/** Waits until something holds, i.e. does not throw any more. @returns what it returned then */
export async function until<T>(holds: () => T): Promise<T> {
  return await vi.waitFor(holds, { timeout: PATIENCE_MS, interval: 5 });
}
