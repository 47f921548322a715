import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readJson } from '../../src/config/json.ts';
import type { Node, Reading } from '../../src/config/tree.ts';
import { outcome } from './plain.ts';

const read = (text: string): Reading => readJson(text, '/v/shop.json');

it.each([
  ['reads values of all kinds', '{"a": "x\\u0041",\n"b": -1.5e3, "c": [true, null]}', [['a @1', '"xA" @1'], ['b @2', '-1500 @2'], ['c @2', ['true @2', 'null @2']]]],
  ['takes __proto__ and constructor for names like any other', '{"__proto__": {"a": 1}, "constructor": 2}', [['__proto__ @1', [['a @1', '1 @1']]], ['constructor @1', '2 @1']]],
  ['tells all doubled keys', '{"a": 1,\n"a": 2,\n"b": {"c": 1, "c": 2}}', ['E_KEY_DUPLICATE:2 key "a" is given twice', 'E_KEY_DUPLICATE:3 key "c" is given twice']],
  ['lets uWSGI double its own keys', '{"uwsgi": {"env": "A=1", "env": "B=2"}}', [['uwsgi @1', [['env @1', '"B=2" @1']]]]],
  ['tells the line of an error', '{"a": 1,\n"b": tru,\n"c": 2}', ['E_SYNTAX:2 not valid JSON: unexpected "t"']],
  ['tells where the text ends too early', '{"a": 1,\n', ['E_SYNTAX:2 not valid JSON: it ends too early']],
  ['tells what stands behind the end', '{}\n{}', ['E_SYNTAX:2 not valid JSON: unexpected "{"']],
  ['refuses nesting without end', '['.repeat(100_000), ['E_SYNTAX:1 not valid JSON: it is nested too deeply']],
])('%s', (_, text, expected) => {
  expect(outcome(read(text))).toEqual(expected);
});

it('reads what JSON.parse reads, and the same values', () => {
  fc.assert(fc.property(fc.dictionary(fc.string().filter((key) => key !== '__proto__'), fc.jsonValue({ maxDepth: 6 })), fc.nat(2), (value, indent) => {
    const reading = read(JSON.stringify(value, null, indent));
    expect(reading.ok && valueOf(reading.tree)).toEqual(JSON.parse(JSON.stringify(value)));
  }));
});

it('refuses what JSON.parse refuses', () => {
  const crumb = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', '0', '.5', 'e1', 'true', 'null', 'x', ' ', '\n', '\\', '\t');
  fc.assert(fc.property(fc.array(crumb, { maxLength: 12 }), (crumbs) => {
    const text = crumbs.join('');
    const reading = read(text);
    const syntax = reading.ok || reading.faults.every((fault) => fault.code === 'E_KEY_DUPLICATE');
    expect(syntax).toBe(isJson(text));
  }), { numRuns: 5000 });
});

function valueOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(valueOf);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, valueOf(entry.value)]));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
