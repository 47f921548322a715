import type { Code } from '../errors.ts';
import type { Expand } from './placeholders.ts';
import type { Report } from './report.ts';
import type { Node } from './tree.ts';

/** How a value is written, and what it becomes. */
export interface Form<T> {
  /** In words, with its article: `a duration`. */
  readonly label: string;
  /** What to write instead of something wrong, e.g. `write "500ms", "30s", "5m" or "1h"`. */
  readonly hint: string;
  /** Undefined: the value was refused, and the fault was told to the place. */
  read(node: Node, place: Place): T | undefined;
}

/** Where a value stands, and what is known there. */
export interface Place {
  /** With the table that it is in: `ready.after`. */
  readonly key: string;
  readonly line: number;
  readonly report: Report;
  readonly expand: Expand;
  /** Folder that relative paths start from. */
  readonly folder: string;
}

/** Tells that a value is wrong. */
export function refuse(place: Place, message: string, hint: string | null, code: Code = 'E_VALUE'): undefined {
  return place.report.tell(code, message, { line: place.line, key: place.key, hint });
}

/** What kind of value the file has; in ini and xml everything is text. */
export type Written = 'text' | 'number' | 'other';

/** What tells one form of a single value from another. */
export interface SingleForm<T> {
  readonly label: string;
  readonly hint: string;
  /** Gets the value as text, with its placeholders filled in. Undefined: it does not fit. */
  readonly parse: (text: string, written: Written, place: Place) => T | undefined;
  /** A better hint for one wrong value; null: the general one. */
  readonly advise?: (text: string) => string | null;
}

/** A form for one value, as opposed to lists and tables. */
export function single<T>({ label, hint, parse, advise }: SingleForm<T>): Form<T> {
  return {
    label,
    hint,
    read(node, place) {
      if (node.kind === 'list' && node.repeated) return refuse(place, `key "${place.key}" is given twice`, 'it takes one value', 'E_KEY_DUPLICATE');
      if (node.kind !== 'scalar') return refuse(place, `"${place.key}" wants ${label}, not a ${node.kind}`, hint);
      const text = place.expand(node.source, place.key, place.line);
      if (text === undefined) return undefined;
      if (text.includes('\0')) return refuse(place, `"${place.key}" holds a NUL byte`, 'remove it');
      const written = typeof node.value === 'string' ? 'text' : typeof node.value === 'number' ? 'number' : 'other';
      const value = parse(text, written, place);
      return value ?? refuse(place, `"${place.key}" wants ${label}, not ${shown(text)}`, advise?.(text) ?? hint);
    },
  };
}

/** A value in a message: quoted, and not longer than a line. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
