// Writes the generated parts of README.md: `node test/tooling/readme.ts`. A test says when that is due.
import { readFileSync, writeFileSync } from 'node:fs';
import { schemaTable, settingsTable } from '../../src/config/schema-text.ts';
import { emperorOptionsTable } from '../../src/config/emperor-options.ts';
import { CODES } from '../../src/errors.ts';

const FILE = new URL('../../README.md', import.meta.url).pathname;

/** README as it should be: the text between the markers comes from the code. */
export function generated(text: string): string {
  const codes = ['| code | meaning |', '|---|---|', ...Object.entries(CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)].join('\n');
  const parts = { keys: schemaTable(), settings: settingsTable(), 'uwsgi-options': emperorOptionsTable(), codes };
  return Object.entries(parts).reduce((whole, [marker, part]) => put(whole, marker, part.trim()), text);
}

function put(text: string, marker: string, part: string): string {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (to < from) throw new Error(`README.md has no part ${begin} … ${end}`);
  return `${text.slice(0, from)}\n${part}\n${text.slice(to)}`;
}

if (import.meta.main) writeFileSync(FILE, generated(readFileSync(FILE, 'utf8')));
