import type { Order } from '../core/event.ts';
import { printFault } from '../core/fault.ts';
import type { ExitStatus, Failure, Generation, Vassal } from '../core/state.ts';
import { unreachable, type Code } from '../errors.ts';

/** What has become of an order. */
export type Outcome = { readonly kind: 'pending' } | Settled;

/** What has become of an order that came to an end. */
export type Settled =
  | { readonly kind: 'done'; readonly message: string | null }
  /** `failure`: the one that is told, if it is that of the vassal. */
  | { readonly kind: 'failed' | 'fault'; readonly code: Code | null; readonly message: string; readonly failure: Failure | null };

/** What was known of a vassal when the order was given, and what was heard since. */
export interface Past {
  /** The vassal's failure at that time: the order is not to blame for that one. */
  readonly oldFailure: Failure | null;
  /** Why a revision was refused since then, as the history tells it; null: none was. */
  readonly refusal: string | null;
}

const PENDING: Outcome = { kind: 'pending' };
const DONE: Outcome = { kind: 'done', message: null };
const LATER: Outcome = { kind: 'done', message: 'it takes effect when it starts' };

/**
 * Judges an order by the vassal as it is after the order was handled. Pure.
 * @param vassal null: forgotten
 */
export function outcomeOf(order: Order, vassal: Vassal | null, past: Past): Outcome {
  switch (order.verb) {
    case 'stop':
      return stopOutcome(vassal);
    case 'pause':
      return pauseOutcome(vassal);
    case 'scale':
      return vassal === null || vassal.newest === null ? gone() : scaleOutcome(order.instances, vassal);
    case 'start':
    case 'resume':
    case 'reload':
      if (vassal === null || vassal.newest === null) return gone();
      // The good revision that goes on is not what was asked for: the newest is.
      return vassal.pinned === null && !vassal.newest.outcome.ok ? atFault(vassal) : upOutcome(vassal, past);
    case 'restart':
    case 'rollback':
      return vassal === null || vassal.newest === null ? gone() : upOutcome(vassal, past);
    default:
      return unreachable(order);
  }
}

/** On demand nothing runs either until someone connects: whoever set it up again since then has ended the stop. */
function stopOutcome(vassal: Vassal | null): Outcome {
  if (vassal === null) return DONE;
  const { phase } = vassal.state;
  const down = phase === 'stopped' || phase === 'exited' || phase === 'invalid' || phase === 'paused' || phase === 'idle';
  return down && vassal.leaving.length === 0 ? DONE : PENDING;
}

function pauseOutcome(vassal: Vassal | null): Outcome {
  if (vassal === null) return DONE;
  if (vassal.leaving.length > 0) return PENDING;
  const { phase } = vassal.state;
  if (phase === 'stopped') return failed('it was stopped');
  return phase === 'paused' ? DONE : PENDING;
}

function upOutcome(vassal: Vassal, past: Past): Outcome {
  const { state, failure } = vassal;
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'reloading':
    case 'stopping':
      return PENDING;
    case 'waiting':
      return state.cycle === null ? PENDING : atFault(vassal);
    case 'idle':
    case 'ready':
      return arrived(vassal, past);
    case 'invalid':
      return atFault(vassal);
    case 'backoff':
      return failed('it ended, and waits for its next start', failure);
    case 'exited':
      return failed(`it ended by itself ${printStatus(state.status)}`, failure);
    case 'paused':
    case 'stopped':
      return failed(`it was ${state.phase} before it was ready`);
    default:
      return unreachable(state);
  }
}

/** It serves. But is it what was asked for that does? */
function arrived(vassal: Vassal, { oldFailure, refusal }: Past): Outcome {
  const { failure, newest, pinned } = vassal;
  if (newest?.outcome.ok === false && pinned === null && refusal === null) return { kind: 'done', message: `it runs an older revision: ${atFault(vassal).message}` };
  if (failure !== null && !sameFailure(failure, oldFailure)) return failed('', failure);
  return refusal === null ? DONE : failed(refusal);
}

/** Only what is up can have more instances, or fewer; whatever else is asked for counts when it starts. */
function scaleOutcome(count: number, vassal: Vassal): Outcome {
  const { state } = vassal;
  switch (state.phase) {
    case 'starting':
    case 'refreshing':
    case 'reloading':
    case 'stopping':
      return PENDING;
    case 'waiting':
      return state.cycle === null ? PENDING : atFault(vassal);
    case 'backoff':
      return failed('it ended, and waits for its next start', vassal.failure);
    case 'ready':
      return sizeOutcome(count, state.current, vassal.failure);
    case 'idle':
    case 'paused':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return LATER;
    default:
      return unreachable(state);
  }
}

function sizeOutcome(count: number, { places }: Generation, failure: Failure | null): Outcome {
  if (places.length !== count) return { kind: 'done', message: `it has ${places.length} now, and ${count} from its next start on` };
  if (places.some((place) => place.phase === 'backoff')) return failed('some of its instances ended, and wait for their next start', failure);
  return places.every((place) => place.phase === 'ready') ? DONE : PENDING;
}

function gone(): Outcome {
  return { kind: 'failed', code: 'E_NO_VASSAL', message: 'its file is gone', failure: null };
}

/** @param message if there is no failure that says more */
function failed(message: string, failure: Failure | null = null): Outcome {
  return { kind: 'failed', code: failure?.code ?? null, message: failure?.message ?? message, failure };
}

/** The output of a failure is known later than the failure. */
function sameFailure(a: Failure, b: Failure | null): boolean {
  return b !== null && a.at === b.at && a.code === b.code && a.instance === b.instance && a.message === b.message;
}

function atFault({ failure, newest }: Vassal): Outcome & { readonly kind: 'fault' } {
  const faults = newest === null || newest.outcome.ok ? [] : newest.outcome.faults;
  const text = faults.map(printFault).join('\n');
  return {
    kind: 'fault',
    code: failure?.code ?? faults[0]?.code ?? null,
    message: failure?.message ?? (text === '' ? 'nothing of it can be run' : text),
    failure,
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
