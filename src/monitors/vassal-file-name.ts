/**
 * What a vassal file may be called. Whatever editors and package managers leave beside one (`shop.toml~`, `shop.toml.swp`,
 * `shop.toml.disabled`, `shop.toml.dpkg-old` …) ends in something else, and hidden files are none.
 */
const VASSAL_FILE = /^[^.][^]*\.(?:ini|toml|yaml|yml|json|xml)$/;

/** What all vassal files of a folder have in common; other names with `_` in front are for people and for templates. */
const DEFAULTS_FILE = /^_defaults\.(?:ini|toml|yaml|yml|json|xml)$/;

/** True for the name of a vassal file, or of the defaults of a folder. A folder may have such a name, too, and is none. @param extensions further ends, with their dots */
export function isVassalFileName(fileName: string, extensions: readonly string[] = []): boolean {
  if (fileName.startsWith('_')) return DEFAULTS_FILE.test(fileName);
  return VASSAL_FILE.test(fileName) || (!fileName.startsWith('.') && extensions.some((end) => fileName.endsWith(end) && fileName !== end));
}

/** The vassal's name: the file name without its extension. */
export function vassalNameOf(fileName: string): string {
  return fileName.slice(0, fileName.lastIndexOf('.'));
}
