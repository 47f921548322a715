import { printFault } from '../core/fault.ts';
import type { ExitStatus, Failure, Vassal } from '../core/state.ts';
import { unreachable, type Code } from '../errors.ts';
import type { OrderVerb } from './protocol.ts';

/** What has become of an order. */
export type Outcome =
  | { readonly kind: 'pending' }
  | { readonly kind: 'done'; readonly message: string | null }
  | { readonly kind: 'failed' | 'fault'; readonly code: Code | null; readonly message: string };

const PENDING: Outcome = { kind: 'pending' };
const DONE: Outcome = { kind: 'done', message: null };

/**
 * Judges an order by the vassal as it is after the order was handled. Pure.
 * @param vassal null: forgotten
 * @param oldFailure the vassal's failure when the order was given: the order is not to blame for that one
 */
export function outcomeOf(verb: OrderVerb, vassal: Vassal | null, oldFailure: Failure | null): Outcome {
  if (verb === 'stop') return stopOutcome(vassal);
  if (vassal === null || vassal.newest === null) return { kind: 'failed', code: 'E_NO_VASSAL', message: 'its file is gone' };
  // The good revision that goes on, or is restarted, is not what was asked for: the newest is.
  if (verb !== 'restart' && !vassal.newest.outcome.ok) return atFault(vassal);
  return upOutcome(vassal, oldFailure);
}

function stopOutcome(vassal: Vassal | null): Outcome {
  if (vassal === null) return DONE;
  const { phase } = vassal.state;
  const down = phase === 'stopped' || phase === 'exited' || phase === 'invalid';
  return down && vassal.leaving.length === 0 ? DONE : PENDING;
}

function upOutcome(vassal: Vassal, oldFailure: Failure | null): Outcome {
  const { state, failure } = vassal;
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'reloading':
    case 'stopping':
      return PENDING;
    case 'ready':
      if (vassal.newest?.outcome.ok === false) return { kind: 'done', message: `it runs an older revision: ${atFault(vassal).message}` };
      return failure === null || failure === oldFailure ? DONE : { kind: 'failed', code: failure.code, message: failure.message };
    case 'invalid':
      return atFault(vassal);
    case 'backoff':
      return { kind: 'failed', code: failure?.code ?? null, message: failure?.message ?? 'it ended, and waits for its next start' };
    case 'exited':
      return { kind: 'failed', code: failure?.code ?? null, message: failure?.message ?? `it ended by itself ${printStatus(state.status)}` };
    case 'stopped':
      return { kind: 'failed', code: null, message: 'it was stopped before it was ready' };
    default:
      return unreachable(state);
  }
}

function atFault({ failure, newest }: Vassal): Outcome & { readonly kind: 'fault' } {
  const faults = newest === null || newest.outcome.ok ? [] : newest.outcome.faults;
  const text = faults.map(printFault).join('\n');
  return {
    kind: 'fault',
    code: failure?.code ?? faults[0]?.code ?? null,
    message: failure?.message ?? (text === '' ? 'nothing of it can be run' : text),
  };
}

function printStatus(status: ExitStatus): string {
  switch (status.kind) {
    case 'exited':
      return `with code ${status.code}`;
    case 'killed':
      return `by ${status.signal}`;
    case 'unknown':
      return 'and nobody knows how';
    default:
      return unreachable(status);
  }
}
