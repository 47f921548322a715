import type { SeenFile } from '../core/listing.ts';
import type { Signpost } from './road.ts';

/** Which files a source consists of. */
export interface Selection {
  /** As people name it, e.g. `dir:///etc/emperor/vassals`. */
  readonly source: string;
  /** Finds the files, without looking at them. Never throws for what the file system says. */
  survey(): Survey;
  /** What a change of this path (as the source names it) means: one of our files, a reason for a new survey, or nothing. */
  concerns(path: string): 'file' | 'survey' | 'nothing';
}

/** What a source consists of at this moment. */
export interface Survey {
  /** Why nothing can be said about it, for people; null: it can be looked at. */
  readonly blind: string | null;
  /** Paths that have the name of a vassal file; what they are is not known yet. */
  readonly files: readonly string[];
  /** Files whose names are no text: they are told as faults. */
  readonly nameless: readonly SeenFile[];
  /** The folders that were listed, by their real path, with their paths as the source names them. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
  /** What leads to those folders, or keeps us from them. */
  readonly signposts: readonly Signpost[];
  /** Folders, as the source names them, that could not be listed: what was known in them stays. */
  readonly dark: readonly string[];
}

/** The survey of a source that cannot be looked at. */
export function blindSurvey(reason: string, signposts: readonly Signpost[], folders: Survey['folders'] = new Map()): Survey {
  return { blind: reason, files: [], nameless: [], folders, signposts, dark: [] };
}
