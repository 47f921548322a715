import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { faultsOf } from './config/context.ts';
import { generated } from './tooling/readme.ts';

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const hello = readFileSync(new URL('../vassals/hello.yaml', import.meta.url), 'utf8');

/** The code blocks of one language. */
function blocks(language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name, block = '']) => (name === language ? [block] : []));
}

const EXAMPLES = (['toml', 'yaml'] as const).flatMap((language) => blocks(language).map((block, index) => ({ name: `${language} ${index + 1}`, file: `/etc/v/example.${language}`, block })));

it('has the keys and the codes as the code has them (mend it with: node test/tooling/readme.ts)', () => {
  expect(generated(text)).toBe(text);
});

/** Rows of tables whose last column is called `test`. */
const TESTED = [...text.matchAll(/^\|[^\n]*\| test \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/gm)].flatMap(([, rows = '']) => rows.trim().split('\n'));

it('has what uWSGI does, and where it surprises, with a test in each row', () => {
  expect(TESTED.length).toBeGreaterThan(40);
  expect(TESTED.filter((row) => !/`test\/[\w/.-]+\.test\.ts` \|$/.test(row))).toEqual([]);
});

it('names no test that is not there', () => {
  const named = [...new Set(text.match(/test\/[\w/.-]+\.(?:ts|sh|mjs|py)\b/g))];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([]);
});

it('has examples of vassal files', () => {
  expect(EXAMPLES.length).toBeGreaterThan(8);
});

it.each(EXAMPLES)('has an example ($name) without faults', ({ file, block }) => {
  expect(faultsOf(file, block)).toEqual([]);
});

it('shows vassals/hello.yaml as it is', () => {
  const lines = blocks('yaml')[0]?.trim().split('\n') ?? [];
  expect(lines.length).toBeGreaterThan(5);
  expect(hello).toContain(lines.join('\n'));
});
