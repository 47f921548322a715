import type { ControlCommand } from '../command.ts';
import { vassalNamed } from '../names.ts';
import { nameOf, queryOf } from '../request.ts';
import { statusDocument } from '../snapshot.ts';

/** `GET /v1/status`: the emperor and all its vassals. */
export const status: ControlCommand = {
  method: 'GET',
  path: '/status',
  run({ query }, { emperor, identity, usage }) {
    queryOf(query, []);
    const state = emperor.snapshot();
    return { kind: 'document', document: statusDocument(state, state.vassals.values(), identity, emperor.now(), usage) };
  },
};

/** `GET /v1/status/NAME`: the same document with one vassal; E_NO_VASSAL if there is none. */
export const statusOfOne: ControlCommand = {
  method: 'GET',
  path: '/status/:name',
  run({ params, query }, { emperor, identity, usage }) {
    queryOf(query, []);
    const state = emperor.snapshot();
    return { kind: 'document', document: statusDocument(state, [vassalNamed(state, nameOf(params))], identity, emperor.now(), usage) };
  },
};
