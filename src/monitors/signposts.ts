import type { Signpost } from './road.ts';

/** Who has to look again when a name in a folder changes. Travellers are paths, or whatever names what depends on a road. */
export interface Signposts {
  /** Replaces the signposts of a traveller. True if they differ from before. */
  set(traveller: string, signposts: readonly Signpost[]): boolean;
  /** The travellers that pass a name in a folder; `name` null: all that pass the folder. */
  at(folder: string, name: string | null): Iterable<string>;
  /** All folders with a signpost in them. */
  folders(): Iterable<string>;
}

/** An index with no signposts yet. */
export function createSignposts(): Signposts {
  const roads = new Map<string, readonly Signpost[]>();
  const folders = new Map<string, Map<string, Set<string>>>();

  function drop(traveller: string, { folder, name }: Signpost): void {
    const names = folders.get(folder);
    const travellers = names?.get(name);
    travellers?.delete(traveller);
    if (travellers?.size === 0) names?.delete(name);
    if (names?.size === 0) folders.delete(folder);
  }

  function add(traveller: string, { folder, name }: Signpost): void {
    const names = folders.get(folder) ?? new Map<string, Set<string>>();
    const travellers = names.get(name) ?? new Set<string>();
    folders.set(folder, names.set(name, travellers.add(traveller)));
  }

  return {
    set(traveller, signposts) {
      const before = roads.get(traveller) ?? [];
      const same = before.length === signposts.length && before.every((each, at) => each.folder === signposts[at]?.folder && each.name === signposts[at].name);
      if (same) return false;
      for (const each of before) drop(traveller, each);
      for (const each of signposts) add(traveller, each);
      if (signposts.length === 0) roads.delete(traveller);
      else roads.set(traveller, signposts);
      return true;
    },
    at(folder, name) {
      const names = folders.get(folder);
      if (names === undefined) return [];
      if (name !== null) return [...(names.get(name) ?? [])];
      return new Set([...names.values()].flatMap((travellers) => [...travellers]));
    },
    folders: () => folders.keys(),
  };
}
