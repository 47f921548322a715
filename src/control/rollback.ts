import { printFault } from '../core/fault.ts';
import { chosen } from '../core/lifecycle.ts';
import type { Runnable, Vassal } from '../core/state.ts';
import { changedHands } from '../core/tyrant.ts';
import type { StoredRevision } from '../store/store.ts';
import type { ControlPorts } from './command.ts';
import { servingRevision } from './snapshot.ts';

/** Where an order to go back leads to, or why it leads nowhere. */
export type Target = { readonly ok: true; readonly to: Runnable } | { readonly ok: false; readonly message: string };

/**
 * Finds the revision to go back to, and reads its text again. Nothing is written: the vassal file says what it said.
 * @param number null: the highest one that can be run and is older than what runs
 * @throws E_STORE
 */
export function rollbackTarget(vassal: Vassal, number: number | null, { revisions, parse }: Pick<ControlPorts, 'revisions' | 'parse'>): Target {
  const known = revisions(vassal.id);
  const runs = servingRevision(vassal) ?? chosen(vassal)?.number ?? vassal.newest?.number ?? 0;
  const found = number === null ? known.findLast((each) => each.runnable && each.number < runs) : known.find((each) => each.number === number);
  if (found === undefined) return { ok: false, message: number === null ? `there is no revision before ${runs} that could be run` : unknownRevision(number, known) };
  if (changedHands(found.basis?.owner, vassal.newest?.basis?.owner)) return { ok: false, message: `revision ${found.number} was written by another owner of the file (uid ${found.basis?.owner?.uid})` };
  const outcome = parse(vassal.id, found.text, found.basis);
  if (outcome.ok) return { ok: true, to: { number: found.number, spec: outcome.spec } };
  return { ok: false, message: `revision ${found.number} cannot be run: ${outcome.faults.map(printFault).join('\n')}` };
}

/** That a number means no revision, and which there are. */
export function unknownRevision(number: number, known: readonly StoredRevision[]): string {
  const [first, last] = [known[0], known.at(-1)];
  return `there is no revision ${number}${first === undefined || last === undefined ? '' : `; there are ${first.number} to ${last.number}`}`;
}
