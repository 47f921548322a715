import type { Order } from '../core/event.ts';
import type { VassalId } from '../core/listing.ts';
import type { EmperorState, Vassal } from '../core/state.ts';
import { reasonOf } from '../errors.ts';
import type { ControlPorts } from './command.ts';
import { noSuchVassal, vassalsByName } from './names.ts';
import { outcomeOf, type Past, type Settled } from './outcome.ts';
import type { Demand, OrderResult } from './protocol.ts';
import { quoteOf } from './quote.ts';
import { rollbackTarget } from './rollback.ts';
import { stateWord, vassalDocument } from './snapshot.ts';

/** Lines of the log that a failure is shown with, if it has none of its own. */
const LOG_LINES = 5;

/** One order to several vassals. */
export interface Orders {
  readonly demand: Demand;
  readonly names: readonly string[];
  readonly actor: string;
  /** How long to wait for the outcomes; null: not at all. */
  readonly waitMs: number | null;
  /** Ends the wait: nobody is there any more to hear. */
  readonly gone: AbortSignal;
}

/** A vassal, and what it is told. */
interface Addressed {
  readonly vassal: Vassal;
  readonly order: Order;
}

/**
 * Posts the orders, all at once, and tells what became of each. Never rejects for what a vassal did.
 * @throws E_STORE if it cannot be told which revisions there are; then nothing was posted
 */
export async function giveOrders(orders: Orders, ports: ControlPorts): Promise<readonly OrderResult[]> {
  const { demand, actor, waitMs, gone } = orders;
  const state = ports.emperor.snapshot();
  const known = vassalsByName(state);
  const results = new Map<string, OrderResult>();
  const addressed: Addressed[] = [];
  for (const name of new Set(orders.names)) {
    const addressee = address(name, demand, known.get(name), state, ports);
    if ('outcome' in addressee) results.set(name, addressee);
    else addressed.push(addressee);
  }
  const post = (): void => {
    for (const { vassal, order } of addressed) ports.emperor.post({ type: 'order', ...order, vassal: vassal.id, actor });
  };
  if (waitMs === null) {
    post();
    for (const { vassal } of addressed) results.set(vassal.name, result(vassal.name, 'posted', null, null));
  } else {
    const outcomes = await watch(addressed, gone, waitMs, ports, post);
    await Promise.all(addressed.map(async ({ vassal, order }) => {
      const outcome = outcomes.get(vassal.id) ?? null;
      results.set(vassal.name, outcome === null ? overdue(vassal, order, waitMs, ports) : await told(vassal, outcome, gone, ports));
    }));
  }
  return orders.names.flatMap((name) => results.get(name) ?? []);
}

/** The order for the vassal of a name, or why it cannot be given. */
function address(name: string, demand: Demand, vassal: Vassal | undefined, state: EmperorState, ports: ControlPorts): Addressed | OrderResult {
  if (vassal === undefined) return result(name, 'no-vassal', 'E_NO_VASSAL', noSuchVassal(name).message);
  if (state.life !== 'running') return result(name, 'failed', null, 'the emperor is about to end');
  if (vassal.newest === null && demand.verb !== 'stop') return result(name, 'no-vassal', 'E_NO_VASSAL', 'its file is gone');
  if (demand.verb !== 'rollback') return { vassal, order: demand };
  const target = rollbackTarget(vassal, demand.revision, ports);
  return target.ok ? { vassal, order: { verb: 'rollback', to: target.to } } : result(name, 'failed', 'E_VALUE', target.message);
}

interface Watched extends Past {
  readonly order: Order;
  refusal: string | null;
  /** The order has left the mailbox: from here on, what the vassal does is its answer. */
  handled: boolean;
}

/** Posts, and collects the outcomes until all are there, time is up or nobody listens any more. */
function watch(
  addressed: readonly Addressed[], gone: AbortSignal, waitMs: number, ports: ControlPorts, post: () => void,
): Promise<ReadonlyMap<VassalId, Settled>> {
  return new Promise((resolve) => {
    const outcomes = new Map<VassalId, Settled>();
    // A vassal whose file is gone leaves no record of the order: it is on its way out already.
    const pending = new Map<VassalId, Watched>(addressed.map(({ vassal, order }) => (
      [vassal.id, { order, oldFailure: vassal.failure, refusal: null, handled: vassal.newest === null }]
    )));

    const judge = (id: VassalId, state: EmperorState): void => {
      const watched = pending.get(id);
      if (watched === undefined) return;
      const vassal = state.vassals.get(id) ?? null;
      if (vassal === null || vassal.newest === null) watched.handled = true;
      if (!watched.handled) return;
      const outcome = outcomeOf(watched.order, vassal, watched);
      if (outcome.kind === 'pending') return;
      outcomes.set(id, outcome);
      pending.delete(id);
      if (pending.size === 0) finish();
    };
    const unsubscribe = ports.emperor.subscribe(({ history, vassals: changed }, state) => {
      const concerned = new Set(changed.keys());
      for (const { event, vassal, why } of history) {
        const watched = vassal === null ? undefined : pending.get(vassal);
        if (watched === undefined || vassal === null) continue;
        if (event === 'order') watched.handled = true;
        if (event === 'rejected' && watched.handled) watched.refusal = why;
        concerned.add(vassal);
      }
      for (const id of concerned) judge(id, state);
    });
    const cancel = ports.clock.after(waitMs, () => finish());
    const finish = (): void => {
      unsubscribe();
      cancel();
      gone.removeEventListener('abort', finish);
      resolve(outcomes);
    };
    gone.addEventListener('abort', finish);
    post();
    if (pending.size === 0 || gone.aborted) finish();
  });
}

function overdue({ id, name }: Vassal, { verb }: Order, waitMs: number, { emperor }: ControlPorts): OrderResult {
  const vassal = emperor.snapshot().vassals.get(id);
  const waitsFor = vassal === undefined ? [] : vassalDocument(vassal, emperor.now()).waitsFor;
  const word = vassal === undefined ? 'forgotten' : `${stateWord(vassal)}${waitsFor.length === 0 ? '' : ` for ${waitsFor.join(', ')}`}`;
  return result(name, 'timeout', 'E_TIMEOUT', `the ${verb} did not come to an end within ${waitMs / 1000} s: it is ${word}, and goes on`);
}

async function told({ id, name }: Vassal, outcome: Settled, gone: AbortSignal, ports: ControlPorts): Promise<OrderResult> {
  if (outcome.kind === 'done') return result(name, 'done', null, outcome.message);
  const { kind, code, message, failure } = outcome;
  if (code === 'E_NO_VASSAL') return result(name, 'no-vassal', code, message);
  const own = failure === null ? [] : await quoteOf(id, failure, ports, gone);
  // What never ran has printed nothing.
  const printed = kind === 'failed' && (failure === null || failure.instance !== null);
  return { ...result(name, kind, code, message), log: own.length > 0 || !printed ? own : await lastLines(name, ports) };
}

async function lastLines(name: string, ports: ControlPorts): Promise<readonly string[]> {
  try {
    const text = Buffer.from(await ports.logs.tail(name, LOG_LINES)).toString('utf8');
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
  } catch (cause) {
    ports.logger.warn({ vassal: name, reason: reasonOf(cause) }, 'cannot read what a failed vassal printed');
    return [];
  }
}

function result(name: string, outcome: OrderResult['outcome'], code: OrderResult['code'], message: string | null): OrderResult {
  return { name, outcome, code, message, log: [] };
}
