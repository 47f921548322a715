import type { StoredEntry } from '../../store/store.ts';
import type { ControlCommand } from '../command.ts';
import { feed } from '../feed.ts';
import { noSuchVassal, vassalsByName } from '../names.ts';
import { count, flag, queryOf } from '../request.ts';
import { eventDocument } from '../snapshot.ts';

/** Entries of the past that are told unless asked otherwise, and at most. */
const DEFAULT_LIMIT = 50;
const MOST = 10_000;

/**
 * `GET /v1/events?name=NAME&limit=50&follow=1`: the history as JSON lines, oldest first. With `follow` it goes on with what
 * comes. The history of a vassal that is forgotten can still be read.
 */
export const events: ControlCommand = {
  method: 'GET',
  path: '/events',
  run({ query, gone }, ports) {
    const parsed = queryOf(query, ['name', 'limit', 'follow']);
    const name = parsed.name ?? null;
    const limit = count(parsed.limit, 'limit', DEFAULT_LIMIT, MOST);
    const follow = flag(parsed.follow, 'follow');
    // Read once before the reply begins: trouble of the store, or a name unheard of, can still be told as an error.
    const past = ports.history({ name, limit: Math.max(limit, 1), after: null });
    if (name !== null && past.length === 0 && !vassalsByName(ports.emperor.snapshot()).has(name)) throw noSuchVassal(name);
    const pages = follow ? feed({ name, limit, after: null }, ports, gone) : [limit === 0 ? [] : past];
    return { kind: 'stream', contentType: 'application/x-ndjson', chunks: lines(pages), outlivesServer: false };
  },
};

async function* lines(pages: AsyncIterable<readonly StoredEntry[]> | Iterable<readonly StoredEntry[]>): AsyncGenerator<string, void, void> {
  for await (const page of pages) {
    if (page.length > 0) yield `${page.map((entry) => JSON.stringify(eventDocument(entry))).join('\n')}\n`;
  }
}
