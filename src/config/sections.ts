import { didYouMean } from './nearest.ts';
import type { Report } from './report.ts';
import { VASSAL_KEYS } from './schema.ts';
import { FOREIGN, table, type Entry, type Table } from './tree.ts';

/** The parts of a vassal file. */
export interface Sections {
  /** Empty if there is only a uwsgi section. */
  readonly vassal: Table;
  /** The line of the uwsgi section; null if there is none. */
  readonly uwsgiLine: number | null;
}

const VASSAL = 'vassal';

/** Finds the sections of a file and tells what stands beside them. Undefined: there is nothing to go on with. */
export function sectionsOf(tree: Table, report: Report): Sections | undefined {
  const vassal = tree.entries.get(VASSAL);
  const uwsgi = tree.entries.get(FOREIGN);
  const uwsgiLine = uwsgi !== undefined && uwsgi.value.kind !== 'scalar' ? uwsgi.line : null;
  if (vassal === undefined && uwsgiLine === null) return tellNone(tree, report);
  // A uWSGI file may have other sections for uWSGI's own use.
  if (uwsgiLine === null) for (const [name, entry] of tree.entries) if (name !== VASSAL) tellStray(name, entry, report);
  const section = vassal === undefined ? table(new Map(), 1) : tableOf(vassal, report);
  return section === undefined ? undefined : { vassal: section, uwsgiLine };
}

function tableOf({ line, value }: Entry, report: Report): Table | undefined {
  if (value.kind === 'table') return value;
  if (value.kind === 'scalar' && value.source === '') return table(new Map(), line);
  const twice = value.kind === 'list' && value.repeated;
  return report.tell(twice ? 'E_KEY_DUPLICATE' : 'E_VALUE', twice ? 'the section "vassal" is given twice' : '"vassal" is no section, but a value', { line, key: VASSAL, hint: 'a file has one section "vassal" with keys in it' });
}

function tellNone(tree: Table, report: Report): undefined {
  const [name, entry] = [...tree.entries].find(([name]) => hintFor(name) !== null) ?? [null, null];
  return report.tell('E_NO_SECTION', `the file has neither a vassal nor a uwsgi section${name === null ? '' : `, but "${name}"`}`, {
    line: entry?.line ?? null,
    key: name,
    hint: (name === null ? null : hintFor(name)) ?? 'write a section "vassal" with "command" or "server" in it',
  });
}

function tellStray(name: string, { line, value }: Entry, report: Report): void {
  report.tell('E_KEY_UNKNOWN', `unknown ${value.kind === 'table' ? 'section' : 'key'} "${name}" beside "vassal"`, { line, key: name, hint: hintFor(name) });
}

function hintFor(name: string): string | null {
  const meant = didYouMean(name, [VASSAL, FOREIGN]);
  return meant ?? (Object.hasOwn(VASSAL_KEYS, name) || name.startsWith(`${VASSAL}.`) ? `put it under "${VASSAL}"` : null);
}
