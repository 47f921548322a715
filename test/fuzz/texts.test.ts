import fc from 'fast-check';
import { expect } from 'vitest';
import { expander, magicLetters } from '../../src/config/placeholders.ts';
import { reportOn } from '../../src/config/report.ts';
import { scalar, table } from '../../src/config/tree.ts';
import { splitWords } from '../../src/config/words.ts';
import { parseDuration } from '../../src/core/duration.ts';
import { parseProcessStat } from '../../src/kernel/process-stat.ts';
import { parseSaid } from '../../src/notify/said.ts';
import { parseEnvironmentFile } from '../../src/runner/environment-file.ts';
import { parseInterpreter } from '../../src/runner/program.ts';
import { CONTEXT } from '../config/context.ts';
import { fuzz } from './fuzz.ts';
import { mutated } from './mutated.ts';

/** Texts of pieces that mean something, and any others. */
function textOf(...pieces: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((each) => each.join('')) }, fc.string({ unit: 'binary', maxLength: 60 }));
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

fuzz({
  name: 'words that are quoted for a shell come back as they were',
  inputs: fc.array(textOf('a', "'", '"', '\\', ' ', '\n', '|', '$x', '`', '\t').filter((word) => !/[%$]\([^()]*\)/.test(word)), { maxLength: 6 }),
  corpus: [[''], ["'"], ['a\\', ' ']],
  runs: 1_000,
  check: (words) => expect(splitWords(words.map(quoted).join(' '))).toEqual({ ok: true, words }),
});

fuzz({
  name: 'a command line is a list of words or a fault',
  inputs: textOf('a', "'", '"', '\\', '\\\n', ' ', '|', '$x', '${x', '`', '%(', '$(', ')', '%n', '\0'),
  corpus: ['\\', '"\\', '%((', '$()'],
  runs: 1_000,
  check(text) {
    const split = splitWords(text);
    if (!split.ok) expect(split.message).not.toBe('');
    else expect(split.words.join('').length).toBeLessThanOrEqual(text.length);
  },
});

const VALUES = textOf('%', '%%', '%n', '%d', '%(a)', '%(b)', '%(c)', '%(', '$(HOME)', '$(ODD)', '$(', ')', '%\uD83E', '%🦊', 'x', '__proto__', '%(__proto__)', '$(__proto__)', '$(constructor)', '%[');

fuzz<readonly [string, string, string]>({
  name: 'placeholders give a text of bounded length, or a fault, and are the same each time',
  inputs: fc.tuple(VALUES, VALUES, VALUES),
  corpus: [['%(a)', '', ''], ['%(b)', '%(c)', '%(a)'], ['$(__proto__)', '$(constructor)', '%(toString)'], ['%(b)%(b)', '%(c)%(c)', 'x'.repeat(40_000)]],
  runs: 1_000,
  check([a, b, c]) {
    const section = table(new Map(Object.entries({ a, b, c }).map(([key, value], index) => [key, { line: index + 1, value: scalar(value, index + 1) }])), 1);
    const fill = (): unknown => {
      const report = reportOn('/v/shop.ini');
      const expand = expander(section, () => magicLetters('/v/shop.ini', CONTEXT.host), CONTEXT.environment, report);
      const filled = [expand(a, 'a', 1), expand(b, 'b', 2), expand(c, 'c', 3)];
      expect(filled.includes(undefined)).toBe(report.faults().length > 0);
      for (const text of filled) expect(text?.length ?? 0).toBeLessThanOrEqual(130_000);
      return [filled, report.faults()];
    };
    expect(fill()).toEqual(fill());
  },
});

fuzz({
  name: 'a duration is a whole number of ms, or none',
  inputs: textOf('0', '1', '9', '.', 'ms', 's', 'm', 'h', '-', 'e', ' ', '999999999999999'),
  corpus: ['999999999999999.999999h', '0', '.5s', '١s'],
  runs: 1_000,
  check(text) {
    const ms = parseDuration(text);
    expect(ms === null || (Number.isFinite(ms) && Number.isInteger(ms) && ms >= 0)).toBe(true);
  },
});

fuzz({
  name: 'a line of /proc/PID/stat is understood whatever the name of the program is',
  inputs: fc.tuple(fc.string({ unit: 'binary', maxLength: 64 }), fc.constantFrom('R', 'S', 'Z'), fc.nat(4_194_304), fc.nat(4_194_304), fc.maxSafeNat()),
  corpus: [['a) R 1 2 3', 'S', 1, 2, 3], ['', 'R', 0, 0, 0], ['(((', 'Z', 1, 1, 1], [') ', 'S', 7, 8, 9]],
  runs: 1_000,
  check([name, state, parent, session, startTicks]) {
    const line = `42 (${name}) ${state} ${parent} 42 ${session} ${'0 '.repeat(15)}${startTicks} 0 0\n`;
    expect(parseProcessStat(line)).toEqual({ state, parent, session, startTicks });
  },
});

fuzz({
  name: 'what is no line of /proc/PID/stat is none, or has whole numbers',
  inputs: textOf('1', ' ', '(', ')', 'R', '-1', '1e400', '\n', 'x '),
  corpus: ['', ')', '1 (a) R', `1 (a) R${' x'.repeat(18)} 5`],
  runs: 1_000,
  check(text) {
    const stat = parseProcessStat(text);
    if (stat !== null) for (const number of [stat.parent, stat.session, stat.startTicks]) expect(Number.isInteger(number)).toBe(true);
  },
});

fuzz({
  name: 'the first line of a script names an interpreter, or nothing',
  inputs: textOf('#!', '/usr/bin/env', ' ', '-S', 'A=1', 'python3', '\r', '\n', '\t', '\0').map((text) => `#!${text}`),
  corpus: ['#!', '#!\n', '#! env', '#!/usr/bin/env -S A=1 b\r\n'],
  runs: 1_000,
  check(text) {
    const found = parseInterpreter(text);
    if (found !== null) expect([found.name !== '', found.viaEnv !== '']).toEqual([true, true]);
  },
});

fuzz({
  name: 'each line of an environment file is a variable or a mistake, in time that grows as the file does',
  inputs: mutated(['A=1\nB="two words"\n', "C='x\\'\nD=a\\\nb\n# e\n\n;f\n", '__proto__=1\n'].map((text) => Buffer.from(text)), ['=', '"', "'", '\\', '\\\n', '\n', '\r\n', '#', '__proto__=x\n', 'A=', '\0', ' ']).map((bytes) => bytes.toString('latin1')),
  corpus: ['__proto__=1', 'constructor=1\ntoString=2', 'A=\\', `A=${'\\\n'.repeat(200_000)}`, `A=${'x\\\n'.repeat(200_000)}`],
  runs: 500,
  check(text) {
    const before = process.threadCpuUsage();
    const { environment, mistakes } = parseEnvironmentFile(text);
    expect(process.threadCpuUsage(before).user / 1_000).toBeLessThan(2_000);
    for (const { line } of mistakes) expect(line >= 1 && line <= text.split('\n').length).toBe(true);
    for (const [name, value] of Object.entries(environment)) expect(/^\w+$/.test(name) && typeof value === 'string' && !value.includes('\0')).toBe(true);
    for (const [, name = ''] of text.matchAll(/^(\w+)=\w*$/gm)) if (/^\D/.test(name) && !/["'\\]/.test(text)) expect(Object.hasOwn(environment, name), name).toBe(true);
  },
});

const NOTIFY = ['READY=1\n', 'STATUS=', 'WATCHDOG=1', 'WATCHDOG=trigger', 'EXTEND_TIMEOUT_USEC=', 'MAINPID=', 'RELOADING=1', '\n', '=', '\0', '9007199254740993', '4194305', '-1', '0', '1e3', '\u001B[2J', '\u202E', '💥', '\uD800'];

fuzz({
  name: 'a notification stays within its bounds',
  inputs: mutated([Buffer.from('READY=1\nSTATUS=serving\nMAINPID=42\n'), Buffer.from('EXTEND_TIMEOUT_USEC=5000000\nWATCHDOG=1')], NOTIFY).map((bytes) => bytes.toString('latin1')),
  corpus: ['', '\0', '\n', 'MAINPID=4194305', 'EXTEND_TIMEOUT_USEC=9999999999999999', 'STATUS=\xff\xfe', 'READY=1\n'.repeat(4_000)],
  runs: 1_000,
  check(text) {
    const bytes = Buffer.from(text, 'latin1');
    const said = parseSaid(bytes);
    expect(parseSaid(bytes)).toEqual(said);
    if (said === null || said === 'malformed') return;
    expect(said.status ?? '').toMatch(/^\P{C}{0,256}$/u);
    expect(said.mainPid === null || (said.mainPid >= 1 && said.mainPid <= 4_194_304)).toBe(true);
    expect(said.extendMs === null || (Number.isSafeInteger(said.extendMs) && said.extendMs >= 1)).toBe(true);
  },
});
