import type { Defaults } from '../core/basis.ts';
import type { Fault } from '../core/fault.ts';
import { readKeys } from './keys.ts';
import { folderOf } from './path.ts';
import type { Expand } from './placeholders.ts';
import { reportOn } from './report.ts';
import { VASSAL_KEYS } from './schema.ts';
import { sectionsOf } from './sections.ts';
import { readerOf } from './syntax.ts';
import { table, type Entry, type Reader, type Table } from './tree.ts';

/** Tables of which a file may give some keys, and the defaults others. Elsewhere the keys of a table exclude each other. */
const MERGED: ReadonlySet<string> = new Set(['environment', 'limits', 'log', 'backoff']);

/** The keys that say what is run: a file that says so itself takes none of them from the defaults. */
const PROGRAM: readonly string[] = ['server', 'command', 'app', 'workers', 'channel'];

/** What a file of defaults says, or all of its faults. */
export type DefaultsReading = { readonly ok: true; readonly section: Table } | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the vassal section of a file of defaults, and whether its keys are right, as far as that can be told without a vassal file. */
export function readDefaults({ file, text }: Defaults): DefaultsReading {
  const report = reportOn(file);
  const read: Reader | null = readerOf(file);
  if (read === null) return { ok: false, faults: [] };
  const reading = read(text, file);
  if (!reading.ok) return reading;
  const sections = sectionsOf(reading.tree, report);
  if (sections !== undefined) {
    if (sections.uwsgiLine !== null) report.tell('E_KEY_UNKNOWN', 'a uwsgi section gives no defaults', { line: sections.uwsgiLine, key: 'uwsgi', hint: 'name the file in "vassals-include-before"' });
    // What a placeholder stands for depends on the vassal file.
    const expand: Expand = (source) => (/[%$]/.test(source) ? undefined : source);
    readKeys(VASSAL_KEYS, sections.vassal, { report, expand, folder: folderOf(file) });
  }
  const faults = report.faults();
  return sections !== undefined && faults.length === 0 ? { ok: true, section: sections.vassal } : { ok: false, faults };
}

/** The keys of the defaults that count for a section: those that it does not have. @param foreign the file has a section of uWSGI */
export function effective(section: Table, defaults: Table, foreign: boolean): Table {
  const own = foreign || PROGRAM.some((key) => section.entries.has(key));
  const entries = [...defaults.entries].flatMap(([name, entry]): (readonly [string, Entry])[] => {
    if (own && PROGRAM.includes(name)) return [];
    // It is for files of uWSGI, and a file that names its addresses itself means those.
    if (name === 'adopt-sockets' && (!foreign || section.entries.has('listen'))) return [];
    const given = section.entries.get(name);
    if (given === undefined) return [[name, entry]];
    if (!MERGED.has(name) || given.value.kind !== 'table' || entry.value.kind !== 'table') return [];
    const there = given.value.entries;
    const missing = [...entry.value.entries].filter(([key]) => !there.has(key));
    return missing.length === 0 ? [] : [[name, { ...entry, value: table(new Map(missing), entry.line) }]];
  });
  return table(new Map(entries), defaults.line);
}

/** A section with the defaults that count for it. */
export function withDefaults(section: Table, defaults: Table): Table {
  const entries = new Map(section.entries);
  for (const [name, entry] of defaults.entries) {
    const given = entries.get(name);
    if (given === undefined) entries.set(name, entry);
    else if (given.value.kind === 'table' && entry.value.kind === 'table') entries.set(name, { ...given, value: table(new Map([...given.value.entries, ...entry.value.entries]), given.line) });
  }
  return table(entries, section.line);
}

/** The same text for the same defaults, whatever stands around them. */
export function printTable({ entries }: Table): string {
  return JSON.stringify([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, { value }]) => [name, value]), (key, value: unknown) => (key === 'line' ? undefined : value instanceof Map ? [...value] : value));
}
