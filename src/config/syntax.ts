import { readIni } from './ini.ts';
import { readJson } from './json.ts';
import { extensionOf } from './path.ts';
import { readToml } from './toml.ts';
import type { Reader } from './tree.ts';
import { readXml } from './xml.ts';
import { readYaml } from './yaml.ts';

const READERS: ReadonlyMap<string, Reader> = new Map([
  ['.ini', readIni],
  ['.toml', readToml],
  ['.yaml', readYaml],
  ['.yml', readYaml],
  ['.json', readJson],
  ['.xml', readXml],
]);

/** Extensions of vassal files, each with its dot, in lower case. */
export const EXTENSIONS: readonly string[] = [...READERS.keys()];

/** The reader for a file, chosen by its extension; null if no vassal file ends so. */
export function readerOf(path: string): Reader | null {
  return READERS.get(extensionOf(path)) ?? null;
}
