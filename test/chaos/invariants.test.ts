import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { InstanceDocument, StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import { household } from './household.ts';
import { disagreements, generationsApart, growth, lostWithoutReason, unsettled, untoldLosses, wrongLines, type Account, type Look, type Marked, type ToldLoss, type Trouble } from './invariants.ts';
import { account, printedLines } from './ledger.ts';

const [member] = household({ folder: '/nowhere', counts: '/nowhere', ports: () => 1 });
const NAME = member!.name;

function instance(serial: number, changes: Partial<InstanceDocument> = {}): InstanceDocument {
  return { id: `${NAME}#${serial}`, pid: serial, state: 'ready', revision: 1, generation: 1, startedAt: '', readyAt: null, adopted: false, status: null, memoryBytes: null, cpuMs: null, ...changes };
}

function vassal(instances: readonly InstanceDocument[], changes: Partial<VassalDocument> = {}): VassalDocument {
  return { name: NAME, file: '', state: 'ready', want: 'up', revision: 1, pinned: null, scale: null, scaling: null, uwsgi: null, server: null, listen: [], unlimited: [], waitsFor: [], stage: null, instances, restarts: 0, nextStartAt: null, failure: null, ...changes };
}

function status(...vassals: readonly VassalDocument[]): StatusDocument {
  return { emperor: { version: '', pid: 1, startedAt: '', life: 'running', sources: [], blind: [], kills: 'process-group', limits: [] }, vassals };
}

const runs = (...serials: readonly number[]): readonly Marked[] => serials.map((serial) => ({ instance: `${NAME}#${serial}`, vassal: NAME, pids: [serial] }));
const look = (said: readonly InstanceDocument[], ran: readonly Marked[]): Look => ({ atMs: 0, status: status(vassal(said)), before: ran, after: ran });
const whats = (violations: readonly { readonly what: string }[]): readonly string[] => violations.map(({ what }) => what);

it.each<[string, VassalDocument, number]>([
  ['one generation', vassal([instance(1), instance(2)]), 0],
  ['two in a reload', vassal([instance(1), instance(2, { generation: 2 })], { state: 'reloading' }), 0],
  ['an old one that was told to end', vassal([instance(1, { state: 'stopping' }), instance(2, { generation: 2 })]), 0],
  ['two that serve', vassal([instance(1), instance(2, { generation: 2 })]), 1],
])('two generations outside a reload are seen: %s', (_, document, count) => {
  expect(generationsApart(status(document))).toHaveLength(count);
});

it.each<[string, readonly Look[], readonly string[]]>([
  ['they agree', [look([instance(1)], runs(1)), look([instance(1)], runs(1))], []],
  ['one begins', [look([], runs(1)), look([instance(1)], runs(1))], []],
  ['one has ended', [look([instance(1)], []), look([], [])], []],
  ['one is not started yet', [look([instance(1, { pid: null })], []), look([instance(1, { pid: null })], [])], []],
  ['a stranger', [look([], runs(9)), look([], runs(9))], ['an instance runs that the status does not know']],
  ['a phantom', [look([instance(1)], []), look([instance(1)], [])], ['the status knows an instance that does not run']],
])('what the status and the process table say is compared: %s', (_, looks, expected) => {
  expect(whats(disagreements(looks))).toEqual(expected);
});

it.each<[string, StatusDocument, readonly Marked[], readonly string[]]>([
  ['as wanted', status(vassal([instance(1)])), runs(1), []],
  ['scaled', status(vassal([instance(1), instance(2)], { scale: 2 })), runs(1, 2), []],
  ['too few', status(vassal([instance(1)], { scale: 2 })), runs(1), ['not as wanted']],
  ['too many', status(vassal([instance(1), instance(2, { state: 'stopping' })])), runs(1, 2), ['not as wanted']],
  ['not there', status(), [], ['not as wanted']],
  ['in backoff', status(vassal([], { state: 'backoff' })), [], ['not as wanted']],
  ['one that runs beside it', status(vassal([instance(1)])), runs(1, 2), ['not as wanted']],
  ['a stranger', status(vassal([instance(1)])), [...runs(1), { instance: 'gone#3', vassal: 'gone', pids: [3] }], ['an instance without a vassal']],
])('what runs is compared with what is wanted: %s', (_, document, running, expected) => {
  expect(whats(unsettled(document, running, [member!]))).toEqual(expected);
});

const lost = { vassal: NAME, fromMs: 1_000, atMs: 1_100, why: 'ECONNRESET' };
const trouble = (changes: Partial<Trouble>): Trouble => ({ vassal: NAME, kind: 'deadly', what: '', fromMs: 1_050, untilMs: 2_000, ...changes });
it.each<[string, readonly Trouble[], boolean]>([
  ['nothing was done', [], false],
  ['it was killed meanwhile', [trouble({})], true],
  ['another one was killed', [trouble({ vassal: 'other' })], false],
  ['it was killed later', [trouble({ fromMs: 1_101 })], false],
  ['it had recovered before', [trouble({ fromMs: 1, untilMs: 999 })], false],
  ['it was bare, and had recovered before the emperor died', [trouble({ kind: 'bare', fromMs: 1, untilMs: 499 })], false],
  ['it was bare when the emperor died', [trouble({ kind: 'bare', fromMs: 600, untilMs: 4_000 })], true],
  ['it was bare after an emperor was there again', [trouble({ kind: 'bare', fromMs: 900, untilMs: 4_000 })], false],
])('a lost request needs a reason: %s', (_, troubles, explained) => {
  expect(lostWithoutReason([lost], troubles, [{ fromMs: 500, untilMs: 800 }])).toHaveLength(explained ? 0 : 1);
});

const lines = (...numbers: readonly number[]): ReadonlyMap<number, number> => new Map(numbers.map((each) => [each, numbers.filter((other) => other === each).length]));
const accountOf = (changes: Partial<Account>): Account => ({ instance: `${NAME}#1`, vassal: NAME, printed: 5, found: lines(1, 2, 3, 4, 5), unheard: false, ...changes });
it.each<[string, Partial<Account>, readonly string[]]>([
  ['all are there', {}, []],
  ['one more than it knew of', { found: lines(1, 2, 3, 4, 5, 6) }, []],
  ['one is missing', { found: lines(1, 2, 4, 5) }, ['not there: 3']],
  ['one is there twice', { found: lines(1, 2, 3, 3, 4, 5) }, ['more than once: 3']],
  ['some are missing', { found: lines(1, 3, 5) }, ['not there: 2 4']],
  ['it died unheard', { found: lines(1, 2), unheard: true }, []],
  ['it died unheard, and one in the middle is missing', { found: lines(1, 3), unheard: true }, ['not there: 2']],
])('lines are counted: %s', (_, changes, expected) => {
  expect(wrongLines([accountOf(changes)]).map(({ seen }) => seen)).toEqual(expected);
});

it('lines may be there twice of who is known for it, but none may be missing', () => {
  expect(wrongLines([accountOf({ found: lines(1, 2, 2, 5) })], new Set([NAME])).map(({ seen }) => seen)).toEqual(['not there: 3-4']);
});

const few = accountOf({ found: lines(1, 5) });
it.each<[string, Account, readonly ToldLoss[], number, readonly string[]]>([
  ['nothing is lost', accountOf({}), [], 0, []],
  ['told', few, [{ lines: 1, over: false }, { lines: 3, over: true }], 0, []],
  ['not told', few, [], 0, ['output was lost and not told']],
  ['too few are told', few, [{ lines: 2, over: true }], 0, ['output was lost and not told']],
  ['the count died with its emperor', few, [{ lines: 0, over: false }], 1, []],
  ['an emperor died, and there was no trouble', few, [], 1, ['lines are missing in the log']],
])('what a full disk had no room for has to be told: %s', (_, lines, losses, deaths, expected) => {
  expect(whats(untoldLosses([lines], losses, deaths))).toEqual(expected);
});

it('finds lines in all parts of a log, and in one that is there in two forms once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-chaos-test-'));
  try {
    const line = (number: number): string => `LINE shop#1 ${number} ...\n`;
    writeFileSync(join(folder, 'shop.log'), line(4));
    writeFileSync(join(folder, 'shop.log.1'), `${line(3)}LINE shop#1 5`);
    writeFileSync(join(folder, 'shop.log.2'), line(2));
    writeFileSync(join(folder, 'shop.log.2.gz'), gzipSync(line(2)));
    writeFileSync(join(folder, 'blog.log'), '{"line":"LINE shop#1 1 ..."}\n');
    const [found] = account(folder, new Map([['shop#1', 4]]), new Set());
    expect(found).toMatchObject({ vassal: 'shop', printed: 4 });
    expect(found!.found).toEqual(new Map([[1, 1], [2, 1], [3, 1], [4, 1]]));
    writeFileSync(join(folder, 'shop#1'), '           4');
    expect(printedLines(folder).get('shop#1')).toBe(4);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const stature = { pid: 1, descriptors: 100, threads: 11, residentBytes: 90 * 2 ** 20, instances: 30 };
it.each<[string, Partial<typeof stature>, readonly string[]]>([
  ['as before', {}, []],
  ['more instances need more', { descriptors: 170, instances: 40 }, []],
  ['descriptors', { descriptors: 170 }, ['the emperor grows: descriptors']],
  ['threads', { threads: 20 }, ['the emperor grows: threads']],
  ['memory', { residentBytes: 300 * 2 ** 20 }, ['the emperor grows: resident bytes']],
])('growth is seen: %s', (_, later, expected) => {
  expect(whats(growth(stature, { ...stature, ...later }))).toEqual(expected);
});
