import { connect } from 'node:net';
import type { Clock } from '../world/clock.ts';
import { bad, good, trouble, within } from './answer.ts';
import type { Answer } from './prober.ts';
import type { Way } from './way.ts';

/** One question by connecting. */
export interface TcpQuestion {
  readonly way: Way;
  /** Connections that wait to be accepted, where the emperor itself holds the socket: there connecting proves nothing. null: connecting is the proof. */
  readonly pending: (() => number) | null;
  readonly clock: Clock;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** For the message. */
  readonly timeoutMs: number;
}

const LOOK_EVERY_MS = 10;

/**
 * Asks once: connects, and says nothing. Connections are accepted in the order of their coming. So ours was taken when nothing waits any more, or
 * when as many were taken as waited when it came; or when the other side says something, or ends it.
 */
export function askTcp(question: TcpQuestion): Promise<Answer> {
  const { pending, clock, signal } = question;
  return new Promise((resolve) => {
    let cancel = (): void => {};
    let connected = false;
    const socket = connect(question.way.connect);
    const finish = (answer: Answer): void => {
      cancel();
      signal.removeEventListener('abort', late);
      socket.destroy();
      resolve(answer);
    };
    const accepted = (): void => finish(good('accepted a connection'));
    const late = (): void => finish(bad(connected ? `it did not accept a connection ${within(question.timeoutMs)}` : `no answer ${within(question.timeoutMs)}`));
    signal.addEventListener('abort', late);

    /** @param before how many waited at the last look @param ahead how many, ours included, have to be taken yet */
    const look = (count: () => number, before: number, ahead: number): void => {
      const now = count();
      const left = ahead - Math.max(0, before - now);
      if (now === 0 || left <= 0) accepted();
      else cancel = clock.after(LOOK_EVERY_MS, () => look(count, now, left));
    };
    socket.on('error', (error) => finish(bad(trouble(error))));
    socket.once('data', accepted);
    socket.once('end', accepted);
    socket.once('connect', () => {
      connected = true;
      if (pending === null) accepted();
      else {
        const waiting = pending();
        look(pending, waiting, waiting);
      }
    });
  });
}
