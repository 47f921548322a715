import type { Key, Keys } from './keys.ts';
import { VASSAL_KEYS } from './schema.ts';
import { SETTINGS_KEYS } from './settings.ts';

/** The keys of a vassal section as a markdown table, for README. Ends in a newline. */
export function schemaTable(): string {
  return table(rowsOf(VASSAL_KEYS));
}

/** The keys of `emperor.toml` as a markdown table, for README. Ends in a newline. */
export function settingsTable(): string {
  return table(rowsOf(SETTINGS_KEYS));
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, key }) => `| \`${name}\` | ${key.doc} | ${key.default || '–'} | \`${name} = ${key.example}\` |\n`);
  return `| key | meaning | default | example |\n|---|---|---|---|\n${lines.join('')}`;
}

/** The keys of a vassal section as plain text in columns, for --help. Ends in a newline. */
export function schemaHelp(): string {
  const rows = rowsOf(VASSAL_KEYS);
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, key }) => `  ${name.padEnd(width)}  ${key.doc}${key.default === '' ? '' : ` (default: ${key.default})`}`);
  return `${lines.join('\n')}\n`.replaceAll('`', '');
}

interface Row {
  readonly name: string;
  readonly key: Key<unknown>;
}

/** All keys, those of tables behind their table: `backoff.first`. */
function rowsOf(keys: Keys<object>, within = ''): Row[] {
  return entriesOf(keys).flatMap(([name, key]) => [{ name: `${within}${name}`, key }, ...(key.inner === undefined ? [] : rowsOf(key.inner, `${within}${name}.`))]);
}

function entriesOf(keys: Keys<object>): [string, Key<unknown>][] {
  return Object.entries({ ...keys });
}
