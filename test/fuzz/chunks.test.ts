import fc from 'fast-check';
import { expect } from 'vitest';
import { JsonLines } from '../../src/logs/json-lines.ts';
import { cutLastLines } from '../../src/logs/last-lines.ts';
import { LineWatch } from '../../src/logs/line-watch.ts';
import { countLines, endsMidLine, splitForRotation } from '../../src/logs/split.ts';
import type { Pattern } from '../../src/world/pattern.ts';
import { fuzz } from './fuzz.ts';

/** Some output, and the places where it is cut: each is a part of its length, 0 to 1. */
type Output = readonly [text: string, cuts: readonly number[]];

const SHORT = fc.constantFrom('a', 'é', '💥', '\n', '\n\n', '\r\n', '"', '\u001B', 'line\n');
const LONG = fc.constantFrom('x'.repeat(4_095), 'é'.repeat(3_000), '💥'.repeat(1_025), 'y'.repeat(65_536));
const TEXT: fc.Arbitrary<string> = fc.array(SHORT, { maxLength: 60 }).map((parts) => parts.join(''));
const LONG_TEXT: fc.Arbitrary<string> = fc.array(fc.oneof({ weight: 3, arbitrary: SHORT }, LONG), { maxLength: 12 }).map((parts) => parts.join(''));
const outputOf = (text: fc.Arbitrary<string>): fc.Arbitrary<Output> => fc.tuple(text, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }));

function chunksOf([text, cuts]: Output): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const CORPUS: readonly Output[] = [['', []], ['\n', [0, 1]], ['é\n', [0.4]], ['x'.repeat(65_536), [0.5]], [`${'x'.repeat(65_537)}\n`, [0.999]], [`a\n${'é'.repeat(3_000)}\n`, [0.5]]];

fuzz({
  name: 'lines as objects are the same however the output is cut',
  inputs: outputOf(LONG_TEXT),
  corpus: CORPUS,
  runs: 300,
  check(output) {
    const objects = (chunks: readonly Buffer[]): string => {
      const lines = new JsonLines('shop#1');
      return Buffer.concat([...chunks.map((chunk) => lines.push(chunk, 0)), lines.end(0)]).toString();
    };
    const whole = objects([Buffer.from(output[0])]);
    expect(objects(chunksOf(output))).toBe(whole);
    for (const line of whole.split('\n').slice(0, -1)) expect(JSON.parse(line)).toMatchObject({ instance: 'shop#1' });
  },
});

fuzz({
  name: 'a watch sees the same lines however the output is cut',
  inputs: outputOf(LONG_TEXT),
  corpus: CORPUS,
  runs: 300,
  check(output) {
    const seen = (chunks: readonly Buffer[]): readonly string[] => {
      const lines: string[] = [];
      const all: Pattern = { find: (texts) => (lines.push(...texts), { kind: 'none' }) } as Pattern;
      const watch = new LineWatch(all);
      for (const chunk of chunks) watch.push(Buffer.from(chunk));
      return lines;
    };
    expect(seen(chunksOf(output))).toEqual(seen([Buffer.from(output[0])]));
  },
});

fuzz<readonly [Output, number]>({
  name: 'rotation loses no byte, cuts no line that fits, and keeps files below twice their limit',
  inputs: fc.tuple(outputOf(TEXT), fc.integer({ min: 1, max: 200 })),
  corpus: CORPUS.map((output) => [output, 30]),
  runs: 300,
  check([output, maxBytes]) {
    const files: Buffer[] = [Buffer.alloc(0)];
    for (const chunk of chunksOf(output)) {
      for (let rest = chunk; rest.length > 0; ) {
        const file = files.at(-1) ?? Buffer.alloc(0);
        const { length, rotate } = splitForRotation(rest, file.length, maxBytes, endsMidLine(file));
        files[files.length - 1] = Buffer.concat([file, rest.subarray(0, length)]);
        if (rotate) files.push(Buffer.alloc(0));
        // Whatever it decides, it gets on.
        expect(length > 0 || rotate).toBe(true);
        rest = rest.subarray(length);
      }
    }
    expect(Buffer.concat(files).equals(Buffer.from(output[0]))).toBe(true);
    for (const file of files) expect(file.length).toBeLessThanOrEqual(2 * maxBytes);
    for (const file of files.slice(0, -1)) if (endsMidLine(file)) expect(file.length).toBe(2 * maxBytes);
  },
});

fuzz<readonly [string, number]>({
  name: 'the last lines are those of the whole text',
  inputs: fc.tuple(TEXT, fc.nat(40)),
  corpus: [['', 1], ['\n', 1], ['a', 0], ['a\n\n', 1]],
  runs: 500,
  check([text, wanted]) {
    const bytes = Buffer.from(text);
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const { text: last, found } = cutLastLines(bytes, wanted);
    expect(last.toString()).toBe(lines.slice(Math.max(0, lines.length - wanted)).join(''));
    expect(found).toBe(Math.min(wanted, lines.length));
    expect(countLines(bytes)).toBe(text.split('\n').length - 1);
  },
});
