import { extensionOf } from '../path.ts';
import { iniSecrets } from './ini-secrets.ts';
import type { FindSecrets, Secret } from './secret.ts';
import { tomlSecrets } from './toml-secrets.ts';
import { xmlSecrets } from './xml-secrets.ts';
import { yamlSecrets } from './yaml-secrets.ts';

const FINDERS: ReadonlyMap<string, FindSecrets> = new Map<string, FindSecrets>([
  ['.ini', iniSecrets],
  ['.toml', tomlSecrets],
  ['.yaml', yamlSecrets],
  ['.yml', yamlSecrets],
  ['.json', yamlSecrets],
  ['.xml', xmlSecrets],
]);

/** Stands where a secret was. */
const HIDDEN = '…hidden';
const CHANGED = '…hidden, changed';

/**
 * Two texts of one vassal file without the values of its environment, for people to compare: `PASSWORD: …hidden`. In the newer one a value that
 * differs from what its variable had is `…hidden, changed`. Lines keep their numbers. Of a text that cannot be parsed nothing is shown
 * from the first mention of an environment on. Pure.
 * @param file its extension tells the syntax
 */
export function hideEnvironment(file: string, older: string, newer: string): { readonly older: string; readonly newer: string } {
  const before = secretsOf(file, older);
  const values = new Map(before.map((secret) => [secret.path, valueOf(older, secret)]));
  return {
    older: without(older, before, () => HIDDEN),
    newer: without(newer, secretsOf(file, newer), (secret) => {
      const value = values.get(secret.path);
      return value === undefined || value === valueOf(newer, secret) ? HIDDEN : CHANGED;
    }),
  };
}

function secretsOf(file: string, text: string): readonly Secret[] {
  const find = FINDERS.get(extensionOf(file));
  return find?.(text) ?? restOf(text);
}

/** Everything behind the first word that looks like an environment. */
function restOf(text: string): readonly Secret[] {
  const found = /env/i.exec(text);
  if (found === null) return [];
  const from = found.index + (/^[\w.-]*/.exec(text.slice(found.index))?.[0].length ?? 0);
  return [{ path: 'rest', from, to: text.length }];
}

function valueOf(text: string, { from, to }: Secret): string {
  return text.slice(from, to).trim();
}

function without(text: string, secrets: readonly Secret[], label: (secret: Secret) => string): string {
  let shown = '';
  let at = 0;
  for (const secret of secrets.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    if (secret.to <= at) continue;
    const from = Math.max(secret.from, at);
    const hidden = text.slice(from, secret.to);
    const lead = /^[ \t]*/.exec(hidden)?.[0] ?? '';
    if (hidden.trim() === '') continue;
    // Only how many lines it has is told.
    shown += `${text.slice(at, from)}${lead}${from > secret.from ? '' : label(secret)}${'\n'.repeat(hidden.split('\n').length - 1)}`;
    at = secret.to;
  }
  return shown + text.slice(at);
}
