import { globSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import { checkReport } from '../../src/cli/render/check.ts';
import { EXTENSIONS } from '../../src/config/syntax.ts';
import type { Outcome, VassalId } from '../../src/core/listing.ts';
import { CODES } from '../../src/errors.ts';
import { contentOf } from '../../src/monitors/content.ts';
import { parse } from '../config/context.ts';
import { fuzz } from './fuzz.ts';
import { BYTES, mutated } from './mutated.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
/** Time of the processor in which a file of 32 KiB or less is read, ms. Not by the clock: the machine may do other things, too. */
const MOST_MS = 2_000;
const PROTOTYPE = Reflect.ownKeys(Object.prototype).length;

/** Files that did harm, or nearly; a character is a byte. */
const CORPUS: readonly string[] = ['', '\0', '\xff', '\xef\xbb\xbf', '\x1b[2J=1', '__proto__ = 1', '{"__proto__": {"vassal": 1}}', '[__proto__]\nx = 1', '__proto__:\n  vassal: 1', '<__proto__><vassal/></__proto__>', '['.repeat(30_000)];

/** What means something in one syntax or another. */
const PIECES: readonly string[] = [
  '[', ']', '[[', ']]', '{', '}', '<', '>', '</', '/>', '<!--', '-->', '<![CDATA[', ']]>', '<?', '<!DOCTYPE x>', '"', "'", '"""', "'''", '=', ':', ': ', ',', '.', '#', ';', '- ', '? ', '&a ', '*a', '<<: *a', '|\n', '>-\n', '!!str ', '!x ', '%YAML 1.2\n',
  '---\n', '...\n', '%', '%%', '%n', '%(app)', '%(', '$(HOME)', '$(', ')', '\\', '\\u0000', '\\ud800', '&amp;', '&#0;', '&#x1F98A;', '0x1F', '0o22', '1e999', '-0', 'nan', 'inf', '.inf', 'null', '~', 'true', 'yes', '1979-05-27', ' ', '  ', '\t', '\n', '\n  ', '\r', '\r\n', '\0',
  '\uFEFF', '\u2028', '\u0085', '\u001B[31m', '\u202E', 'é', '💥', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'vassal', 'uwsgi', '[vassal]\n', '[uwsgi]\n', 'server', 'command', 'listen', 'environment', 'ready', 'http', 'canary', 'instances', 'pass', 'unix:', '127.0.0.1:80', '[::]:80', '500ms', '64M', '5%',
];

/** Our examples and the broken files of the tests, of one extension. */
function seedsOf(extension: string): readonly Buffer[] {
  const files = globSync([`vassals/*${extension}*`, `test/fixtures/vassals/*${extension}`], { cwd: ROOT }).sort();
  return [...files.map((file) => readFileSync(ROOT + file)), Buffer.from(SMALL[extension] ?? '')];
}

const SMALL: Readonly<Record<string, string>> = {
  '.ini': '[vassal]\nserver = gunicorn\napp = shop:app\nlisten = :80\nlisten = unix:/run/%n.sock\nenvironment.A = 1\nready.http = /\n[uwsgi]\nx = 1\n',
  '.toml': '[vassal]\ncommand = ["a", \'b\']\nlisten = [":80", { address = "unix:/run/x", mode = "660" }]\nready = { http = "/", status = "200" }\n[vassal.environment]\nA.B = 1\n',
  '.yaml': 'vassal: &v\n  command: [a, "b"]\n  environment: {A: 1}\n  health:\n    http: /\n    watchdog: 5s\n  after:\n    - x\n',
  '.yml': 'vassal:\n  <<: &x {command: a}\n  umask: 022\n',
  '.json': '{"vassal": {"command": ["a"], "canary": {"share": "5%"}, "listen": [":80"], "environment": {"A": null}}}',
  '.xml': '<?xml version="1.0"?><emperor><vassal server="node"><app>a.js</app><listen>:80</listen><backoff><first>1s</first></backoff></vassal><uwsgi/></emperor>',
};

function read(extension: string, bytes: Buffer): Outcome {
  const id = `/v/shop${extension}` as VassalId;
  const content = contentOf(id, bytes);
  return content.ok ? parse(id, content.text) : { ok: false, faults: [content.fault] };
}

function fillsTheStack(outcome: Outcome): boolean {
  return !outcome.ok && outcome.faults.some(({ message }) => /call stack|nested too deeply/.test(message));
}

/** What holds for each file, whatever is in it. */
function check(extension: string, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const before = process.threadCpuUsage();
  const outcome = read(extension, bytes);
  expect(process.threadCpuUsage(before).user / 1_000).toBeLessThan(MOST_MS);
  const again = read(extension, bytes);
  // How deep the parser of YAML comes before the stack is full differs from time to time.
  if (!fillsTheStack(outcome) && !fillsTheStack(again)) expect(isDeepStrictEqual(again, outcome)).toBe(true);
  else expect(again.ok).toBe(outcome.ok);
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(PROTOTYPE);
  if (outcome.ok) {
    const { argv, environment, directory } = outcome.spec;
    for (const text of [...argv, directory, ...Object.entries(environment).flat()]) expect(typeof text === 'string' && !text.includes('\0')).toBe(true);
    return;
  }
  expect(outcome.faults.length).toBeGreaterThan(0);
  const lines = text.split('\n').length;
  for (const { code, file, line, message } of outcome.faults) {
    expect(Object.hasOwn(CODES, code) && message !== '').toBe(true);
    expect(file).toBe(`/v/shop${extension}`);
    expect(line === null || (Number.isInteger(line) && line >= 1 && line <= lines), `line ${line} of ${lines}`).toBe(true);
  }
  expect(checkReport({ files: [{ file: `/v/shop${extension}`, name: 'shop', faults: outcome.faults }] })).toMatch(/^[\P{C}\t\n]*$/u);
}

for (const extension of EXTENSIONS) {
  fuzz({
    name: `a ${extension} file is a spec or has faults with a place, at once, the same each time`,
    inputs: fc.oneof({ weight: 5, arbitrary: mutated(seedsOf(extension), PIECES) }, BYTES).map((bytes) => bytes.toString('latin1')),
    corpus: CORPUS,
    runs: 250,
    check: (text) => check(extension, text),
  });
}
