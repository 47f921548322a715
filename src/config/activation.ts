import { isUnread, tellConflict, type Asked } from './asked.ts';
import type { Listening } from './listening.ts';
import { extensionOf, fileNameOf } from './path.ts';

/** When a vassal runs. */
export interface Activation {
  readonly onDemand: boolean;
  /** null: it is not stopped for lack of connections. */
  readonly idleTimeoutMs: number | null;
  /** Names of vassals, each once. */
  readonly after: readonly string[];
}

/** What a file says of when its instances start and stop. @param file its absolute path */
export function activationOf(asked: Asked, listening: Listening, file: string): Activation {
  const onDemand = asked.given['on-demand'] ?? false;
  const idleTimeoutMs = asked.given['idle-timeout'] ?? null;
  const after = asked.given.after ?? [];
  if (onDemand && listening.sockets === 'none') tellConflict(asked, 'on-demand', '"on-demand" needs "listen"', 'say where a connection may come');
  if (onDemand && listening.sockets === 'own') tellConflict(asked, 'on-demand', '"on-demand" needs sockets that the emperor holds, not pass = "port"', 'remove one of the two');
  if (idleTimeoutMs !== null && !onDemand && !isUnread(asked, 'on-demand')) {
    tellConflict(asked, 'idle-timeout', '"idle-timeout" needs "on-demand"', 'write on-demand = true: nothing else would start it again');
  }
  const own = fileNameOf(file).slice(0, -extensionOf(file).length);
  if (after.includes(own)) tellConflict(asked, 'after', `"after" names the vassal "${own}" itself`, 'remove it');
  return { onDemand, idleTimeoutMs, after: [...new Set(after)] };
}
