import type { Canary, Reload } from '../core/spec.ts';
import type { Preset } from '../presets/preset.ts';
import { isUnread, lineOf, tellConflict, type Asked } from './asked.ts';
import type { Listening } from './listening.ts';

const DEFAULT_CANARY: Canary = { share: 0.05, forMs: 60_000 };

/** How a new revision takes over, as far as the keys say. */
export interface Replacing {
  readonly reload: Reload;
  readonly roll: boolean;
  readonly canary: Canary | null;
}

/** How a new revision takes over: by an overlap where sockets are passed, else as the preset knows, else by a restart. */
export function replacingOf(asked: Asked, preset: Preset | null, listening: Listening): Replacing {
  const { roll, canary } = asked.given;
  const reload = reloadOf(asked, preset, listening);
  if (roll === true) needOverlap(asked, 'roll', reload, listening);
  if (canary !== undefined && needTcp(asked, listening)) needOverlap(asked, 'canary', reload, listening);
  return {
    reload,
    roll: roll ?? false,
    canary: canary === undefined ? null : { share: canary.share ?? DEFAULT_CANARY.share, forMs: canary.for ?? DEFAULT_CANARY.forMs },
  };
}

function reloadOf(asked: Asked, preset: Preset | null, { sockets }: Listening): Reload {
  const { given } = asked;
  const standard: Reload = sockets === 'held' || sockets === 'unknown' ? { kind: 'overlap' } : (preset?.reload ?? { kind: 'restart' });
  // Who names a signal means it, also where there would be another way.
  const kind = given.reload ?? (standard.kind === 'channel' && given['reload-signal'] !== undefined ? 'signal' : standard.kind);
  if (kind === 'signal') return { kind, signal: given['reload-signal'] ?? (preset?.reload.kind === 'signal' ? preset.reload.signal : 'SIGHUP') };
  // A `reload` that could not be read may have been "signal".
  if (lineOf(asked, 'reload-signal') !== null && !isUnsure(asked, sockets)) {
    tellConflict(asked, 'reload-signal', `"reload-signal" is of no use with reload = "${kind}"`, 'write reload = "signal"');
  }
  if (kind === 'overlap' && sockets === 'own') {
    tellConflict(asked, 'reload', 'with pass = "port" the next instance cannot open the address while the old one has it', 'write reload = "restart"');
  }
  return { kind };
}

function needOverlap(asked: Asked, key: 'roll' | 'canary', reload: Reload, { sockets }: Listening): void {
  if (reload.kind === 'overlap' || isUnsure(asked, sockets)) return;
  tellConflict(asked, key, `"${key}" is of no use with reload = "${reload.kind}"`, 'it needs reload = "overlap"');
}

function needTcp(asked: Asked, { listen, sockets }: Listening): boolean {
  if (sockets === 'unknown' || (sockets === 'held' && listen.some(({ address }) => address.kind === 'tcp'))) return true;
  tellConflict(asked, 'canary', '"canary" needs a TCP address in "listen"', sockets === 'own' ? 'and not pass = "port"' : 'connections elsewhere cannot be divided');
  return false;
}

/** The kind of reload hangs on something that is at fault itself. */
function isUnsure(asked: Asked, sockets: Listening['sockets']): boolean {
  return isUnread(asked, 'reload') || (asked.given.reload === undefined && sockets === 'unknown');
}
