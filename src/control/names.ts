import type { VassalId } from '../core/listing.ts';
import type { EmperorState, Vassal } from '../core/state.ts';
import { EmperorError } from '../errors.ts';
import type { ControlPorts } from './command.ts';

/** The vassals by the name that people give. Where several files have one name, the one that owns it; see E_NAME_CLASH. */
export function vassalsByName(state: EmperorState): ReadonlyMap<string, Vassal> {
  const named = new Map<string, Vassal>();
  for (const vassal of state.vassals.values()) {
    const known = named.get(vassal.name);
    if (known === undefined || (lostTheName(known) && !lostTheName(vassal))) named.set(vassal.name, vassal);
  }
  return named;
}

/**
 * The vassal that a name means.
 * @throws E_NO_VASSAL
 */
export function vassalNamed(state: EmperorState, name: string): Vassal {
  const vassal = vassalsByName(state).get(name);
  if (vassal === undefined) throw noSuchVassal(name);
  return vassal;
}

/**
 * The file that a name means, or meant: what is kept of a forgotten vassal can still be read.
 * @throws E_NO_VASSAL, E_STORE
 */
export function fileNamed(name: string, { emperor, history }: Pick<ControlPorts, 'emperor' | 'history'>): VassalId {
  const file = vassalsByName(emperor.snapshot()).get(name)?.id ?? history({ name, limit: 1, after: null })[0]?.vassal ?? null;
  if (file === null) throw noSuchVassal(name);
  return file;
}

/** The answer to a name that means nothing. */
export function noSuchVassal(name: string): EmperorError {
  return new EmperorError('E_NO_VASSAL', `there is no vassal ${JSON.stringify(name)}`);
}

function lostTheName(vassal: Vassal): boolean {
  return vassal.failure?.code === 'E_NAME_CLASH';
}
