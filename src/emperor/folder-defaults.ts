import type { SeenFile } from '../core/listing.ts';
import type { Fault } from '../core/fault.ts';

/** The file of defaults that counts for a file, or why none can. Undefined: there is none. */
export type FolderDefaults = { readonly file: SeenFile; readonly fault: Fault | null } | undefined;

/** Name of a file of defaults, without its extension. */
const NAME = '_defaults';

/** Takes the files of defaults out of a listing. @returns the vassal files, and the defaults of each folder by its path */
export function splitDefaults(files: readonly SeenFile[]): { readonly vassals: readonly SeenFile[]; readonly defaults: ReadonlyMap<string, SeenFile> } {
  const defaults = new Map<string, SeenFile>();
  const vassals: SeenFile[] = [];
  for (const file of files) {
    const folder = folderOf(file);
    if (file.name !== NAME) vassals.push(file);
    // Of several the first counts, in the order of their names.
    else if (!defaults.has(folder)) defaults.set(folder, file);
  }
  return { vassals: defaults.size === 0 ? files : vassals, defaults };
}

/** Folder of a file. */
export function folderOf({ id }: Pick<SeenFile, 'id'>): string {
  return id.slice(0, id.lastIndexOf('/'));
}

/** Why a file of defaults cannot be used: what was found when it was read, or that its owner could lift what root has set. @param trusted whose defaults count where files have owners */
export function troubleWith({ id, content, owner }: SeenFile, trusted: ReadonlySet<number>): Fault | null {
  if (!content.ok) return content.fault;
  if (owner === undefined || trusted.has(owner.uid)) return null;
  return { code: 'E_TYRANT', message: `the defaults belong to uid ${owner.uid}, who is not trusted with those of others`, file: id, line: null, key: null, hint: `chown root ${id}` };
}
