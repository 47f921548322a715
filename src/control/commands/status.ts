import type { ControlCommand } from '../command.ts';
import type { Address } from '../../core/address.ts';
import type { Vassal } from '../../core/state.ts';
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

/** `GET /v1/status/NAME`: the same document with one vassal, and with what uWSGI tells of that; E_NO_VASSAL if there is none. */
export const statusOfOne: ControlCommand = {
  method: 'GET',
  path: '/status/:name',
  async run({ params, query }, { emperor, identity, usage, uwsgi }) {
    queryOf(query, []);
    const state = emperor.snapshot();
    const vassal = vassalNamed(state, nameOf(params));
    const document = statusDocument(state, [vassal], identity, emperor.now(), usage);
    const address = addressOf(vassal);
    if (address === null) return { kind: 'document', document };
    const told = await uwsgi(address);
    return { kind: 'document', document: { ...document, vassals: document.vassals.map((each) => ({ ...each, uwsgi: told })) } };
  },
};

/** Where the uWSGI that serves tells of itself; null: there is none, or it does not. */
function addressOf({ state }: Vassal): Address | null {
  return 'current' in state ? state.current.runs.spec.uwsgiStats : null;
}
