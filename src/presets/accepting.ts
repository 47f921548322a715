import type { Readiness } from '../core/spec.ts';

/**
 * Ready once it takes a connection from the socket that it was passed. Right for servers that load the app before they accept, and
 * it asks the app nothing: one that answers 404 or 500 to everything passes, so `ready = { http = … }` is the stricter choice.
 */
export const ACCEPTING: Readiness = {
  kind: 'probe',
  probe: { kind: 'tcp', target: { kind: 'listen' } },
  intervalMs: 100,
  timeoutMs: 5000,
};
