import type { Basis } from '../core/basis.ts';
import type { Outcome, VassalId } from '../core/listing.ts';

/** Reads a text; pure. */
export type Parse = (file: { readonly id: VassalId; readonly text: string; readonly basis?: Basis }) => Outcome;

/**
 * Reads each text of a file once: at a start most files say what they said before, to what runs, to what was good and to the folder.
 * After `forget` nothing is kept any more.
 */
export function parseOnce(parse: Parse): { readonly parse: Parse; forget(): void } {
  const known = new Map<VassalId, { readonly text: string; readonly basis: string; readonly outcome: Outcome }>();
  let over = false;
  return {
    parse(file) {
      const { id, text } = file;
      const basis = JSON.stringify(file.basis ?? null);
      const last = known.get(id);
      if (last?.text === text && last.basis === basis) return last.outcome;
      const outcome = parse(file);
      if (!over) known.set(id, { text, basis, outcome });
      return outcome;
    },
    forget() {
      over = true;
      known.clear();
    },
  };
}
