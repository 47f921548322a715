import type { Socket } from 'node:net';

/** Names whoever is at the other end of a connection, by what the kernel says of it, e.g. `alice[4242]`; null: it does not say. */
export type NameOfPeer = (fd: number) => string | null;

/** Longest claim that is kept. */
const MAX_CLAIM = 64;

/**
 * Who asks, for the history: what the kernel says, and then, marked as such and in quotes that it cannot leave, what the asker says of
 * itself: `root[4242] claiming "alice (sudo)"`. The claim proves nothing.
 * @param claim as it came, percent-encoded; undefined: there is none
 */
export function actorOf(peer: string | null, claim: unknown): string {
  const known = peer ?? 'unknown';
  if (typeof claim !== 'string' || claim === '') return known;
  const said = decoded(claim).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '').slice(0, MAX_CLAIM);
  return `${known} claiming ${JSON.stringify(said)}`;
}

/**
 * The descriptor of a connection; null: it has none any more. Node has no public door to it: `_handle.fd` of net.Socket has been there
 * since its first versions, and without it the actor is `unknown`, never somebody else.
 */
export function descriptorOf(connection: Socket): number | null {
  if (!('_handle' in connection)) return null;
  const handle = connection._handle;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return null;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}

function decoded(claim: string): string {
  try {
    return decodeURIComponent(claim);
  } catch (thrown) {
    if (thrown instanceof URIError) return claim;
    throw thrown;
  }
}
