/**
 * What a vassal file may be called. Whatever editors and package managers leave beside one (`shop.toml~`, `shop.toml.swp`,
 * `shop.toml.disabled`, `shop.toml.dpkg-old` …) ends in something else, and hidden files are none.
 */
const VASSAL_FILE = /^[^.][^]*\.(?:ini|toml|yaml|yml|json|xml)$/;

/** True for the name of a vassal file. A folder may have such a name, too, and is none. */
export function isVassalFileName(fileName: string): boolean {
  return VASSAL_FILE.test(fileName);
}

/** The vassal's name: the file name without its extension. */
export function vassalNameOf(fileName: string): string {
  return fileName.slice(0, fileName.lastIndexOf('.'));
}
