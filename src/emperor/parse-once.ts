import type { Outcome, VassalId } from '../core/listing.ts';

/** Reads a text; pure. */
export type Parse = (file: { readonly id: VassalId; readonly text: string }) => Outcome;

/**
 * Reads each text of a file once: at a start most files say what they said before, to what runs, to what was good and to the folder.
 * After `forget` nothing is kept any more.
 */
export function parseOnce(parse: Parse): { readonly parse: Parse; forget(): void } {
  const known = new Map<VassalId, { readonly text: string; readonly outcome: Outcome }>();
  let over = false;
  return {
    parse(file) {
      const { id, text } = file;
      const last = known.get(id);
      if (last?.text === text) return last.outcome;
      const outcome = parse(file);
      if (!over) known.set(id, { text, outcome });
      return outcome;
    },
    forget() {
      over = true;
      known.clear();
    },
  };
}
