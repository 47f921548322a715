import { lineFinder } from './lines.ts';
import { reportOn, tellTwice, type Report } from './report.ts';
import { DEEPEST, FOREIGN, list, scalar, table, type Entry, type List, type Node, type Reading, type Table } from './tree.ts';

/** Reads JSON (RFC 8259), with lines and doubled keys, which JSON.parse does not tell. The first syntax error ends the reading. */
export function readJson(text: string, file: string): Reading {
  const report = reportOn(file);
  const cursor: Cursor = { text, lineAt: lineFinder(text), report, at: 0 };
  try {
    const root = readValue(cursor, 0, false);
    skipBlanks(cursor);
    if (cursor.at < text.length) throw unexpected(cursor);
    return report.reading(root.kind === 'table' ? root : table(new Map(), root.line));
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown;
    report.tell('E_SYNTAX', `not valid JSON: ${thrown.message}`, { line: cursor.lineAt(thrown.at) });
    return report.reading(table(new Map(), 1));
  }
}

interface Cursor {
  readonly text: string;
  readonly lineAt: (offset: number) => number;
  readonly report: Report;
  at: number;
}

/** Where the text stops to be JSON; never leaves this file. */
class Stop extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** @param foreign doubled keys are uWSGI's way of writing lists here */
function readValue(cursor: Cursor, depth: number, foreign: boolean): Node {
  skipBlanks(cursor);
  const { text, at } = cursor;
  if (depth > DEEPEST) throw new Stop('it is nested too deeply', at);
  const line = cursor.lineAt(at);
  if (text[at] === '{') return readObject(cursor, depth, foreign, line);
  if (text[at] === '[') return readArray(cursor, depth, foreign, line);
  if (text[at] === '"') return scalar(readString(cursor), line);
  const word = /[-+.\w]*/y;
  word.lastIndex = at;
  const source = word.exec(text)?.[0] ?? '';
  const value = parsed(source);
  if (value === undefined) throw unexpected(cursor);
  cursor.at += source.length;
  return scalar(value, line, source);
}

function readObject(cursor: Cursor, depth: number, foreign: boolean, line: number): Table {
  const entries = new Map<string, Entry>();
  cursor.at += 1;
  if (accept(cursor, '}')) return table(entries, line);
  do {
    skipBlanks(cursor);
    const keyLine = cursor.lineAt(cursor.at);
    const key = readString(cursor);
    if (!accept(cursor, ':')) throw unexpected(cursor);
    const value = readValue(cursor, depth + 1, foreign || (depth === 0 && key === FOREIGN));
    const known = entries.get(key);
    if (known !== undefined && !foreign) tellTwice(cursor.report, key, keyLine, known.line);
    entries.set(key, { line: keyLine, value });
  } while (accept(cursor, ','));
  if (!accept(cursor, '}')) throw unexpected(cursor);
  return table(entries, line);
}

function readArray(cursor: Cursor, depth: number, foreign: boolean, line: number): List {
  const items: Node[] = [];
  cursor.at += 1;
  if (accept(cursor, ']')) return list(items, line);
  do items.push(readValue(cursor, depth + 1, foreign));
  while (accept(cursor, ','));
  if (!accept(cursor, ']')) throw unexpected(cursor);
  return list(items, line);
}

function readString(cursor: Cursor): string {
  const { text, at } = cursor;
  if (text[at] !== '"') throw unexpected(cursor);
  let end = at + 1;
  while (end < text.length && text[end] !== '"' && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
  const value = parsed(text.slice(at, end + 1));
  if (typeof value !== 'string') throw new Stop('a string has a wrong escape, a line break, or no end', at);
  cursor.at = end + 1;
  return value;
}

/** JSON.parse decides what a string, a number or a word is. */
function parsed(source: string): string | number | boolean | null | undefined {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
  } catch {
    return undefined;
  }
}

function accept(cursor: Cursor, char: string): boolean {
  skipBlanks(cursor);
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at += 1;
  return true;
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && ' \t\r\n'.includes(cursor.text.charAt(cursor.at))) cursor.at += 1;
}

function unexpected({ text, at }: Cursor): Stop {
  return new Stop(at < text.length ? `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}` : 'it ends too early', at);
}
