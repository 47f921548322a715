import { refuse, type Form, type Place } from './form.ts';
import { didYouMean } from './nearest.ts';
import type { Node, Table } from './tree.ts';

/** A key that may stand in a file: what README, --help, hints and the reading of values all follow. */
export interface Key<T> {
  readonly form: Form<T>;
  /** As printed; empty where there is none. */
  readonly default: string;
  /** What it is for: part of a sentence. */
  readonly doc: string;
  /** A value as TOML writes it. */
  readonly example: string;
  /** The keys of a table, for the printed list. */
  readonly inner?: Keys<object>;
}

/** A table of keys, one for each property of T. */
export type Keys<T> = { readonly [K in keyof T]-?: Key<T[K]> };

/** What was given and is right; what was left out is not there. */
export type Given<T> = { readonly [K in keyof T]?: T[K] };

/** What it takes to read a section. */
export type Section = Omit<Place, 'key' | 'line'>;

/** Reads a section by its keys: every wrong or unknown key is told, the others are returned. */
export function readKeys<T extends object>(keys: Keys<T>, from: Table, section: Section, within = ''): Given<T> {
  const given: { [K in keyof T]?: T[K] } = {};
  for (const [name, entry] of from.entries) {
    const place: Place = { ...section, key: `${within}${name}`, line: entry.line };
    if (isKeyOf(keys, name)) take(keys, name, entry.value, place, given);
    else refuse(place, `unknown key "${place.key}"`, didYouMean(name, Object.keys(keys)), 'E_KEY_UNKNOWN');
  }
  return given;
}

function take<T extends object>(keys: Keys<T>, name: keyof T, node: Node, place: Place, given: { [K in keyof T]?: T[K] }): void {
  const value = keys[name].form.read(node, place);
  if (value !== undefined) given[name] = value;
}

function isKeyOf<T extends object>(keys: Keys<T>, name: string): name is keyof T & string {
  return Object.hasOwn(keys, name);
}

/** The form of a table with keys of its own. */
export function tableOf<T extends object>(keys: Keys<T>): Form<Given<T>> {
  const form: Form<Given<T>> = {
    label: 'a table',
    hint: `with ${Object.keys(keys).map((name) => `"${name}"`).join(', ')}`,
    read: (node, place) => (node.kind === 'table' ? readKeys(keys, node, place, `${place.key}.`) : refuse(place, `"${place.key}" wants ${form.label}`, form.hint)),
  };
  return form;
}

/** A key. */
export function key<T>(form: Form<T>, standard: string, example: string, doc: string): Key<T> {
  return { form, default: standard, doc, example };
}
