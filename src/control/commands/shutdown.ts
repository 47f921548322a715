import type { ControlCommand } from '../command.ts';
import type { ShutdownReply } from '../protocol.ts';
import { flag, queryOf } from '../request.ts';

/**
 * `POST /v1/shutdown?keep=1&wait=1`: ends the emperor; with `keep` its instances stay for the next one. It answers with one
 * line at once. With `wait` the connection then stays open for as long as the emperor's process lives: its end is the news.
 */
export const shutdown: ControlCommand = {
  method: 'POST',
  path: '/shutdown',
  run({ query, actor, gone }, { emperor, identity }) {
    const { keep, wait } = queryOf(query, ['keep', 'wait']);
    const waits = flag(wait, 'wait');
    emperor.post({ type: 'shutdown', keep: flag(keep, 'keep'), actor: actor() });
    const chunks = farewell({ pid: identity.pid }, waits ? gone : null);
    return { kind: 'stream', contentType: 'application/x-ndjson', chunks, outlivesServer: waits };
  },
};

async function* farewell(reply: ShutdownReply, gone: AbortSignal | null): AsyncGenerator<string, void, void> {
  yield `${JSON.stringify(reply)}\n`;
  if (gone === null || gone.aborted) return;
  await new Promise((resolve) => {
    gone.addEventListener('abort', resolve, { once: true });
  });
}
