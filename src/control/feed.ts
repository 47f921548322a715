import type { HistoryQuery, StoredEntry } from '../store/store.ts';
import type { ControlPorts } from './command.ts';

/** Entries read from the store at once. */
const PAGE = 500;

/**
 * The history page by page, first what is stored already, then what comes, until `gone`. A change is only news that there
 * is something to read: every entry comes out of the store, once, in order, when the reader is ready for it. So there is no
 * gap between backlog and feed, and nothing waits in memory for a slow reader.
 * @param query what the backlog is
 */
export async function* feed(query: HistoryQuery, ports: ControlPorts, gone: AbortSignal): AsyncGenerator<readonly StoredEntry[], void, void> {
  const news = bell();
  const unsubscribe = ports.emperor.subscribe(({ history }) => {
    if (query.name === null ? history.length > 0 : history.some(({ name }) => name === query.name)) news.ring();
  });
  gone.addEventListener('abort', news.ring);
  try {
    let last = ports.history({ name: null, limit: 1, after: null }).at(-1)?.sequence ?? 0;
    if (query.limit > 0) yield ports.history(query);
    while (!gone.aborted) {
      const page = ports.history({ name: query.name, limit: PAGE, after: last });
      last = page.at(-1)?.sequence ?? last;
      if (page.length > 0) yield page;
      else await news.rung();
    }
  } finally {
    unsubscribe();
    gone.removeEventListener('abort', news.ring);
  }
}

/** Rung any number of times, heard once. */
function bell(): { readonly ring: () => void; readonly rung: () => Promise<void> } {
  let pending = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      pending = true;
      wake?.();
    },
    rung: async () => {
      if (!pending) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      pending = false;
      wake = null;
    },
  };
}
