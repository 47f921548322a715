import type { ControlCommand } from '../command.ts';
import { queryOf } from '../request.ts';

/** `POST /v1/rescan`: has every source looked at again; answers when that was done. */
export const rescan: ControlCommand = {
  method: 'POST',
  path: '/rescan',
  async run({ query }, ports) {
    queryOf(query, []);
    await ports.rescan();
    return { kind: 'document', document: {} };
  },
};
