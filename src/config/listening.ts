import { printAddress, type Listen } from '../core/address.ts';
import type { Passing } from '../core/spec.ts';
import type { Preset } from '../presets/preset.ts';
import { isUnread, tellConflict, type Asked } from './asked.ts';

/** The sockets of a vassal. */
export interface Listening {
  readonly listen: readonly Listen[];
  readonly passing: Passing;
  /** `held`: the emperor opens and passes them; `own`: the instances open theirs; `unknown`: what the file says of them is at fault. */
  readonly sockets: 'none' | 'held' | 'own' | 'unknown';
}

/** What a file asks of sockets, and whether its server can take them. */
export function listeningOf(asked: Asked, preset: Preset | null): Listening {
  const { listen = [], pass } = asked.given;
  const passing = pass ?? preset?.passing ?? 'listen-fds';
  if (isUnread(asked, 'listen') || isUnread(asked, 'pass')) return { listen, passing, sockets: 'unknown' };
  if (listen.length === 0) {
    // Why it has none was told.
    if (asked.given['adopt-sockets'] === true) return { listen, passing, sockets: 'unknown' };
    if (pass !== undefined) tellConflict(asked, 'pass', '"pass" is of no use without "listen"', 'say in "listen" what is to be passed, or remove it');
    return { listen, passing, sockets: 'none' };
  }
  if (preset !== null && preset.passing === null) {
    tellConflict(asked, 'listen', `server "${preset.name}" cannot take sockets from the emperor`, 'give it the address in its own configuration');
    return { listen, passing, sockets: 'unknown' };
  }
  if (passing !== 'port') return { listen, passing, sockets: 'held' };
  const [first, another] = listen;
  if (first?.address.kind === 'unix') tellConflict(asked, 'listen', `"${printAddress(first.address)}" has no port to be told by pass = "port"`, 'write one address like "127.0.0.1:8000"');
  else if (another !== undefined) tellConflict(asked, 'listen', 'pass = "port" tells of one address only', `keep "${first === undefined ? '' : printAddress(first.address)}"`);
  return { listen, passing, sockets: 'own' };
}
