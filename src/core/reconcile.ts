import type { Event } from './event.ts';
import type { Declaration, Outcome, VassalId } from './listing.ts';
import type { EmperorState, Remembered, Source, Vassal } from './state.ts';
import { appeared, declared, orphaned, vanished } from './transition/declared.ts';
import type { Turn } from './turn.ts';

/** What a listing makes of the vassals. Only those that changed are in `vassals`; null: forgotten. */
export interface Reconciled {
  readonly sources: readonly Source[];
  readonly names: EmperorState['names'];
  readonly vassals: ReadonlyMap<VassalId, Vassal | null>;
  readonly remembered: ReadonlyMap<VassalId, Remembered>;
}

/**
 * Compares what a source shows with what it showed before, by the whole listing each time: a lost hint costs a delay and
 * never a wrong state. Mark and sweep, as in runit's runsvdir. The same listing twice changes nothing, and of thousands of
 * files only those are looked into that differ, with those that share their names.
 */
export function reconcile(state: EmperorState, event: Event & { type: 'listed' | 'showing' }, turn: Turn): Reconciled {
  const before = state.sources.find((source) => source.name === event.source)?.listing ?? new Map<VassalId, Declaration>();
  const isWhole = event.type === 'listed';
  const listing = new Map<VassalId, Declaration>(isWhole ? [] : before);
  const differ: Declaration[] = [];
  for (const declaration of event.declarations) {
    listing.set(declaration.id, declaration);
    if (before.get(declaration.id) !== declaration) differ.push(declaration);
  }
  for (const [id, declaration] of before) if (!listing.has(id)) differ.push(declaration);
  const sources = state.sources.map((source) => (source.name === event.source ? { ...source, listing, isWhole: source.isWhole || isWhole, blind: null } : source));

  const names = state.names.with(namesOf(differ, sources, state));
  const vassals = new Map<VassalId, Vassal | null>();
  const remembered = new Map(state.remembered);
  // First what goes: a renamed file's old instance is told to end before the new one wants its port.
  for (const { id } of differ) {
    const vassal = state.vassals.get(id);
    if (vassal === undefined || shownBy(id, sources) !== null) continue;
    const after = vanished(vassal, turn);
    if (after !== vassal) vassals.set(id, after);
  }
  for (const { declaration, source } of concerned(differ, sources, names)) {
    const { id } = declaration;
    const vassal = state.vassals.get(id);
    const judged = withClash(declaration, names, state);
    const after = vassal === undefined ? appeared(judged, source, remembered.get(id), state.past.get(id) ?? 0, turn) : declared(vassal, judged, source, turn);
    remembered.delete(id);
    if (after !== vassal) vassals.set(id, after ?? null);
  }
  for (const [id, each] of isWhole ? remembered : []) {
    if (each.source !== event.source && awaited(each, sources)) continue;
    remembered.delete(id);
    vassals.set(id, orphaned(each, turn));
  }
  return { sources, names, vassals, remembered };
}

/** Some source may show it yet: its own or, if that is not looked at any more, any. A stray has no file to be shown. */
function awaited({ source, newest }: Remembered, sources: readonly Source[]): boolean {
  return sources.some((each) => each.name === source) || (newest !== null && sources.some((each) => !each.isWhole));
}

interface Shown {
  readonly declaration: Declaration;
  readonly source: string;
}

/** What the sources say of a file; where several show it, the first counts. */
function shownBy(id: VassalId, sources: readonly Source[]): Shown | null {
  for (const source of sources) {
    const declaration = source.listing?.get(id);
    if (declaration !== undefined) return { declaration, source: source.name };
  }
  return null;
}

/** The files that differ and are shown, and those that share a name with one that differs: who owns it may change. */
function concerned(differ: readonly Declaration[], sources: readonly Source[], names: EmperorState['names']): Iterable<Shown> {
  const found = new Map<VassalId, Shown>();
  for (const { name } of differ) {
    for (const id of names.get(name) ?? []) {
      const shown = found.has(id) ? null : shownBy(id, sources);
      if (shown !== null) found.set(id, shown);
    }
  }
  return found.values();
}

/** The index of names, as far as it changes: the files of a name in the order of the sources, then of their paths. */
function namesOf(differ: readonly Declaration[], sources: readonly Source[], state: EmperorState): ReadonlyMap<string, readonly VassalId[] | null> {
  const changes = new Map<string, readonly VassalId[] | null>();
  for (const { id, name } of differ) {
    const others = (changes.get(name) ?? state.names.get(name) ?? []).filter((each) => each !== id);
    const shown = shownBy(id, sources);
    const ids = shown === null ? others : [...others, id].sort((a, b) => rank(a, sources) - rank(b, sources) || (a < b ? -1 : 1));
    changes.set(name, ids.length === 0 ? null : ids);
  }
  return changes;
}

function rank(id: VassalId, sources: readonly Source[]): number {
  return sources.findIndex((source) => source.listing?.has(id) ?? false);
}

/** Of two files with one name, all but the owner of the name are at fault: who had it keeps it, else the first. */
function withClash(declaration: Declaration, names: EmperorState['names'], state: EmperorState): Declaration {
  const ids = names.get(declaration.name) ?? [];
  if (ids.length < 2) return declaration;
  const owner = ids.find((id) => ownedIt(state, id)) ?? ids[0];
  return owner === undefined || owner === declaration.id ? declaration : { ...declaration, outcome: clash(declaration, owner) };
}

/** True if the file was the one that its name stood for, before this listing. */
function ownedIt(state: EmperorState, id: VassalId): boolean {
  const vassal = state.vassals.get(id);
  if (vassal === undefined) return (state.remembered.get(id)?.living.length ?? 0) > 0;
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
