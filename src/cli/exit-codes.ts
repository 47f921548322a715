import type { OrderResult } from '../control/protocol.ts';
import { unreachable, type Code } from '../errors.ts';

/** What the process ends with: a contract with scripts. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Of `status NAME`. */
  notRunning: 3,
  noSuchVassal: 4,
  noEmperor: 7,
  timedOut: 75,
  /** A vassal file is at fault. */
  fault: 78,
} as const;

const OWN_CODES: Readonly<Partial<Record<Code, number>>> = {
  E_NO_VASSAL: EXIT.noSuchVassal,
  E_NO_EMPEROR: EXIT.noEmperor,
  E_TIMEOUT: EXIT.timedOut,
  E_REQUEST: EXIT.usage,
  E_SETTINGS: EXIT.usage,
};

/** The exit code for an operational error. */
export function exitCodeOf(code: Code): number {
  return OWN_CODES[code] ?? EXIT.failed;
}

/** The exit code for the results of an order: what went wrong, if it is the same everywhere, else 1. */
export function exitCodeOfResults(results: readonly OrderResult[]): number {
  const bad = new Set(results.map(({ outcome }) => exitCodeOfOutcome(outcome)).filter((code) => code !== EXIT.done));
  const [first = EXIT.done] = bad;
  return bad.size > 1 ? EXIT.failed : first;
}

function exitCodeOfOutcome(outcome: OrderResult['outcome']): number {
  switch (outcome) {
    case 'done':
    case 'posted':
      return EXIT.done;
    case 'failed':
      return EXIT.failed;
    case 'fault':
      return EXIT.fault;
    case 'timeout':
      return EXIT.timedOut;
    case 'no-vassal':
      return EXIT.noSuchVassal;
    default:
      return unreachable(outcome);
  }
}
