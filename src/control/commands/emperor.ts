import type { ControlCommand } from '../command.ts';
import { queryOf } from '../request.ts';
import { emperorDocument } from '../snapshot.ts';

/** `GET /v1/emperor`: who holds this socket, without the vassals. */
export const emperor: ControlCommand = {
  method: 'GET',
  path: '/emperor',
  run({ query }, ports) {
    queryOf(query, []);
    return { kind: 'document', document: emperorDocument(ports.emperor.snapshot(), ports.identity) };
  },
};
