import type { ControlCommand } from '../command.ts';
import { vassalNamed } from '../names.ts';
import { nameOf, queryOf } from '../request.ts';
import { HISTORY_LOOKED_AT, whyDocument } from '../why.ts';

/** `GET /v1/why/NAME`: why the vassal does what it does, and what can be done. */
export const why: ControlCommand = {
  method: 'GET',
  path: '/why/:name',
  run({ params, query }, { emperor, history }) {
    queryOf(query, []);
    const state = emperor.snapshot();
    const vassal = vassalNamed(state, nameOf(params));
    const past = history({ name: vassal.name, limit: HISTORY_LOOKED_AT, after: null });
    return { kind: 'document', document: whyDocument(vassal, state, past, emperor.now()) };
  },
};
