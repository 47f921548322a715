import { isEnvironmentKey } from './environment-key.ts';
import { behindName, type Secret } from './secret.ts';

/** Comment, CDATA, tag, or text. What is not closed goes on to the end. */
const TOKEN = /<!--[^]*?(?:-->|$)|<!\[CDATA\[[^]*?(?:\]\]>|$)|<(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^"'>])*(?:>|$)|[^<]+/g;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"[^"]*"?|'[^']*'?|[^\s"'>/]+)/g;

/** The secrets of XML: all text, attributes and comments inside of `<environment>`, attributes of that name, and comments that speak of it. Broken XML is no obstacle. */
export function xmlSecrets(text: string): readonly Secret[] {
  const secrets: Secret[] = [];
  const open: string[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const inside = open.some(isEnvironmentKey);
    const path = open.join('.');
    if (token.startsWith('<!--')) {
      if (inside || /\benv/i.test(token)) secrets.push({ path: `comment ${secrets.length}`, from: index + '<!--'.length, to: index + token.length });
      continue;
    }
    const [, closing, name] = /^<(\/?)([\w.:-]+)/.exec(token) ?? [];
    if (name === undefined) {
      const whole = { path, from: index, to: index + token.trimEnd().length };
      if (inside && token.trim() !== '') secrets.push(isEnvironmentKey(open.at(-1) ?? '') ? behindName(text, whole) : whole);
      continue;
    }
    if (closing === '/') {
      const at = open.lastIndexOf(name);
      if (at !== -1) open.splice(at);
      continue;
    }
    const start = index + name.length + 1;
    for (const attribute of token.slice(name.length + 1).matchAll(ATTRIBUTE)) {
      const [whole, key = ''] = attribute;
      if (!inside && !isEnvironmentKey(name) && !isEnvironmentKey(key)) continue;
      secrets.push({ path: `${path}.${name}.${key}`, from: start + attribute.index + key.length + 1, to: start + attribute.index + whole.length });
    }
    if (!token.endsWith('/>')) open.push(name);
  }
  return secrets;
}
