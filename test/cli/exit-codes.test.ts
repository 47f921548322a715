import { expect, it } from 'vitest';
import { exitCodeOf, exitCodeOfResults } from '../../src/cli/exit-codes.ts';
import type { OrderResult } from '../../src/control/protocol.ts';

it.each([['E_NO_VASSAL', 4], ['E_NO_EMPEROR', 7], ['E_TIMEOUT', 75], ['E_REQUEST', 2], ['E_SETTINGS', 2], ['E_EMPEROR_RUNS', 1], ['E_STORE', 1], ['E_BUG', 1]] as const)('%s ends in %i', (code, exit) => {
  expect(exitCodeOf(code)).toBe(exit);
});

it.each([
  [[], 0], [['done'], 0], [['posted', 'done'], 0], [['failed'], 1], [['fault'], 78], [['timeout'], 75], [['no-vassal'], 4],
  [['done', 'fault'], 78], [['fault', 'fault'], 78], [['fault', 'timeout'], 1], [['no-vassal', 'failed'], 1],
] as const satisfies readonly (readonly [readonly OrderResult['outcome'][], number])[])('results %j end in %i', (outcomes, exit) => {
  expect(exitCodeOfResults(outcomes.map((outcome) => ({ name: 'shop', outcome, code: null, message: null, log: [] })))).toBe(exit);
});
