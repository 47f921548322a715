import type { Key, Keys } from './keys.ts';
import { VASSAL_KEYS } from './schema.ts';
import { SETTINGS_KEYS } from './settings.ts';

/** The keys of a vassal section as a markdown table, for README. Ends in a newline. */
export function schemaTable(): string {
  const ahead = entriesOf(VASSAL_KEYS).filter(([, key]) => key.since === 'later').map(([name]) => `\`${name}\``);
  return `${table(workingKeys())}\nKnown, and refused until a later version: ${ahead.join(', ')}.\n`;
}

/** The keys of `emperor.toml` as a markdown table, for README. Ends in a newline. */
export function settingsTable(): string {
  return table(workingKeys(SETTINGS_KEYS));
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, key }) => `| \`${name}\` | ${key.doc} | ${key.default || '–'} | \`${name} = ${key.example}\` |\n`);
  return `| key | meaning | default | example |\n|---|---|---|---|\n${lines.join('')}`;
}

/** The keys of a vassal section as plain text in columns, for --help. Ends in a newline. */
export function schemaHelp(): string {
  const rows = workingKeys();
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, key }) => `  ${name.padEnd(width)}  ${key.doc}${key.default === '' ? '' : ` (default: ${key.default})`}`);
  return `${lines.join('\n')}\n`.replaceAll('`', '');
}

interface Row {
  readonly name: string;
  readonly key: Key<unknown>;
}

/** Keys that work, those of tables behind their table: `backoff.first`. */
function workingKeys(keys: Keys<object> = VASSAL_KEYS, within = ''): Row[] {
  return entriesOf(keys)
    .filter(([, key]) => key.since === 'now')
    .flatMap(([name, key]) => [{ name: `${within}${name}`, key }, ...(key.inner === undefined ? [] : workingKeys(key.inner, `${within}${name}.`))]);
}

function entriesOf(keys: Keys<object>): [string, Key<unknown>][] {
  return Object.entries({ ...keys });
}
