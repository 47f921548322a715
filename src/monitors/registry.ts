import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { EmperorError, unreachable } from '../errors.ts';
import { selectDirectory } from './directory.ts';
import { openFileMonitor, type MonitorTools } from './file-monitor.ts';
import { selectGlob } from './glob.ts';
import { hasMagic, literalPath, parseGlob } from './glob-pattern.ts';
import type { Monitor } from './monitor.ts';
import type { Selection } from './selection.ts';
import { isVassalFileName } from './vassal-file-name.ts';

/** The kinds of sources. Others, such as a database, would be further entries here. */
const SCHEMES: ReadonlyMap<string, (rest: string, base: string, extensions: readonly string[]) => Selection> = new Map([
  ['dir', (rest: string, base: string, extensions: readonly string[]): Selection => selectDirectory(resolve(base, rest), extensions)],
  ['glob', (rest: string, base: string, extensions: readonly string[]): Selection => glob(resolve(base, rest), extensions)],
]);

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/([^]*)$/i;

/**
 * Makes the monitor of a source as an operator writes it: `dir://PATH`, `glob://PATTERN`, or a path: a folder, a pattern or
 * one file. What does not exist yet counts as a folder unless it is called like a vassal file, and so does a file that is not.
 * @param base what relative paths are relative to, absolute
 * @throws E_SETTINGS for a scheme that does not exist, and for an empty path
 */
export function openMonitor(source: string, base: string, tools: MonitorTools): Monitor {
  return openFileMonitor(select(source, base, tools.manner?.extensions), tools);
}

/** The part of {@link openMonitor} that touches nothing but the inode of a plain path. @throws E_SETTINGS */
export function select(source: string, base: string, extensions: readonly string[] = []): Selection {
  const [, scheme, rest = ''] = SCHEME.exec(source) ?? [];
  if (source === '' || (scheme !== undefined && rest === '')) throw new EmperorError('E_SETTINGS', `the source "${source}" names no path`);
  if (scheme !== undefined) {
    const make = SCHEMES.get(scheme.toLowerCase());
    if (make !== undefined) return make(rest, base, extensions);
    const known = [...SCHEMES.keys()].map((each) => `${each}://`).join(', ');
    throw new EmperorError('E_SETTINGS', `the source "${source}" has an unknown scheme "${scheme}"; there are ${known}, and plain paths`);
  }
  const path = resolve(base, source);
  const kind = kindOf(path);
  switch (kind) {
    case 'folder':
      return selectDirectory(path, extensions);
    case 'file':
      // Under another name it can never be a vassal: as the folder that it is not, it is told of.
      return isVassalFile(path, extensions) ? selectGlob(path, [literalPath(path)], extensions) : selectDirectory(path, extensions);
    case 'missing':
      if (hasMagic(source)) return glob(path, extensions);
      return isVassalFile(path, extensions) ? selectGlob(path, [literalPath(path)], extensions) : selectDirectory(path, extensions);
    default:
      return unreachable(kind);
  }
}

function isVassalFile(path: string, extensions: readonly string[]): boolean {
  return isVassalFileName(path.slice(path.lastIndexOf('/') + 1), extensions);
}

function glob(pattern: string, extensions: readonly string[]): Selection {
  return selectGlob(pattern, parseGlob(pattern), extensions);
}

function kindOf(path: string): 'folder' | 'file' | 'missing' {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : stats.isDirectory() ? 'folder' : 'file';
  } catch {
    // What cannot be looked at now may be there later.
    return 'missing';
  }
}
