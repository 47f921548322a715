import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { reasonOf } from '../errors.ts';
import { gather, type Gathering } from './gathering.ts';
import { lineFinder } from './lines.ts';
import { reportOn, type Report } from './report.ts';
import { DEEPEST, FOREIGN, scalar, table, type Node, type Reading } from './tree.ts';

/** An element as fast-xml-parser has it with `preserveOrder`: its name is the one key that is not `:@`. */
type Element = Record<string, unknown>;

const ATTRIBUTES = ':@';
const TEXT = '#text';

/**
 * Reads XML without a document type (so nothing can be expanded): elements are keys, repeated ones become a list, attributes
 * are keys too. The sections are the root itself (`<vassal>`, `<uwsgi>`) or stand in it, whatever its name.
 * @param whole uWSGI's section, too
 */
export function readXml(text: string, file: string, whole = false): Reading {
  const report = reportOn(file);
  const nothing = table(new Map(), 1);
  const lineAt = lineFinder(text);
  const doctype = text.indexOf('<!D');
  if (doctype !== -1) {
    report.tell('E_SYNTAX', 'a document type is not read', { line: lineAt(doctype), hint: 'remove <!DOCTYPE …>' });
    return report.reading(nothing);
  }
  try {
    const valid = XMLValidator.validate(text);
    if (valid !== true) {
      report.tell('E_SYNTAX', `not valid XML: ${valid.err.msg}`, { line: valid.err.line });
      return report.reading(nothing);
    }
    const walk: Walk = { whole, report, lineAt };
    const [root, another] = elementsOf(parser().parse(text)).filter((element) => !nameOf(element).startsWith('?'));
    if (another !== undefined) report.tell('E_SYNTAX', 'not valid XML: a second root', { line: lineOf(walk, another), hint: 'put all into one element' });
    const top = gather(1);
    for (const section of root === undefined ? [] : isSection(root) ? [root] : elementsOf(root[nameOf(root)])) addElement(walk, top, section, 0);
    return report.reading(top.finish());
  } catch (thrown) {
    report.tell('E_SYNTAX', `not valid XML: ${reasonOf(thrown)}`);
    return report.reading(nothing);
  }
}

interface Walk {
  readonly whole: boolean;
  readonly report: Report;
  readonly lineAt: (offset: number) => number;
}

/** Made anew for each text: it keeps things between two of them. Named entities are the five of XML, and numbers. */
function parser(): XMLParser {
  return new XMLParser({
    preserveOrder: true,
    captureMetaData: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    htmlEntities: true,
    maxNestedTags: DEEPEST,
  });
}

function isSection(root: Element): boolean {
  return nameOf(root) === 'vassal' || nameOf(root) === FOREIGN;
}

function addElement(walk: Walk, into: Gathering, element: Element, depth: number): void {
  const name = nameOf(element);
  const line = lineOf(walk, element);
  into.add(name, depth === 0 && name === FOREIGN && !walk.whole ? table(new Map(), line) : nodeOf(walk, element, line, depth), line);
}

function nodeOf(walk: Walk, element: Element, line: number, depth: number): Node {
  const children = elementsOf(element[nameOf(element)]);
  const attributes = Object.entries(element[ATTRIBUTES] ?? {});
  if (attributes.length === 0 && children.every((child) => nameOf(child) === TEXT)) {
    return scalar(children.map((child) => String(child[TEXT])).join(''), line);
  }
  const inner = gather(line);
  for (const [key, value] of attributes) inner.add(key, scalar(String(value), line), line);
  for (const child of children) {
    if (nameOf(child) !== TEXT) addElement(walk, inner, child, depth + 1);
    else walk.report.tell('E_SYNTAX', 'text beside elements means nothing here', { line, hint: 'put it into an element of its own' });
  }
  return inner.finish();
}

function elementsOf(children: unknown): Element[] {
  return Array.isArray(children) ? (children as Element[]) : [];
}

function nameOf(element: Element): string {
  return Object.keys(element).find((key) => key !== ATTRIBUTES) ?? '';
}

function lineOf(walk: Walk, element: Element): number {
  const place: unknown = (element as Record<symbol, unknown>)[XMLParser.getMetaDataSymbol() as symbol];
  return walk.lineAt(typeof place === 'object' && place !== null && 'startIndex' in place ? Number(place.startIndex) : 0);
}
