import { isDown } from '../core/lifecycle.ts';
import type { EmperorState } from '../core/state.ts';
import { reasonOf } from '../errors.ts';
import type { Emperor } from './emperor.ts';

/** Resolves when nothing is left to be supervised: all has ended, or is left to the next emperor. */
export async function untilEnd(emperor: Emperor): Promise<void> {
  await new Promise<void>((resolve) => {
    emperor.subscribe((_, state) => {
      if (isOver(state)) resolve();
    });
  });
}

function isOver(state: EmperorState): boolean {
  if (state.life !== 'stopping') return state.life === 'leaving';
  return [...state.vassals.values()].every((vassal) => isDown(vassal) && vassal.leaving.length === 0);
}

/** Closes parts in the reverse order of opening, whatever happens to one of them. @throws AggregateError */
export async function closeAll(parts: readonly (Disposable | AsyncDisposable)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts.toReversed()) {
    try {
      await (Symbol.asyncDispose in part ? part[Symbol.asyncDispose]() : part[Symbol.dispose]());
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `the emperor did not end in good order: ${failures.map(reasonOf).join('; ')}`);
}
