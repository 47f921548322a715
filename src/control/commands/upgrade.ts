import type { ControlCommand } from '../command.ts';
import type { UpgradeReply } from '../protocol.ts';
import { queryOf } from '../request.ts';

/**
 * `POST /v1/upgrade`: the program as it is on the disk by now takes the emperor's place, in the same process. Answers when that program has proved that
 * it can; then this socket goes, and the successor opens it again.
 */
export const upgrade: ControlCommand = {
  method: 'POST',
  path: '/upgrade',
  async run({ query, actor }, { identity, upgrade: begin }) {
    queryOf(query, []);
    const { version } = await begin(actor());
    const reply: UpgradeReply = { pid: identity.pid, from: identity.version, to: version };
    return { kind: 'document', document: reply };
  },
};
