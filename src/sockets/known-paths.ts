import { basename } from 'node:path';
import type { Held } from './held.ts';
import { isSamePath } from './unix-file.ts';

/** Whose the paths of unix sockets are that we hold. Paths are looked for by their last part: folders may be known by several names. */
export class KnownPaths {
  readonly #vassals: Map<string, Map<Held, string>> = new Map();

  add(held: Held, vassal: string): void {
    if (held.address.kind !== 'unix') return;
    const name = basename(held.address.path);
    const namesakes = this.#vassals.get(name) ?? new Map<Held, string>();
    this.#vassals.set(name, namesakes.set(held, vassal));
  }

  remove(held: Held): void {
    if (held.address.kind !== 'unix') return;
    const name = basename(held.address.path);
    const namesakes = this.#vassals.get(name);
    namesakes?.delete(held);
    if (namesakes?.size === 0) this.#vassals.delete(name);
  }

  /** The name of the vassal that has it; null: none. */
  vassalAt(path: string): string | null {
    for (const [{ address }, vassal] of this.#vassals.get(basename(path)) ?? []) {
      if (address.kind === 'unix' && isSamePath(address.path, path)) return vassal;
    }
    return null;
  }
}
