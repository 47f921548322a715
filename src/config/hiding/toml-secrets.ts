import { parseTOML, ParseError, type AST } from 'toml-eslint-parser';
import { commentSecrets } from './comment-secrets.ts';
import { isEnvironmentKey } from './environment-key.ts';
import { behindName, type Secret } from './secret.ts';

type Path = readonly (string | number)[];

/** The secrets of TOML: values below a key `environment`, and comments among them. */
export function tomlSecrets(text: string): readonly Secret[] | null {
  try {
    const program = parseTOML(`${text}\n`, { tomlVersion: '1.1' });
    const secrets: Secret[] = [];
    const spans: [number, number][] = [];
    const parts = program.body[0].body;
    for (const [index, part] of parts.entries()) {
      if (part.type === 'TOMLKeyValue') {
        addPair(text, part, [], secrets, spans);
        continue;
      }
      if (part.resolvedKey.some(isOfEnvironment)) spans.push([part.range[0], parts[index + 1]?.range[0] ?? text.length]);
      for (const pair of part.body) addPair(text, pair, part.resolvedKey, secrets, spans);
    }
    const comments = program.comments.filter(({ range }) => spans.some(([from, to]) => range[0] >= from && range[0] < to));
    return [...secrets, ...comments.map(({ range: [from, to] }, at) => ({ path: `comment within ${at}`, from: from + 1, to })), ...commentSecrets(text)];
  } catch (thrown) {
    if (thrown instanceof ParseError || thrown instanceof RangeError) return null;
    throw thrown;
  }
}

function addPair(text: string, pair: AST.TOMLKeyValue, within: Path, secrets: Secret[], spans: [number, number][]): void {
  const path = [...within, ...pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  if (path.some(isOfEnvironment)) {
    const end = text.indexOf('\n', pair.range[1]);
    spans.push([pair.range[0], end === -1 ? text.length : end]);
  }
  addValue(text, pair.value, path, secrets, spans);
}

function addValue(text: string, node: AST.TOMLContentNode, path: Path, secrets: Secret[], spans: [number, number][]): void {
  if (node.type === 'TOMLInlineTable') {
    for (const pair of node.body) addPair(text, pair, path, secrets, spans);
  } else if (node.type === 'TOMLArray') {
    for (const [index, item] of node.elements.entries()) addValue(text, item, [...path, index], secrets, spans);
  } else if (path.some(isOfEnvironment)) {
    const secret = { path: path.join('.'), from: node.range[0], to: node.range[1] };
    const last = path.findLast((part) => typeof part === 'string');
    secrets.push(typeof last === 'string' && isEnvironmentKey(last) ? behindName(text, secret) : secret);
  }
}

function isOfEnvironment(part: string | number): boolean {
  return typeof part === 'string' && isEnvironmentKey(part);
}
