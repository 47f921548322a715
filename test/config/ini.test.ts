import { expect, it } from 'vitest';
import { readIni } from '../../src/config/ini.ts';
import { outcome } from './plain.ts';

const read = (text: string) => outcome(readIni(text, '/v/shop.ini'));

it.each([
  ['splits at the first =', 'a = b = c', [['a @1', '"b = c" @1']]],
  ['trims spaces, tabs and the CR of Windows', '\t a \t=\t b \r\nc=d\r', [['a @1', '"b" @1'], ['c @2', '"d" @2']]],
  ['takes ; and # for a comment only in front', ' ; no\n#no\na = b ; c # d', [['a @3', '"b ; c # d" @3']]],
  ['keeps quotes', 'a = "b c"', [['a @1', '"\\"b c\\"" @1']]],
  ['knows no continuation lines', 'a = b\\\n  c', [['a @1', '"b\\\\" @1'], ['c @2', '"" @2']]],
  ['gives a key without = the value ""', 'master', [['master @1', '"" @1']]],
  ['makes a list of a repeated key', 'a = 1\nb = x\na = 2\na = 3', [['a @1', ['"1" @1', '"2" @3', '"3" @4']], ['b @2', '"x" @2']]],
  ['puts a dotted key into a table', '[v]\nlog.keep = 1\nlog.format = raw', [['v @1', [['log @2', [['keep @2', '"1" @2'], ['format @3', '"raw" @3']]]]]]],
  ['splits a dotted key once', 'e.A.B = 1', [['e @1', [['A.B @1', '"1" @1']]]]],
  ['keeps a value and dotted keys of one name', 'e = A=1\ne.B = 2', [['e @1', ['"A=1" @1', [['B @2', '"2" @2']]]]]],
  ['goes on with a section that comes again', '[v]\na = 1\n[w]\nb = 2\n[v]\nc = 3', [['v @1', [['a @2', '"1" @2'], ['c @6', '"3" @6']]], ['w @3', [['b @4', '"2" @4']]]]],
  ['notes a uwsgi section and leaves its content alone', '[uwsgi]\nhttp = :80\nif-env = X\n%(foo\n[v]\na = 1', [['uwsgi @1', []], ['v @5', [['a @6', '"1" @6']]]]],
  ['tells of each section header that is not closed', '[v\na = 1\n[w', ['E_SYNTAX:1 section header [v is not closed', 'E_SYNTAX:3 section header [w is not closed']],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected);
});
