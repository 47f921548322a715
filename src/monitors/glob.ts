import { errnoOf } from '../errors.ts';
import { readdirSync, statSync } from 'node:fs';
import type { SeenFile } from '../core/listing.ts';
import { readEntries } from './entries.ts';
import { fit, fits, type Segment } from './glob-pattern.ts';
import { follow, type Signpost } from './road.ts';
import { blindSurvey, type Selection } from './selection.ts';
import { isVassalFileName } from './vassal-file-name.ts';

/** A pattern that leads through more folders than this is a mistake, such as one that starts with `/**`. */
const MOST_FOLDERS = 10_000;

/**
 * The vassal files that a pattern means. Folders on the way may come and go. Where the part before the first wildcard is
 * missing, the source is blind: an unmounted disk is no empty listing.
 * @param text the pattern as it is to be printed, absolute
 * @param patterns see {@link parseGlob}
 * @param extensions further ends of names of vassal files
 */
export function selectGlob(text: string, patterns: readonly (readonly Segment[])[], extensions: readonly string[] = []): Selection {
  return {
    source: `glob://${text}`,
    survey() {
      const find: Find = { files: new Set(), nameless: new Map(), folders: new Map(), signposts: [], dark: new Map(), extensions };
      const reasons = patterns.map((pattern) => search(pattern, find));
      // Of several alternatives some may be missing, as in a shell.
      if (reasons.every((reason) => reason !== null)) return blindSurvey(reasons[0] ?? 'the pattern is empty', find.signposts, find.folders);
      if (find.folders.size > MOST_FOLDERS) return blindSurvey(`the pattern leads through more than ${MOST_FOLDERS} folders`, find.signposts);
      return { blind: null, ...find, files: [...find.files], nameless: [...find.nameless.values()], dark: [...find.dark.keys()] };
    },
    concerns(path) {
      const names = path.split('/').filter((name) => name !== '');
      const fitting = patterns.map((pattern) => fit(names, pattern));
      if (fitting.includes('whole') && isVassalFileName(names.at(-1) ?? '', extensions)) return 'file';
      return fitting.includes('part') ? 'survey' : 'nothing';
    },
  };
}

interface Find {
  readonly extensions: readonly string[];
  readonly files: Set<string>;
  readonly nameless: Map<string, SeenFile>;
  readonly folders: Map<string, string[]>;
  readonly signposts: Signpost[];
  /** Folders that could not be listed, and why. */
  readonly dark: Map<string, string>;
}

/** Searches one pattern. Returns why it cannot be searched at all, or null. */
function search(pattern: readonly Segment[], find: Find): string | null {
  const magic = pattern.findIndex((segment) => segment.kind !== 'literal');
  const fixed = pattern.slice(0, magic < 0 ? pattern.length - 1 : magic);
  const root = `/${fixed.map((segment) => (segment.kind === 'literal' ? segment.name : '')).join('/')}`;
  const { end, signposts } = follow(root);
  if (end.kind !== 'folder') {
    find.signposts.push(...signposts);
    return end.kind === 'nowhere' ? `${end.errno}: ${end.at}` : `ENOTDIR: ${root} is no folder`;
  }
  walk(root, pattern.slice(fixed.length), find);
  const errno = find.dark.get(root);
  return errno === undefined ? null : `${errno}: ${root}`;
}

function walk(folder: string, pattern: readonly Segment[], find: Find): void {
  const [part, ...rest] = pattern;
  if (part === undefined || find.folders.size > MOST_FOLDERS) return;
  const { end, signposts } = follow(folder);
  find.signposts.push(...signposts);
  if (end.kind === 'nowhere') noteDark(folder, end.errno, find);
  if (end.kind !== 'folder') return;
  const named = find.folders.get(end.realPath) ?? [];
  if (!named.includes(folder)) find.folders.set(end.realPath, [...named, folder]);
  const prefix = folder === '/' ? '/' : `${folder}/`;
  try {
    if (part.kind === 'any-depth') {
      walk(folder, rest, find);
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        // Symlinks to folders are left out, as they may lead in circles.
        if (entry.isDirectory() && fits(entry.name, part)) walk(prefix + entry.name, pattern, find);
      }
    } else if (rest.length > 0) {
      const names = part.kind === 'literal' ? [part.name] : readdirSync(folder).filter((name) => fits(name, part));
      for (const name of names) if (isFolder(prefix + name, find)) walk(prefix + name, rest, find);
    } else {
      const { names, nameless } = readEntries(folder, find.extensions);
      for (const name of names) if (isVassalFileName(name, find.extensions) && fits(name, part)) find.files.add(prefix + name);
      if (part.kind !== 'literal') for (const file of nameless) find.nameless.set(file.id, file);
    }
  } catch (error) {
    noteDark(folder, errnoOf(error), find, error);
  }
}

function isFolder(path: string, find: Find): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    noteDark(path, errnoOf(error), find, error);
    return false;
  }
}

/** What vanished meanwhile is not there; of what cannot be looked at nothing is known. */
function noteDark(path: string, errno: string, find: Find, thrown?: unknown): void {
  if (errno === '') throw thrown;
  if (errno !== 'ENOENT' && errno !== 'ENOTDIR' && errno !== 'ELOOP') find.dark.set(path, errno);
}
