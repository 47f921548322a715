import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitWords } from '../../src/config/words.ts';

it.each<[string, string[]]>([
  ['node server.js', ['node', 'server.js']],
  ['  node \t server.js\n', ['node', 'server.js']],
  ['', []],
  [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  [String.raw`a\ b \"c\" \\`, ['a b', '"c"', '\\']],
  [String.raw`'a\b'`, ['a\\b']],
  ['"a\\b \\" \\\\ \\$ \\`"', ['a\\b " \\ $ `']],
  ['a\\\nb "c\\\nd"', ['ab', 'cd']],
  [`sh -c "a && b | c; echo $PORT"`, ['sh', '-c', 'a && b | c; echo $PORT']],
  ['a --b=* ~/c d?e {f,g} !h #i', ['a', '--b=*', '~/c', 'd?e', '{f,g}', '!h', '#i']],
  ['cost 5$ $', ['cost', '5$', '$']],
  ['a %(b c) $(D)/e %n', ['a', '%(b c)', '$(D)/e', '%n']],
  ['größe 💥', ['größe', '💥']],
])('splits %j as a shell would', (text, words) => {
  expect(splitWords(text)).toEqual({ ok: true, words });
});

it.each([
  ['a | b', '"|" means something to a shell only'],
  ['a && b', '"&&" means something to a shell only'],
  ['a &', '"&" means something to a shell only'],
  ['a; b', '";" means something to a shell only'],
  ['a > b', '">" means something to a shell only'],
  ['a < b', '"<" means something to a shell only'],
  ['a 2>&1', '">&" means something to a shell only'],
  ['a `b`', '"`" means something to a shell only'],
  ['(a)', '"(" means something to a shell only'],
  ['a $PORT', '"$PORT" means something to a shell only'],
  ['a ${PORT}', '"${PORT}" means something to a shell only'],
  ['a "b', 'a quote (") is not closed'],
  [`a 'b`, "a quote (') is not closed"],
  ['a "b\\', 'a quote (") is not closed'],
  ['a \\', 'the command ends in a backslash'],
])('refuses %j', (text, message) => {
  expect(splitWords(text)).toMatchObject({ ok: false, message });
});

it('gives back any words that were put into single quotes', () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    expect(splitWords(quoted)).toEqual({ ok: true, words });
  }));
});
