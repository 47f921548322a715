import { describe, expect, it } from 'vitest';
import { age } from '../../src/cli/render/age.ts';
import { checkReport } from '../../src/cli/render/check.ts';
import { eventLine } from '../../src/cli/render/event.ts';
import { printable } from '../../src/world/printable.ts';
import { resultLines } from '../../src/cli/render/results.ts';
import { revisionTable } from '../../src/cli/render/revisions.ts';
import { statusTable, vassalDetails } from '../../src/cli/render/status.ts';
import { table } from '../../src/cli/render/table.ts';
import { whyText } from '../../src/cli/render/why.ts';
import type { EventDocument, OrderResult, RevisionDocument, StatusDocument, VassalDocument, WhyDocument } from '../../src/control/protocol.ts';

it.each([
  ['plain text, größe 商店 🦊', 'plain text, größe 商店 🦊'],
  ['tab\there', 'tab\there'],
  ['\u001B[2J\u001B]0;title\u0007', '\\e[2J\\e]0;title\\x07'],
  ['a\nb\r', 'a\\nb\\r'],
  ['\u0000\u007F\u009B', '\\x00\\x7f\\x9b'],
  ['\u202Egnp.exe', '\\u{202e}gnp.exe'],
  ['\uD800', '\\u{d800}'],
])('%j is printed as %j', (text, printed) => {
  expect(printable(text)).toBe(printed);
});

it.each([
  [0, '0s'], [-5, '0s'], [999, '1s'], [59_000, '59s'], [60_000, '1m'], [125_000, '2m 5s'], [3_600_000, '1h'], [3_660_000, '1h 1m'], [3_601_000, '1h'], [90_061_000, '1d 1h'], [8_640_000_000, '100d'],
])('%i ms are %s', (ms, text) => {
  expect(age(ms)).toBe(text);
});

it('a table is as wide as its widest cell, in letters', () => {
  const columns = [{ title: 'NAME', align: 'left' }, { title: 'N', align: 'right' }] as const;
  expect(table(columns, [['größe🦊', '1'], ['a', '100']])).toBe('NAME      N\ngröße🦊    1\na       100\n');
});

const NOW = Date.parse('2026-01-31T12:00:00.000Z');

const READY: VassalDocument = {
  name: 'shop', file: '/v/shop.toml', state: 'ready', want: 'up', revision: 3, pinned: null, scale: null, scaling: null, uwsgi: null, server: 'gunicorn', listen: [], waitsFor: [], stage: null, unlimited: [],
  instances: [{ id: 'shop#12', pid: 4242, state: 'ready', revision: 3, generation: 2, startedAt: '2026-01-31T11:00:00.000Z', readyAt: '2026-01-31T11:00:01.000Z', adopted: true, status: null, memoryBytes: null, cpuMs: null }],
  restarts: 2, nextStartAt: null,
  failure: { revision: 4, code: 'E_KEY_UNKNOWN', message: 'unknown key "x"\nand another', at: '2026-01-31T11:59:00.000Z', output: [] },
};

const WAITING: VassalDocument = {
  name: 'wi\nki', file: '/v/wi\nki.toml', state: 'backoff', want: 'up', revision: 1, pinned: null, scale: null, scaling: null, uwsgi: null, server: null, listen: [], waitsFor: [], stage: null, unlimited: [], instances: [], restarts: 0,
  nextStartAt: '2026-01-31T12:00:04.000Z', failure: null,
};

function documentOf(...vassals: readonly VassalDocument[]): StatusDocument {
  return { emperor: { version: '0.1.0', pid: 1, startedAt: '2026-01-31T10:00:00.000Z', life: 'running', sources: ['dir:///v'], blind: [], kills: 'cgroup', limits: [] }, vassals };
}

describe('status', () => {
  it('is a line for each vassal, which no name can break', () => {
    expect(statusTable(documentOf(READY, WAITING), NOW)).toBe([
      'emperor 0.1.0, pid 1, up 2h: dir:///v',
      '',
      'NAME    STATE     PID  REV  UP  RESTARTS  NOTE',
      'shop    ready    4242    3  1h         2  revision 4: E_KEY_UNKNOWN: unknown key "x"',
      'wi\\nki  backoff     -    1   -         0  next start in 4s',
      '',
    ].join('\n'));
  });

  it('says that there are none', () => {
    expect(statusTable(documentOf(), NOW)).toBe('emperor 0.1.0, pid 1, up 2h: dir:///v\n\nno vassals\n');
  });

  it('names blind sources, and that the emperor ends', () => {
    const { emperor } = documentOf();
    const text = statusTable({ emperor: { ...emperor, life: 'stopping', blind: [{ source: 'dir:///v', reason: 'EACCES', since: '2026-01-31T11:59:00.000Z' }] }, vassals: [] }, NOW);
    expect(text).toContain('up 2h, stopping:');
    expect(text).toContain('cannot look at dir:///v since 1m: EACCES; what runs goes on\n');
  });

  it('of one vassal tells all of it', () => {
    expect(vassalDetails(READY, NOW)).toBe([
      'shop: ready',
      '  file        /v/shop.toml',
      '  revision    3',
      '  server      gunicorn',
      '  restarts    2',
      '  instance    shop#12, pid 4242, ready, revision 3, generation 2, up 1h, adopted',
      '  failure     revision 4, 1m ago, E_KEY_UNKNOWN: unknown key "x"',
      '              and another',
      '  hint        see "emperor why shop", "emperor logs shop" and "emperor events shop"',
      '',
    ].join('\n'));
  });
});

describe('status of one vassal', () => {
  it.each<[string, Partial<VassalDocument>, string]>([
    ['what an operator went back to', { pinned: 2 }, '\n  pinned      revision 2: an operator went back to it, until the file changes\n'],
    ['how many an operator asked for', { scale: 4 }, '\n  scale       4: asked for by an operator\n'],
    ['that an operator paused it', { want: 'paused' }, '\n  want        paused: paused by an operator\n'],
    ['that an operator stopped it', { want: 'down' }, '\n  want        down: stopped by an operator\n'],
    ['what it waits for', { state: 'waiting', waitsFor: ['db', 'ca\u001Bche'] }, '\n  waits for   db, ca\\eche\n'],
    ['where it listens', { listen: ['127.0.0.1:80', 'unix:/run/shop.sock'] }, '\n  listen      127.0.0.1:80, unix:/run/shop.sock\n'],
    ['how far an overlap has come', { state: 'reloading', stage: 'canary' }, 'shop: reloading, the next generation gets a share of new connections\n'],
    ['what an instance says of itself', { instances: [{ ...READY.instances[0]!, adopted: false, status: 'serving \u001B[2J' }] }, 'generation 2, up 1h: serving \\e[2J\n'],
    ['what the failed instance printed last', { failure: { ...READY.failure!, output: ['Traceback', '\u001B[31mboom'] } }, '\n              | Traceback\n              | \\e[31mboom\n'],
  ])('tells %s', (_what, changes, text) => {
    expect(vassalDetails({ ...READY, ...changes }, NOW)).toContain(text);
  });

  it.each<[Partial<VassalDocument>, string]>([
    [{ state: 'reloading', stage: 'judging' }, 'judging; revision 4'],
    [{ state: 'waiting', waitsFor: ['db'], failure: null }, 'waits for db'],
  ])('as a line notes %j', (changes, text) => {
    expect(statusTable(documentOf({ ...READY, ...changes }), NOW)).toContain(text);
  });
});

describe('results of orders', () => {
  const result = (changes: Partial<OrderResult>): OrderResult => ({ name: 'shop', outcome: 'done', code: null, message: null, log: [], ...changes });

  it.each([
    [{}, true, 'shop: restarted\n'],
    [{ message: 'it runs an older revision: unknown key' }, true, 'shop: restarted: it runs an older revision: unknown key\n'],
    [{ outcome: 'posted' }, true, 'shop: restart was asked for\n'],
    [{ outcome: 'no-vassal', code: 'E_NO_VASSAL', message: 'there is no vassal "shop"' }, false, 'emperor: there is no vassal "shop"\n'],
    [{ outcome: 'timeout', code: 'E_TIMEOUT', message: 'it is starting' }, false, 'emperor: it is starting (shop)\n'],
    [{ outcome: 'fault', code: 'E_VALUE', message: 'one\ntwo' }, false, 'shop: restart failed (E_VALUE): one\n  two\n'],
    [
      { outcome: 'failed', code: 'E_EXITED', message: 'it exited', log: ['last \u001B[31mwords'] }, false,
      'shop: restart failed (E_EXITED): it exited\n  | last \\e[31mwords\n  see "emperor logs shop" and "emperor events shop"\n',
    ],
  ] as const)('%j is good: %s, and printed as %j', (changes, good, text) => {
    expect(resultLines('restart', [result(changes)])).toEqual([{ text, good }]);
  });
});

it.each([
  ['pause', 'paused'], ['resume', 'resumed'], ['scale', 'scaled'], ['rollback', 'rolled back'],
] as const)('%s that is done is told as: %s', (verb, word) => {
  expect(resultLines(verb, [{ name: 'shop', outcome: 'done', code: null, message: null, log: [] }])).toEqual([{ text: `shop: ${word}\n`, good: true }]);
});

describe('why', () => {
  const BACKOFF: WhyDocument = {
    name: 'shop', file: '/v/shop.toml', state: 'backoff', since: '2026-01-31T11:59:56.123Z', cause: 'shop#3 exited with code 1; starting again in 8.00 s', actor: null, revision: 4,
    failure: { revision: 4, code: 'E_EXITED', message: 'shop#3 exited with code 1', at: '2026-01-31T11:59:56.123Z', output: ['boom', '\u001B[2J'] },
    nextStartAt: '2026-01-31T12:00:04.000Z', waitsFor: [], advice: ['"emperor logs shop" shows all', 'mend its file'],
  };

  it('is told in sentences, with the last lines that were printed, and nothing twice', () => {
    expect(whyText(BACKOFF, NOW)).toBe([
      'shop is in backoff, revision 4, since 2026-01-31 11:59:56Z (4s ago): shop#3 exited with code 1; starting again in 8.00 s.',
      'What went wrong last with revision 4, 4s ago, is E_EXITED.',
      '  | boom',
      '  | \\e[2J',
      'Its next start is due in 4s.',
      '"emperor logs shop" shows all.',
      'Mend its file.',
      '',
    ].join('\n'));
  });

  it.each<[string, Partial<WhyDocument>, string]>([
    ['who asked', { cause: 'it was stopped by an operator', actor: 'ali\u001Bce' }, 'it was stopped by an operator (by ali\\ece).\n'],
    ['all faults of a file', { cause: null, failure: { ...BACKOFF.failure!, code: 'E_VALUE', message: 'one\ntwo' } }, 'is E_VALUE: one\n  two.\n'],
    ['what it waits for', { waitsFor: [{ name: 'db', state: 'backoff' }, { name: 'gh\nost', state: null }] }, 'It waits for db (backoff), gh\\nost (there is no such vassal).\n'],
    ['no more than is known', { name: 'sh\u0007op', since: null, cause: null, revision: null, failure: null, nextStartAt: null, advice: [] }, 'sh\\x07op is in backoff.\n'],
  ])('tells %s', (_what, changes, text) => {
    expect(whyText({ ...BACKOFF, ...changes }, NOW)).toContain(text);
  });
});

describe('revisions', () => {
  const revision = (changes: Partial<RevisionDocument>): RevisionDocument => ({
    number: 1, at: '2026-01-31T11:00:00.500Z', hash: '0123456789abcdef', runnable: true, marks: [], ...changes,
  });

  it('are a table', () => {
    expect(revisionTable([revision({ marks: ['serving', 'good'] }), revision({ number: 12, runnable: false, marks: ['newest'] })], NOW)).toBe([
      'REV  FIRST SEEN            AGE  HASH          RUNNABLE  MARKS',
      '  1  2026-01-31 11:00:00Z   1h  0123456789ab  yes       serving, good',
      ' 12  2026-01-31 11:00:00Z   1h  0123456789ab  no        newest',
      '',
    ].join('\n'));
  });

  it('can be none', () => {
    expect(revisionTable([], NOW)).toBe('no revisions\n');
  });
});

it.each([
  [{}, '2026-01-31 12:00:00.000Z  shop#1  exited ready → backoff: it exited (by me)'],
  [{ to: null, actor: null }, '2026-01-31 12:00:00.000Z  shop#1  exited: it exited'],
  [{ instance: null, name: null, from: null, to: null, actor: null, event: 'blind', why: 'a\u001Bb' }, '2026-01-31 12:00:00.000Z  emperor  blind: a\\eb'],
] as const)('an event %j is the line %j', (changes, line) => {
  const event: EventDocument = {
    sequence: 1, at: '2026-01-31T12:00:00.000Z', event: 'exited', name: 'shop', file: '/v/shop.toml', instance: 'shop#1', pid: 7, revision: 1,
    from: 'ready', to: 'backoff', why: 'it exited', actor: 'me', status: null, ...changes,
  };
  expect(eventLine(event)).toBe(line);
});

it('a check report has a line for each fault, and sums up', () => {
  const fault = { code: 'E_KEY_UNKNOWN', message: 'unknown key "x"', file: '/v/a.toml', line: 7, key: 'x', hint: 'did you mean "y"?' } as const;
  const clean = { file: '/v/b.toml', name: 'b', faults: [] };
  expect(checkReport({ files: [clean] })).toBe('1 file, no faults\n');
  expect(checkReport({ files: [{ file: '/v/a.toml', name: 'a', faults: [fault, fault] }, clean] })).toBe(
    'E_KEY_UNKNOWN: unknown key "x" at /v/a.toml:7; did you mean "y"?\n'.repeat(2) + '2 files, 2 faults in 1\n',
  );
});
