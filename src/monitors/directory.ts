import { basename, dirname } from 'node:path';
import { reasonOf } from '../errors.ts';
import { readEntries } from './entries.ts';
import { follow } from './road.ts';
import { blindSurvey, type Selection } from './selection.ts';
import { isVassalFileName } from './vassal-file-name.ts';

/**
 * The vassal files of one folder, not of those below it.
 * @param folder absolute; symlinks in it are followed anew at each look
 * @param extensions further ends of names of vassal files
 */
export function selectDirectory(folder: string, extensions: readonly string[] = []): Selection {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  return {
    source: `dir://${folder}`,
    survey() {
      const { signposts, end } = follow(folder);
      if (end.kind === 'nowhere') return blindSurvey(`${end.errno}: ${folder}${end.at === folder ? '' : ` (at ${end.at})`}`, signposts);
      if (end.kind === 'file') return blindSurvey(`ENOTDIR: ${folder} is no folder`, signposts);
      const folders = new Map([[end.realPath, [folder]]]);
      try {
        const { names, nameless } = readEntries(folder, extensions);
        const files = names.filter((name) => isVassalFileName(name, extensions)).map((name) => prefix + name);
        return { blind: null, files, nameless, folders, signposts, dark: [] };
      } catch (error) {
        // A folder that may not be read cannot be watched: who watches its parent learns when that has changed.
        return blindSurvey(reasonOf(error), [...signposts, { folder: dirname(end.realPath), name: basename(end.realPath) }], folders);
      }
    },
    concerns(path) {
      return path.startsWith(prefix) && isVassalFileName(path.slice(prefix.length), extensions) ? 'file' : 'nothing';
    },
  };
}
