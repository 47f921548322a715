import type { Event } from './event.ts';
import type { Declaration, Outcome, VassalId } from './listing.ts';
import type { EmperorState, Remembered, Source, Vassal } from './state.ts';
import { appeared, declared, orphaned, vanished } from './transition/declared.ts';
import type { Turn } from './turn.ts';

/** What a listing makes of the vassals. Only those that changed are in `vassals`; null: forgotten. */
export interface Reconciled {
  readonly sources: readonly Source[];
  readonly vassals: ReadonlyMap<VassalId, Vassal | null>;
  readonly remembered: ReadonlyMap<VassalId, Remembered>;
}

/**
 * Compares what a source shows with what is, by the whole listing each time: a lost hint costs a delay and never a wrong
 * state. Mark and sweep, as in runit's runsvdir. The same listing twice changes nothing.
 */
export function reconcile(state: EmperorState, event: Event & { type: 'listed' }, turn: Turn): Reconciled {
  const listing = new Map<VassalId, Declaration>();
  for (const declaration of event.declarations) listing.set(declaration.id, declaration);
  const sources = state.sources.map((each) => (each.name === event.source ? { ...each, listing, blind: null } : each));
  const shown = merge(sources, state);

  const vassals = new Map<VassalId, Vassal | null>();
  const remembered = new Map(state.remembered);
  for (const [id, { declaration, source }] of shown) {
    const before = state.vassals.get(id);
    if (before === undefined) {
      vassals.set(id, appeared(declaration, source, remembered.get(id), state.past.get(id) ?? 0, turn));
      remembered.delete(id);
    } else {
      const after = declared(before, declaration, source, turn);
      if (after !== before) vassals.set(id, after);
    }
  }
  const seen = (source: string): boolean => source === event.source || !sources.some((each) => each.name === source);
  for (const [id, before] of state.vassals) {
    if (shown.has(id) || !seen(before.source)) continue;
    const after = vanished(before, turn);
    if (after !== before) vassals.set(id, after);
  }
  for (const [id, each] of remembered) {
    if (!seen(each.source)) continue;
    remembered.delete(id);
    vassals.set(id, orphaned(each, turn));
  }
  return { sources, vassals, remembered };
}

interface Shown {
  readonly declaration: Declaration;
  readonly source: string;
}

/** All files of all sources; of two with one name, all but the owner of the name are at fault. */
function merge(sources: readonly Source[], state: EmperorState): ReadonlyMap<VassalId, Shown> {
  const shown = new Map<VassalId, Shown>();
  for (const source of sources) {
    for (const declaration of source.listing?.values() ?? []) {
      if (!shown.has(declaration.id)) shown.set(declaration.id, { declaration, source: source.name });
    }
  }
  const owners = new Map<string, VassalId>();
  for (const [id, { declaration }] of shown) {
    const owns = ownedIt(state, id);
    if (owns || !owners.has(declaration.name)) {
      const owner = owners.get(declaration.name);
      if (owner === undefined || !ownedIt(state, owner)) owners.set(declaration.name, id);
    }
  }
  for (const [id, { declaration, source }] of shown) {
    const owner = owners.get(declaration.name);
    if (owner !== undefined && owner !== id) shown.set(id, { declaration: { ...declaration, outcome: clash(declaration, owner) }, source });
  }
  return shown;
}

/** True if the file was the one that its name stood for, before this listing. */
function ownedIt(state: EmperorState, id: VassalId): boolean {
  const vassal = state.vassals.get(id);
  if (vassal === undefined) return (state.remembered.get(id)?.living ?? null) !== null;
  const outcome = vassal.newest?.outcome;
  return outcome !== undefined && (outcome.ok || outcome.faults.every((fault) => fault.code !== 'E_NAME_CLASH'));
}

function clash(declaration: Declaration, owner: VassalId): Outcome {
  return {
    ok: false,
    faults: [{
      code: 'E_NAME_CLASH',
      message: `the name "${declaration.name}" belongs to ${owner} already`,
      file: declaration.id,
      line: null,
      key: null,
      hint: 'rename one of the two files',
    }],
  };
}
