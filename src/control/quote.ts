import type { VassalId } from '../core/listing.ts';
import type { Failure } from '../core/state.ts';
import type { ControlPorts } from './command.ts';

/** What an instance printed last is asked for when it fails, and told a moment later; this long it is waited for. */
const PATIENCE_MS = 500;

/** The last lines that the instance of a failure printed; empty if it printed nothing, or nobody tells in time. */
export function quoteOf(vassal: VassalId, failure: Failure, { emperor, clock }: ControlPorts, gone: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const told = (): readonly string[] | null => {
      const now = emperor.snapshot().vassals.get(vassal)?.failure ?? null;
      if (now === failure) return failure.output.length > 0 ? failure.output : null;
      return now !== null && now.instance === failure.instance && now.at === failure.at ? now.output : [];
    };
    const finish = (): void => {
      unsubscribe();
      cancel();
      gone.removeEventListener('abort', finish);
      resolve(told() ?? []);
    };
    const unsubscribe = emperor.subscribe(({ vassals }) => {
      if (vassals.has(vassal) && told() !== null) finish();
    });
    const cancel = clock.after(PATIENCE_MS, finish);
    gone.addEventListener('abort', finish);
    if (failure.instance === null || told() !== null || gone.aborted) finish();
  });
}
