import { isAlias, isMap, isScalar, isSeq, parseDocument, type ParsedNode, type YAMLError, type YAMLMap } from 'yaml';
import { lineFinder } from './lines.ts';
import { reportOn, tellTwice, type Report } from './report.ts';
import { DEEPEST, FOREIGN, list, scalar, table, type Entry, type Node, type Reading } from './tree.ts';
import { unreadable } from './unreadable.ts';

/** Longest YAML that is read: its parser needs up to 15 s for a broken MiB, and the emperor waits. */
const LONGEST = 256 * 1024;

/** Nodes that aliases may add to one file: more than people write, far less than an alias bomb makes. */
const MOST_ALIASED = 1000;

/** Parse errors told of one file; one mistake often makes many. */
const MOST_ERRORS = 10;

/**
 * Reads one document of YAML 1.2 (core schema) with aliases and merge keys (`<<`). A file that is only for uWSGI, whose own
 * reader is laxer, is taken as it is.
 * @param whole uWSGI's section, too
 */
export function readYaml(text: string, file: string, whole = false): Reading {
  const report = reportOn(file);
  const nothing = table(new Map(), 1);
  if (text.length > LONGEST) {
    report.tell('E_SYNTAX', `YAML longer than ${LONGEST / 1024} KiB is not read`, { hint: 'write it as JSON' });
    return report.reading(nothing);
  }
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0 && isForeign(text) && !whole) return report.reading(table(new Map([[FOREIGN, { line: 1, value: nothing }]]), 1));
    const walk: Walk = { whole, report, lineAt: lineFinder(text), anchors: new Map(), aliased: 0, aliasLine: 1 };
    for (const error of document.errors.slice(0, MOST_ERRORS)) tellError(walk, error);
    if (document.errors.length > 0) return report.reading(nothing);
    const root = nodeOf(walk, document.contents, 1, 0, false);
    if (walk.aliased > MOST_ALIASED) report.tell('E_SYNTAX', `an alias makes more than ${MOST_ALIASED} values, or stands inside its own anchor`, { line: walk.aliasLine });
    return report.reading(root.kind === 'table' ? root : nothing);
  } catch (thrown) {
    return unreadable(thrown, file);
  }
}

interface Walk {
  readonly whole: boolean;
  readonly report: Report;
  readonly lineAt: (offset: number) => number;
  /** Filled in the order of the text, so an alias finds the last anchor before it, as YAML says. */
  readonly anchors: Map<string, ParsedNode>;
  /** Nodes that came from aliases so far. */
  aliased: number;
  /** The last alias that does not stand in another one. */
  aliasLine: number;
}

function isForeign(text: string): boolean {
  return /^uwsgi[ \t]*:/m.test(text) && !/^["']?vassal["']?[ \t]*:/m.test(text);
}

function tellError(walk: Walk, error: YAMLError): void {
  const several = error.code === 'MULTIPLE_DOCS';
  walk.report.tell('E_SYNTAX', several ? 'the file holds several YAML documents' : `not valid YAML: ${error.message}`, {
    line: walk.lineAt(error.pos[0]),
    hint: several ? 'one file is one vassal: remove the line "---" and what follows' : null,
  });
}

function nodeOf(walk: Walk, node: ParsedNode | null, lineOfKey: number, depth: number, inAlias: boolean): Node {
  if (inAlias) walk.aliased += depth > DEEPEST ? MOST_ALIASED + 1 : 1;
  else if (depth > DEEPEST) throw new RangeError('too deep');
  if (node === null || walk.aliased > MOST_ALIASED) return scalar(null, lineOfKey, '');
  const line = walk.lineAt(node.range[0]);
  if (isAlias(node)) {
    const target = walk.anchors.get(node.source);
    if (!inAlias && walk.aliased <= MOST_ALIASED) walk.aliasLine = line;
    if (target !== undefined) return nodeOf(walk, target, line, depth + 1, true);
    walk.report.tell('E_SYNTAX', 'an alias has no anchor before it', { line, hint: 'a text that begins with * needs quotes' });
    return scalar(null, line, '');
  }
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  if (isMap(node)) return table(entriesOf(walk, node, depth, inAlias), line);
  if (isSeq(node)) return list(node.items.map((item) => nodeOf(walk, item, line, depth + 1, inAlias)), line);
  const { value, source } = node;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return scalar(value, line, source);
  return scalar(typeof value === 'string' ? value : source, line);
}

function entriesOf(walk: Walk, map: YAMLMap.Parsed, depth: number, inAlias: boolean): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const { key, value } of map.items) {
    const line = walk.lineAt(key.range[0]);
    if (!isScalar(key)) {
      walk.report.tell('E_SYNTAX', 'a key of YAML has to be plain text', { line });
      continue;
    }
    const name = typeof key.value === 'string' ? key.value : key.source;
    if (depth === 0 && name === FOREIGN && !walk.whole) {
      entries.set(name, { line, value: table(new Map(), line) });
      continue;
    }
    const node = nodeOf(walk, value, line, depth + 1, inAlias);
    const known = entries.get(name);
    if (name === '<<' && key.type === 'PLAIN') merged.push(...(node.kind === 'list' ? node.items : [node]));
    else if (known === undefined) entries.set(name, { line, value: node });
    else tellTwice(walk.report, name, line, known.line);
  }
  for (const source of merged) addMissing(walk, entries, source);
  return entries;
}

/** Merge keys: what a table says itself counts more, then the earlier source. */
function addMissing(walk: Walk, entries: Map<string, Entry>, source: Node): void {
  if (source.kind !== 'table') {
    walk.report.tell('E_SYNTAX', 'a merge key (<<) takes a table or a list of tables', { line: source.line });
    return;
  }
  for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
}
