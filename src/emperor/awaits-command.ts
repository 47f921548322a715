import { basename } from 'node:path';
import type { SeenFile } from '../core/listing.ts';

/** Whether a vassal is started by an order only, whatever becomes of its file. */
export type AwaitsCommand = (file: Pick<SeenFile, 'id' | 'name'>) => boolean;

/** @param rule null: none is @param rule.ignore names of vassals, of their files, or the paths of those, that start by themselves all the same */
export function awaitsCommandBy(rule: { readonly ignore: readonly string[] } | null): AwaitsCommand {
  const ignored = new Set(rule?.ignore);
  return ({ id, name }) => rule !== null && ![name, basename(id), id].some((each) => ignored.has(each));
}
