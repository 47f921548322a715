import { readIni } from './ini.ts';
import { readJson } from './json.ts';
import { extensionOf } from './path.ts';
import type { Report } from './report.ts';
import { FOREIGN, type Node, type Reading, type Table } from './tree.ts';
import { readXml } from './xml.ts';
import { readYaml } from './yaml.ts';

/** One mention of an option of uWSGI. */
export interface ForeignOption {
  readonly name: string;
  /** With its placeholders. */
  readonly value: string;
  readonly line: number;
}

/**
 * What the sections of a file that are not ours say to uWSGI, in all of them: uWSGI takes the one that it is told, and so may come to any. Where uWSGI could read something else
 * than is seen here, that is a fault: it drops a `%` together with the next character, even a line break, core/utils.c, magic_sub.
 * Undefined: they cannot be told, which was told.
 */
export function foreignOptions(text: string, file: string, report: Report): readonly ForeignOption[] | undefined {
  const joined = joinedLine(text);
  if (joined !== null) return report.tell('E_TYRANT', 'a line ends in "%", by which uWSGI joins it with the next one', { line: joined, hint: 'write %% for a percent sign' });
  const reading = readWhole(text, file);
  if (!reading.ok) return report.tell('E_TYRANT', 'what uWSGI would read here cannot be told', { line: reading.faults[0]?.line ?? null, hint: reading.faults[0]?.message ?? null });
  const options: ForeignOption[] = [];
  for (const [name, { line, value }] of reading.tree.entries) {
    if (/[^\w.-]/.test(name)) report.tell('E_TYRANT', `what section ${JSON.stringify(name)} is to uWSGI cannot be told`, { line, hint: 'use letters, digits and -' });
    else if (name !== 'vassal') add(options, '', value, line);
  }
  return options;
}

/** Reads a file with uWSGI's sections, too. */
export function readWhole(text: string, file: string): Reading {
  return readerOf(file)(text, file);
}

/** The options of uWSGI's own section, in the order of their lines; none: it has no such section. */
export function ownOptions({ entries }: Table): readonly ForeignOption[] {
  const options: ForeignOption[] = [];
  const section = entries.get(FOREIGN);
  if (section !== undefined) add(options, '', section.value, section.line);
  return options.toSorted((a, b) => a.line - b.line);
}

function joinedLine(text: string): number | null {
  for (const [index, line] of text.split('\n').entries()) {
    if (((/%+\r?$/.exec(line)?.[0].replace('\r', '').length ?? 0) & 1) === 1) return index + 1;
  }
  return null;
}

function readerOf(file: string): (text: string, file: string) => Reading {
  switch (extensionOf(file)) {
    case '.json':
      return readJson;
    case '.yaml':
    case '.yml':
      return (text, path) => readYaml(text, path, true);
    case '.xml':
      return (text, path) => readXml(text, path, true);
    default:
      return (text, path) => readIni(text, path, true);
  }
}

function add(options: ForeignOption[], name: string, node: Node, line: number): void {
  if (node.kind === 'table') addTable(options, name, node);
  else if (node.kind === 'list') for (const item of node.items) add(options, name, item, item.line);
  else options.push({ name, value: node.source, line });
}

/** A dot in a name of ini makes a table of ours, and is part of the name to uWSGI. */
function addTable(options: ForeignOption[], name: string, { entries }: Table): void {
  for (const [inner, { line, value }] of entries) add(options, name === '' || name === FOREIGN ? inner : `${name}.${inner}`, value, line);
}
