import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, it } from 'vitest';

/** Something that has to hold for whatever comes in. */
export interface Target<T> {
  /** What holds: the end of a sentence. */
  readonly name: string;
  readonly inputs: fc.Arbitrary<T>;
  /** Inputs that broke it once, or nearly; each is tried in every run of the tests. */
  readonly corpus: readonly T[];
  /** Random inputs in an ordinary run of the tests. */
  readonly runs: number;
  /** Throws if it does not hold. */
  readonly check: (input: T) => void | Promise<void>;
}

/** The same inputs in each ordinary run, so that a test that fails fails again. */
const SEED = 20_261_121;

/**
 * Declares the tests of a target. By hand it can run for longer, with other inputs each time:
 * `FUZZ_SECONDS=300 npx vitest run --config test/tooling/vitest.config.ts test/fuzz/config.test.ts`; `FUZZ_SEED` repeats one of those.
 */
export function fuzz<T>({ name, inputs, corpus, runs, check }: Target<T>): void {
  const seconds = Number(process.env['FUZZ_SECONDS'] ?? 0);
  const seed = Number(process.env['FUZZ_SEED'] ?? (seconds > 0 ? Date.now() : SEED));
  describe(name, () => {
    if (corpus.length > 0) it.each(corpus.map((input, index) => [index + 1, shown(input), input] as const))('for case %i, %s', async (_number, _shown, input) => check(input));
    it(seconds > 0 ? `for ${seconds} s of random inputs, from seed ${seed}` : `for ${runs} random inputs`, async () => {
      const limit = seconds > 0 ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1_000 } : { numRuns: runs };
      let count = 0;
      await fc.assert(fc.asyncProperty(inputs, async (input) => {
        count += 1;
        await check(input);
      }), { seed, ...limit });
      if (seconds > 0) process.stderr.write(`${name}: ${count} inputs\n`);
    }, (seconds + 60) * 1_000);
  });
}

function shown(input: unknown): string {
  return inspect(input, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60, maxArrayLength: 8 }).slice(0, 100);
}
