import type { EventDocument } from '../../control/protocol.ts';
import { printable } from '../../world/printable.ts';

/** One event as a line: `2026-01-31 12:00:00.000  shop  ready → backoff  exited: why (by root)`. Local times are for people, so UTC is said. Pure. */
export function eventLine({ at, name, event, from, to, why, actor, instance }: EventDocument): string {
  const time = at.replace('T', ' ');
  const who = name === null ? 'emperor' : printable(instance ?? name);
  const move = to === null || from === to ? '' : ` ${from ?? '-'} → ${to}`;
  const asked = actor === null ? '' : ` (by ${printable(actor)})`;
  return `${time}  ${who}  ${event}${move}: ${printable(why)}${asked}`;
}
