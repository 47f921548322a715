import type { EmperorState, Phase } from '../core/state.ts';
import { printable } from '../world/printable.ts';

/** Phases in which something is wrong, or about to be. */
const NAMED: ReadonlySet<Phase> = new Set(['backoff', 'invalid', 'exited']);
/** Vassals that are named; more are only counted. */
const MOST_NAMED = 3;
/** Characters of the line. */
const LONGEST = 250;

/** One line for `systemctl status`: how many vassals do what, and which are in trouble. Names hold anything: what could end the line is escaped. */
export function statusLine({ life, vassals, instances, sources }: EmperorState): string {
  const counts = new Map<Phase, number>();
  const troubled: string[] = [];
  for (const { name, state: { phase } } of vassals.values()) {
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
    if (NAMED.has(phase) && troubled.length <= MOST_NAMED) troubled.push(name);
  }
  const lives = `${instances.size} ${instances.size === 1 ? 'instance' : 'instances'}`;
  if (life === 'stopping') return `ends: ${lives} left`;
  const parts = [...counts].sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1)).map(([phase, count]) => `${count} ${phase}`);
  const names = troubled.length === 0 ? '' : ` (${troubled.slice(0, MOST_NAMED).join(', ')}${troubled.length > MOST_NAMED ? ' …' : ''})`;
  const blind = sources.filter((source) => source.blind !== null).map(({ name }) => name);
  return printable(`${vassals.size} ${vassals.size === 1 ? 'vassal' : 'vassals'}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}${names}; ${lives}${blind.length === 0 ? '' : `; blind: ${blind.join(', ')}`}`).slice(0, LONGEST);
}
