import { expect, it } from 'vitest';
import { readToml } from '../../src/config/toml.ts';
import type { Reading } from '../../src/config/tree.ts';
import { outcome } from './plain.ts';

const read = (text: string): Reading => readToml(text, '/v/shop.toml');

it.each([
  ['reads values of all kinds', 'a = "x"\nb = 2\nc = true\nd = 1979-05-27', [['a @1', '"x" @1'], ['b @2', '2 @2'], ['c @3', 'true @3'], ['d @4', '"1979-05-27" @4']]],
  ['reads lists over several lines', 'a = [\n "x",\n "y",\n]', [['a @1', ['"x" @2', '"y" @3']]]],
  ['reads tables in each way of writing them', '[v]\na.b = 1\nc = { d.e = 2 }\n[v.f]\ng = 3', [['v @1', [['a @2', [['b @2', '1 @2']]], ['c @3', [['d @3', [['e @3', '2 @3']]]]], ['f @4', [['g @5', '3 @5']]]]]]],
  ['reads the line breaks of TOML 1.1 in a table', 'a = {\n b = 1,\n}', [['a @1', [['b @2', '1 @2']]]]],
  ['does not split a quoted key', '"a.b" = 1', [['a.b @1', '1 @1']]],
  ['takes __proto__ for a name like any other', '[constructor]\n__proto__ = 1', [['constructor @1', [['__proto__ @2', '1 @2']]]]],
  ['tells of a table that is given twice', '[v]\n[w]\n[v]', ['E_KEY_DUPLICATE:3 "v" is given twice']],
  ['tells the line of an error', 'a = 1\nb = 2 3\nc = 2', ['E_SYNTAX:2 not valid TOML: Must be a newline']],
  ['tells the line where a value is missing', 'a = 1\nb = \n\nc = 2', ['E_SYNTAX:2 not valid TOML: Unexpected character']],
])('%s', (_, text, expected) => {
  expect(outcome(read(text))).toEqual(expected);
});

it('keeps how a number is written', () => {
  const reading = read('umask = 0o022');
  expect(reading.ok && reading.tree.entries.get('umask')?.value).toMatchObject({ value: 18, source: '0o022' });
});

it.each([
  ['tables', '[[k]]\n'.repeat(1_001), 'TOML with more than 1000 tables is not read'],
  ['text', '#'.repeat(2 ** 18 + 1), 'TOML longer than 256 KiB is not read'],
])('too much %s is not even parsed, as the emperor would wait for that', (_what, text, message) => {
  expect(readToml(text, '/v/a.toml')).toMatchObject({ ok: false, faults: [{ code: 'E_SYNTAX', message, hint: 'write it as JSON' }] });
});
