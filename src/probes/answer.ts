import type { Answer } from './prober.ts';
import { errnoOf, reasonOf } from '../errors.ts';
import { printable } from '../world/printable.ts';

/** Longest answer, in characters: it comes from strangers. */
const LONGEST = 200;

/** The instance is as it should be. */
export function good(text: string): Answer {
  return { good: true, text: words(text) };
}

/** It is not. */
export function bad(text: string): Answer {
  return { good: false, text: words(text) };
}

/** `within 5 s`, `within 250 ms` */
export function within(timeoutMs: number): string {
  return timeoutMs >= 1_000 ? `within ${timeoutMs / 1_000} s` : `within ${timeoutMs} ms`;
}

const TROUBLES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  // A unix socket; TCP would let it wait.
  EAGAIN: 'too many connections wait to be accepted',
  ENOENT: 'there is no such socket',
  EACCES: 'connecting is not permitted',
  ETIMEDOUT: 'connection timed out',
  HPE_HEADER_OVERFLOW: 'the head of its answer is too large',
};

/** What went wrong with a connection, for people. */
export function trouble(error: unknown): string {
  const code = errnoOf(error);
  if (reasonOf(error) === 'socket hang up') return 'it closed the connection without an answer';
  return TROUBLES[code] ?? (code.startsWith('HPE_') ? 'not HTTP' : reasonOf(error));
}

function words(text: string): string {
  const clean = printable(text);
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean;
}
