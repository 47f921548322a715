import { chosen } from '../../core/lifecycle.ts';
import type { ControlCommand } from '../command.ts';
import { noSuchVassal, vassalsByName } from '../names.ts';
import { count, flag, nameOf, queryOf } from '../request.ts';

/** Nothing is kept of it here. */
function whereTo(name: string): string {
  return `the output of ${name} is in the journal: journalctl VASSAL=${/^[\w.@:+-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`}\n`;
}

/** Lines that are told unless asked otherwise, and at most. */
const DEFAULT_LINES = 20;
const MOST = 100_000;

/**
 * `GET /v1/logs/NAME?lines=20&follow=1`: what the vassal printed last, as text; with `follow` it goes on with what it
 * prints. The log of a vassal that is forgotten can still be read.
 */
export const logs: ControlCommand = {
  method: 'GET',
  path: '/logs/:name',
  async run({ params, query, gone }, ports) {
    const { lines, follow } = queryOf(query, ['lines', 'follow']);
    const name = nameOf(params);
    const named = vassalsByName(ports.emperor.snapshot()).get(name);
    const known = named !== undefined || ports.history({ name, limit: 1, after: null }).length > 0;
    if (!known) throw noSuchVassal(name);
    if (named !== undefined && chosen(named)?.spec.log.to === 'journal') return { kind: 'stream', contentType: 'text/plain', chunks: one(Buffer.from(whereTo(name))), outlivesServer: false };
    const wanted = count(lines, 'lines', DEFAULT_LINES, MOST);
    const chunks = flag(follow, 'follow') ? ports.logs.follow(name, gone, wanted) : one(await ports.logs.tail(name, wanted));
    return { kind: 'stream', contentType: 'text/plain', chunks, outlivesServer: false };
  },
};

async function* one(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (chunk.length > 0) yield chunk;
}
