import type { ControlCommand } from '../command.ts';
import { giveOrders } from '../orders.ts';
import { DEFAULT_TIMEOUT, type OrderReply, type OrderVerb } from '../protocol.ts';
import { demandOf, durationMs, flag, namesOf, queryOf } from '../request.ts';

/**
 * `POST /v1/VERB` with `{"names":[…]}`: asks the same of several vassals; `scale` and `rollback` say more, see {@link demandOf}. With
 * `wait=1` it answers when each has come to an end of it, or after `timeout`. A vassal that fails is a result, not an error of the request.
 */
export function order(verb: OrderVerb): ControlCommand {
  return {
    method: 'POST',
    path: `/${verb}`,
    async run({ query, body, actor, gone }, ports) {
      const { wait, timeout } = queryOf(query, ['wait', 'timeout']);
      const names = namesOf(body);
      const demand = demandOf(verb, body);
      const timeoutMs = durationMs(timeout ?? DEFAULT_TIMEOUT, 'timeout');
      const waitMs = flag(wait, 'wait') ? timeoutMs : null;
      const reply: OrderReply = { results: await giveOrders({ demand, names, actor: actor(), waitMs, gone }, ports) };
      return { kind: 'document', document: reply };
    },
  };
}
