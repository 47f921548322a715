import { isUtf8 } from 'node:buffer';
import { lstatSync, readdirSync } from 'node:fs';
import type { SeenFile, VassalId } from '../core/listing.ts';
import { faulty } from './content.ts';
import { glance, sealOf } from './glance.ts';
import { isVassalFileName, vassalNameOf } from './vassal-file-name.ts';

/** The entries of a folder. On Linux a name is bytes and need not be text. */
export interface Entries {
  readonly names: readonly string[];
  /** Vassal files whose names are not valid UTF-8, so that nobody could speak of them. */
  readonly nameless: readonly SeenFile[];
}

/** Stands for each byte that is not valid UTF-8, and is hardly ever meant. */
const REPLACEMENT = '\uFFFD';

/**
 * Reads a folder.
 * @param folder as the source names it
 * @param extensions further ends of names of vassal files
 * @throws an error of the file system, e.g. ENOENT
 */
export function readEntries(folder: string, extensions: readonly string[] = []): Entries {
  const names = readdirSync(folder);
  // Without the right to enter, the names can be read and nothing else.
  lstatSync(`${folder}/.`);
  if (!names.some((name) => name.includes(REPLACEMENT))) return { names, nameless: [] };
  const raw = readdirSync(folder, { encoding: 'buffer' });
  return {
    names: raw.filter((name) => isUtf8(name)).map((name) => name.toString('utf8')),
    nameless: raw.filter((name) => !isUtf8(name)).map((name) => namelessFile(folder, name, extensions)).filter((file) => file !== null),
  };
}

/** True if a hint with this name may mean a file whose name is not known. */
export function isDoubtful(name: string): boolean {
  return name.includes(REPLACEMENT);
}

function namelessFile(folder: string, name: Buffer, extensions: readonly string[]): SeenFile | null {
  const readable = name.toString('latin1').replace(/[\u0080-\u00FF]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
  if (!isVassalFileName(readable, extensions)) return null;
  const seen = glance(Buffer.concat([Buffer.from(`${folder}/`), name]));
  if (seen.kind === 'absent' || seen.kind === 'folder') return null;
  const id = `${folder}/${readable}` as VassalId;
  const content = faulty(id, 'E_NAME', 'the file name is not valid UTF-8', 'rename it');
  return { id, name: vassalNameOf(readable), stamp: sealOf(seen), hash: '', content };
}
