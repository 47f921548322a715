import { parseTOML, ParseError, type AST } from 'toml-eslint-parser';
import { unreachable } from '../errors.ts';
import { reportOn } from './report.ts';
import { gather, type Gathering } from './gathering.ts';
import { unreadable } from './unreadable.ts';
import { list, scalar, type Node, type Reading, type Scalar, type Table } from './tree.ts';

/** Longest TOML that is read: its parser needs many seconds for a MiB, and the emperor waits. */
const LONGEST = 256 * 1024;
/** Tables in one file: for ten times as many the parser needs a hundred times as long. */
const MOST_TABLES = 1_000;

/** Reads TOML 1.1 (and so 1.0). The parser stops at the first fault, so there is at most one. */
export function readToml(text: string, file: string): Reading {
  const vast = tooMuch(text);
  if (vast !== null) return { ok: false, faults: [{ code: 'E_SYNTAX', message: vast, file, line: null, key: null, hint: 'write it as JSON' }] };
  try {
    // Without a line break behind it the parser loses a 0 at the very end.
    const program = parseTOML(`${text}\n`, { tomlVersion: '1.1' });
    const report = reportOn(file);
    for (const part of program.body[0].body) {
      if (part.type === 'TOMLTable' && part.kind === 'array' && part.resolvedKey.length === 2) {
        report.tell('E_SYNTAX', 'a section is no list of tables', { line: part.loc.start.line, hint: 'write the name in single brackets: [vassal]' });
      }
    }
    return report.reading(treeOf(program));
  } catch (thrown) {
    if (!(thrown instanceof ParseError)) return unreadable(thrown, file);
    const twice = thrown.message.startsWith('Defining a key multiple times');
    const line = lineOf(thrown, text);
    const key = twice ? keyOn(text, line) : null;
    return {
      ok: false,
      faults: [{
        code: twice ? 'E_KEY_DUPLICATE' : 'E_SYNTAX',
        message: twice ? `${key === null ? 'a key' : `"${key}"`} is given twice` : `not valid TOML: ${thrown.message}`,
        file,
        line,
        key,
        hint: twice ? 'remove one of the two' : null,
      }],
    };
  }
}

/** Why a text is not even given to the parser; null: it is. */
function tooMuch(text: string): string | null {
  if (text.length > LONGEST) return `TOML longer than ${LONGEST / 1024} KiB is not read`;
  let tables = 0;
  for (const _ of text.matchAll(/^[ \t]*\[/gm)) if (++tables > MOST_TABLES) return `TOML with more than ${MOST_TABLES} tables is not read`;
  return null;
}

/** The parser looks for a missing value in the lines below, and below the last one; the one to blame ends in `=`. */
function lineOf(error: ParseError, text: string): number {
  const lines = text.trimEnd().split('\n');
  const above = lines.slice(0, error.lineNumber - 1).map((line) => line.trim());
  const last = above.findLastIndex((line) => line !== '' && !line.startsWith('#'));
  return above[last]?.endsWith('=') === true ? last + 1 : Math.min(error.lineNumber, lines.length);
}

/** The key that a line gives, for the fault; null where it cannot be told. */
function keyOn(text: string, line: number): string | null {
  return /^\s*\[*\s*["']?([\w.-]+)/.exec(text.split('\n')[line - 1] ?? '')?.[1] ?? null;
}

function treeOf(program: AST.TOMLProgram): Table {
  const top = gather(1);
  for (const part of program.body[0].body) {
    if (part.type === 'TOMLKeyValue') {
      addPair(top, part);
      continue;
    }
    const section = reach(top, part.resolvedKey, part.loc.start.line);
    for (const pair of part.body) addPair(section, pair);
  }
  return top.finish();
}

function addPair(into: Gathering, pair: AST.TOMLKeyValue): void {
  const line = pair.loc.start.line;
  const path = pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
  reach(into, path.slice(0, -1), line).add(path.at(-1) ?? '', nodeOf(pair.value), line);
}

/** The table at a path; a number in it counts the tables of a list. */
function reach(from: Gathering, path: readonly (string | number)[], line: number): Gathering {
  const [key, index, ...rest] = path;
  if (key === undefined) return from;
  return typeof index === 'number' ? reach(from.item(String(key), index, line), rest, line) : reach(from.inside(String(key), line), path.slice(1), line);
}

function nodeOf(node: AST.TOMLContentNode): Node {
  const line = node.loc.start.line;
  switch (node.type) {
    case 'TOMLArray':
      return list(node.elements.map(nodeOf), line);
    case 'TOMLInlineTable': {
      const inner = gather(line);
      for (const pair of node.body) addPair(inner, pair);
      return inner.finish();
    }
    case 'TOMLValue':
      return scalarOf(node, line);
    default:
      return unreachable(node);
  }
}

function scalarOf(node: AST.TOMLValue, line: number): Scalar {
  switch (node.kind) {
    case 'string':
    case 'boolean':
      return scalar(node.value, line);
    case 'integer':
    case 'float':
      return scalar(node.value, line, node.number);
    case 'offset-date-time':
    case 'local-date-time':
    case 'local-date':
    case 'local-time':
      return scalar(node.datetime, line);
    default:
      return unreachable(node);
  }
}
