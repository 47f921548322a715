import { isAlias, isMap, isScalar, isSeq, parseDocument, visit, type Document, type ParsedNode } from 'yaml';
import { commentSecrets } from './comment-secrets.ts';
import { isEnvironmentKey } from './environment-key.ts';
import { behindName, type Secret } from './secret.ts';

/** As in yaml.ts: its parser needs too long for more. */
const LONGEST = 256 * 1024;

interface Search {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly secrets: Secret[];
  /** Names, which are shown; a `#` in one begins no comment. */
  readonly names: [number, number][];
  readonly seen: Set<unknown>;
}

/** The secrets of YAML, and of JSON, which is YAML: values below a key `environment`, also those that an alias leads to, and comments among them. */
export function yamlSecrets(text: string): readonly Secret[] | null {
  if (text.length > LONGEST) return null;
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0) return null;
    const search: Search = { text, document, secrets: [], names: [], seen: new Set() };
    const comments: Secret[] = [];
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key) || !isEnvironmentKey(String(key.value))) return undefined;
        hide(search, value as ParsedNode | null, String(key.value), true);
        const [from = 0] = key.range ?? [];
        comments.push(...commentsWithin(search, from, (value as ParsedNode | null)?.range[2] ?? text.length));
        return visit.SKIP;
      },
    });
    return [...search.secrets, ...comments, ...commentSecrets(text)];
  } catch (thrown) {
    // What breaks the parser itself, such as nesting without end, breaks yaml.ts, too.
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

/** @param bare the value has no name of its own: it may be `NAME=value` */
function hide(search: Search, node: ParsedNode | null, path: string, bare: boolean): void {
  if (node === null || search.seen.has(node)) return;
  search.seen.add(node);
  const { text, document, secrets } = search;
  if (isAlias(node)) {
    visit(document, {
      Node(_, target) {
        if ('anchor' in target && target.anchor === node.source) hide(search, target as ParsedNode, path, bare);
      },
    });
  } else if (isMap(node)) {
    for (const { key, value } of node.items) {
      search.names.push([key.range[0], key.range[1]]);
      hide(search, value, `${path}.${isScalar(key) ? String(key.value) : ''}`, false);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) hide(search, item, `${path}.${index}`, bare);
  } else {
    const secret = { path, from: node.range[0], to: node.range[1] };
    if (secret.to > secret.from) secrets.push(bare ? behindName(text, secret) : secret);
  }
}

/** What begins with `#` and is neither in a name nor in a value. */
function commentsWithin({ text, names, secrets }: Search, from: number, to: number): readonly Secret[] {
  const known = [...names, ...secrets.map((secret): [number, number] => [secret.from, secret.to])];
  const found: Secret[] = [];
  for (const { index } of text.slice(from, to).matchAll(/(?<=^|\s)#/gm)) {
    const at = from + index;
    if (known.some(([start, end]) => at >= start && at < end)) continue;
    const end = text.indexOf('\n', at);
    found.push({ path: `comment within ${found.length}`, from: at + 1, to: end === -1 ? text.length : end });
  }
  return found;
}
