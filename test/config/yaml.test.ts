import { expect, it } from 'vitest';
import type { Reading } from '../../src/config/tree.ts';
import { readYaml } from '../../src/config/yaml.ts';
import { outcome } from './plain.ts';

const read = (text: string): Reading => readYaml(text, '/v/shop.yaml');

it.each([
  ['reads values of all kinds', 'a: x\nb: 2\nc: true\nd:\ne: "y"', [['a @1', '"x" @1'], ['b @2', '2 @2'], ['c @3', 'true @3'], ['d @4', 'null @4'], ['e @5', '"y" @5']]],
  ['leaves no and on as the words that they are', 'a: no\nb: on', [['a @1', '"no" @1'], ['b @2', '"on" @2']]],
  ['reads lists and tables, in blocks and in brackets', 'a:\n  - x\n  - y\nb: [1, {c: 2}]', [['a @1', ['"x" @2', '"y" @3']], ['b @4', ['1 @4', [['c @4', '2 @4']]]]]],
  ['fills in aliases', 'a: &x [1]\nb: *x', [['a @1', ['1 @1']], ['b @2', ['1 @1']]]],
  ['takes the last anchor before an alias', 'a: &x 1\nb: &x 2\nc: *x', [['a @1', '1 @1'], ['b @2', '2 @2'], ['c @3', '2 @2']]],
  ['merges <<, where the own keys count more', 'a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3', [['a @1', [['p @1', '1 @1'], ['q @1', '2 @1']]], ['b @2', [['q @4', '3 @4'], ['p @1', '1 @1']]]]],
  ['merges a list of tables, where the first counts more', 'b:\n  <<: [{p: 1}, {p: 2, q: 3}]', [['b @1', [['p @2', '1 @2'], ['q @2', '3 @2']]]]],
  ['takes __proto__ for a name like any other', '__proto__: {a: 1}', [['__proto__ @1', [['a @1', '1 @1']]]]],
  ['reads an empty document as an empty table', '# nothing', []],
  ['notes a uwsgi section and leaves its content alone', 'uwsgi:\n  env: A=1\n  env: B=2\nv: 1', [['uwsgi @1', []], ['v @4', '1 @4']]],
  ['takes a file for uWSGI alone as it is, even what is no YAML', 'uwsgi:\n  chdir: %d\n  master: 1', [['uwsgi @1', []]]],
  ['judges a file that has a vassal section too', 'uwsgi:\n  chdir: %d\nvassal:\n  user: a', ['E_SYNTAX:2 not valid YAML: Plain value cannot start with directive indicator character %']],
  ['tells all doubled keys', 'a: 1\na: 2\nb: {c: 1, c: 2}', ['E_KEY_DUPLICATE:2 key "a" is given twice', 'E_KEY_DUPLICATE:3 key "c" is given twice']],
  ['wants tables behind <<', 'a:\n  <<: 1', ['E_SYNTAX:2 a merge key (<<) takes a table or a list of tables']],
  ['wants text for keys', '[a]: 1', ['E_SYNTAX:1 a key of YAML has to be plain text']],
])('%s', (_, text, expected) => {
  expect(outcome(read(text))).toEqual(expected);
});

it('keeps how a number is written', () => {
  const reading = read('umask: 022');
  expect(reading.ok && reading.tree.entries.get('umask')?.value).toMatchObject({ value: 22, source: '022' });
});

it('refuses what would keep the emperor waiting', () => {
  expect(outcome(read('a: 1\n'.repeat(60_000)))).toEqual(['E_SYNTAX:null YAML longer than 256 KiB is not read']);
});
