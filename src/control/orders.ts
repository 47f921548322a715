import type { VassalId } from '../core/listing.ts';
import type { EmperorState, Failure, Vassal } from '../core/state.ts';
import { reasonOf } from '../errors.ts';
import type { ControlPorts } from './command.ts';
import { noSuchVassal, vassalsByName } from './names.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { OrderResult, OrderVerb } from './protocol.ts';
import { stateWord } from './snapshot.ts';

/** Lines of output that a failure is shown with. */
const LOG_LINES = 5;

/** One order to several vassals. */
export interface Orders {
  readonly verb: OrderVerb;
  readonly names: readonly string[];
  readonly actor: string;
  /** How long to wait for the outcomes; null: not at all. */
  readonly waitMs: number | null;
  /** Ends the wait: nobody is there any more to hear. */
  readonly gone: AbortSignal;
}

/** Posts the orders, all at once, and tells what became of each. Never rejects for what a vassal did. */
export async function giveOrders(orders: Orders, ports: ControlPorts): Promise<readonly OrderResult[]> {
  const { verb, actor, waitMs } = orders;
  const state = ports.emperor.snapshot();
  const known = vassalsByName(state);
  const results = new Map<string, OrderResult>();
  const addressed: Vassal[] = [];
  for (const name of new Set(orders.names)) {
    const vassal = known.get(name);
    if (vassal === undefined) results.set(name, result(name, 'no-vassal', 'E_NO_VASSAL', noSuchVassal(name).message));
    else if (state.life !== 'running') results.set(name, result(name, 'failed', null, 'the emperor is about to end'));
    else if (vassal.newest === null && verb !== 'stop') results.set(name, result(name, 'no-vassal', 'E_NO_VASSAL', 'its file is gone'));
    else addressed.push(vassal);
  }
  const post = (): void => {
    for (const { id } of addressed) ports.emperor.post({ type: 'order', verb, vassal: id, actor });
  };
  if (waitMs === null) {
    post();
    for (const { name } of addressed) results.set(name, result(name, 'posted', null, null));
  } else {
    const outcomes = await watch(addressed, orders, waitMs, ports, post);
    await Promise.all(addressed.map(async (vassal) => {
      results.set(vassal.name, await told(vassal, verb, waitMs, outcomes.get(vassal.id), ports));
    }));
  }
  return orders.names.flatMap((name) => results.get(name) ?? []);
}

interface Watched {
  readonly oldFailure: Failure | null;
  /** The order has left the mailbox: from here on, what the vassal does is its answer. */
  handled: boolean;
}

/** Posts, and collects the outcomes until all are there, time is up or nobody listens any more. */
function watch(
  vassals: readonly Vassal[], orders: Orders, waitMs: number, ports: ControlPorts, post: () => void,
): Promise<ReadonlyMap<VassalId, Outcome>> {
  return new Promise((resolve) => {
    const outcomes = new Map<VassalId, Outcome>();
    // A vassal whose file is gone leaves no record of the order: it is on its way out already.
    const pending = new Map<VassalId, Watched>(vassals.map((each) => [each.id, { oldFailure: each.failure, handled: each.newest === null }]));

    const judge = (id: VassalId, state: EmperorState): void => {
      const watched = pending.get(id);
      if (watched === undefined) return;
      const vassal = state.vassals.get(id) ?? null;
      if (vassal === null || vassal.newest === null) watched.handled = true;
      if (!watched.handled) return;
      const outcome = outcomeOf(orders.verb, vassal, watched.oldFailure);
      if (outcome.kind === 'pending') return;
      outcomes.set(id, outcome);
      pending.delete(id);
      if (pending.size === 0) finish();
    };
    const unsubscribe = ports.emperor.subscribe(({ history, vassals: changed }, state) => {
      for (const { event, vassal } of history) {
        const watched = event === 'order' && vassal !== null ? pending.get(vassal) : undefined;
        if (watched === undefined || vassal === null) continue;
        watched.handled = true;
        judge(vassal, state);
      }
      for (const id of changed.keys()) judge(id, state);
    });
    const cancel = ports.clock.after(waitMs, () => finish());
    const finish = (): void => {
      unsubscribe();
      cancel();
      orders.gone.removeEventListener('abort', finish);
      resolve(outcomes);
    };
    orders.gone.addEventListener('abort', finish);
    post();
    if (pending.size === 0 || orders.gone.aborted) finish();
  });
}

async function told(vassal: Vassal, verb: OrderVerb, waitMs: number, outcome: Outcome | undefined, ports: ControlPorts): Promise<OrderResult> {
  if (outcome === undefined || outcome.kind === 'pending') {
    const now = ports.emperor.snapshot().vassals.get(vassal.id);
    const word = now === undefined ? 'forgotten' : stateWord(now);
    return result(vassal.name, 'timeout', 'E_TIMEOUT', `the ${verb} did not come to an end within ${waitMs / 1000} s: it is ${word}, and goes on`);
  }
  if (outcome.kind === 'done') return result(vassal.name, 'done', null, outcome.message);
  const { kind, code, message } = outcome;
  if (code === 'E_NO_VASSAL') return result(vassal.name, 'no-vassal', code, message);
  return { ...result(vassal.name, kind, code, message), log: kind === 'failed' ? await lastLines(vassal.name, ports) : [] };
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
