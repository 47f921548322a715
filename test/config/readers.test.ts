import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { EXTENSIONS, readerOf } from '../../src/config/syntax.ts';
import { parse } from './context.ts';

/** Pieces that mean something in some syntax, so that random texts come near to real ones. */
const CRUMBS = fc.constantFrom(
  'vassal', 'uwsgi', 'command', 'log', 'a', '[', ']', '[[', '{', '}', '<', '>', '</', '/>', '<!--', '-->', '<![CDATA[', '<?', '"', "'", '"""', '=', ':', ': ', ',', '.', '#', ';',
  '- ', '&x ', '*x', '<<: ', '|', '>-', '? ', '!!', '---', '%', '%n', '%(', '$(', ')', '\\', '&amp;', '&#', '0x', '022', '1e9', 'null', '__proto__', 'constructor', ' ', '  ', '\t', '\n', '\n  ', '\r\n', '\uFEFF', '\uD800', '💥', 'é',
);
const TEXT = fc.oneof(fc.array(CRUMBS, { maxLength: 60 }).map((crumbs) => crumbs.join('')), fc.string({ unit: 'binary', maxLength: 200 }));

it.each(EXTENSIONS)('no %s text makes the reader throw: it is read, or has faults', (extension) => {
  const read = readerOf(`/v/shop${extension}`);
  fc.assert(fc.property(TEXT, (text) => {
    const reading = read?.(text, '/v/shop');
    expect(reading?.ok === true || (reading?.ok === false && reading.faults.length > 0)).toBe(true);
  }), { numRuns: 2000 });
});

it.each(EXTENSIONS)('no %s text makes the parser throw: it is a spec, or has faults', (extension) => {
  fc.assert(fc.property(TEXT, (text) => {
    const outcome = parse(`/v/shop${extension}`, text);
    expect(outcome.ok || outcome.faults.length > 0).toBe(true);
  }), { numRuns: 1000 });
});

const VALUES = fc.oneof(
  fc.array(fc.constantFrom('127.0.0.1', '::1', '::', '*', '[', ']', ':', '/', '.', '..', '@', '#', '?', '%%', 'unix:', 'http://', '80', '0', '99999', '-', '(', ')', '*', '+', '\\', '{', '}', 'a', 'é', ' '), { maxLength: 12 }).map((crumbs) => crumbs.join('')),
  fc.string({ unit: 'binary', maxLength: 100 }),
);

it.each(['listen', 'listen.address', 'listen.mode', 'canary.share', 'ready.http', 'ready.tcp', 'ready.log', 'ready.status', 'ready.notify', 'health.http', 'health.body', 'after'])('no value of %s makes the parser throw', (key) => {
  const [table, inner] = key.split('.');
  fc.assert(fc.property(VALUES, (value) => {
    const outcome = parse('/v/shop.json', JSON.stringify({ vassal: { command: 'a', listen: ':80', [table ?? '']: inner === undefined ? value : { [inner]: value } } }));
    expect(outcome.ok || outcome.faults.length > 0).toBe(true);
  }), { numRuns: 500 });
});

it.each(['listen', 'ready.http', 'ready.tcp', 'ready.log', 'ready.status', 'canary.share'])('300,000 characters stall nobody who reads %s', (key) => {
  for (const crumb of ['[', ':', ':1', '/', '.', '../', 'unix:/', 'http://unix:', 'a', '(', '1', '0.', '-']) {
    const outcome = parse('/v/shop.ini', `[vassal]\ncommand = a\n${key} = ${crumb.repeat(300_000 / crumb.length)}`);
    expect(outcome.ok).toBe(false);
  }
});

const LONG = 30_000;
const STARTS: Readonly<Record<string, string>> = { '.ini': '[vassal]\ncommand = ', '.toml': '[vassal]\ncommand = ', '.json': '{"vassal":{"command":', '.xml': '<vassal><command>' };
const HOSTILE: readonly string[] = [
  '[', '{', '(', '<', '"', "'", '&', '%', '=', '\n', '\t', '- ', 'a:', 'a: ', '? ', '[a', '{a: ', '{"a":', '<a>', '<!--', '<![CDATA[', '<a ', '[[a]]\n', 'a.', '"""', '%(', '$(', '&a ', '*a ', '|\n', '\\', '---\n', '\0', '\u{10FFFF}',
];

it.each(HOSTILE)('30,000 characters of %j harm nobody in any syntax', (crumb) => {
  for (const extension of EXTENSIONS) {
    for (const start of ['', STARTS[extension] ?? 'vassal:\n  command: ']) {
      const outcome = parse(`/v/shop${extension}`, start + crumb.repeat(LONG / crumb.length));
      expect(outcome.ok || outcome.faults.length > 0).toBe(true);
    }
  }
});

const MANY = Array.from({ length: 10_000 }, (_, index) => index);
it.each([
  ['.ini', `[vassal]\ncommand = node a.js\n${MANY.map((n) => `environment.K${n} = value ${n}`).join('\n')}`],
  ['.ini', `[vassal]\ncommand = node a.js\n${MANY.map((n) => `environment = K${n}=value ${n}`).join('\n')}`],
  ['.toml', `[vassal]\ncommand = "node a.js"\n[vassal.environment]\n${MANY.map((n) => `K${n} = "value ${n}"`).join('\n')}`],
  ['.yaml', `vassal:\n  command: node a.js\n  environment:\n${MANY.map((n) => `    K${n}: value ${n}`).join('\n')}`],
  ['.json', `{"vassal": {"command": "node a.js", "environment": {\n${MANY.map((n) => `"K${n}": "value ${n}"`).join(',\n')}}}}`],
  ['.xml', `<vassal><command>node a.js</command><environment>\n${MANY.map((n) => `<K${n}>value ${n}</K${n}>`).join('\n')}</environment></vassal>`],
])('reads a %s file of 10,000 lines', (extension, text) => {
  const outcome = parse(`/v/shop${extension}`, text);
  expect(outcome.ok && Object.keys(outcome.spec.environment).length).toBe(10_000);
});

it('tells the first hundred of 10,000 faults', () => {
  const outcome = parse('/v/shop.ini', `[vassal]\ncommand = node a.js\n${MANY.map((n) => `key-number-${n} = 1`).join('\n')}`);
  expect(outcome.ok ? [] : outcome.faults.map((fault) => fault.line)).toEqual(Array.from({ length: 100 }, (_, index) => index + 3));
});

it.each(['/v/shop', '/v/shop.conf', '/v/.ini', '/v/shop.ini~', '/v.ini/shop', '/v/shop.js', '/v/shop.INI'])('has no reader for %s', (path) => {
  expect(readerOf(path)).toBeNull();
});
