import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import type { Member } from './household.ts';

/** Something that must not be. */
export interface Violation {
  readonly what: string;
  /** null: it concerns the emperor. */
  readonly vassal: string | null;
  readonly expected: string;
  readonly seen: string;
}

/** The processes of an instance, by the marks in their environment. */
export interface Marked {
  readonly instance: string;
  readonly vassal: string;
  readonly pids: readonly number[];
}

/** A status, and the processes that were there just before and just after it was asked for. */
export interface Look {
  readonly atMs: number;
  readonly status: StatusDocument;
  readonly before: readonly Marked[];
  readonly after: readonly Marked[];
}

/** Never two generations of a vassal outside a reload. */
export function generationsApart({ vassals }: StatusDocument): readonly Violation[] {
  return vassals.flatMap(({ name, state, instances }) => {
    const generations = new Set(instances.filter((each) => each.state !== 'stopping').map((each) => each.generation));
    if (state === 'reloading' || generations.size <= 1) return [];
    return [{ what: 'two generations outside a reload', vassal: name, expected: 'one generation', seen: `${state}: ${printInstances(instances)}` }];
  });
}

/**
 * What the status says and what the process table says agree. Things begin and end between two glances, so only what all of several looks
 * in a row have seen counts: an instance that runs and is in no status, one that is in each status and never runs.
 */
export function disagreements(looks: readonly Look[]): readonly Violation[] {
  const [first] = looks;
  if (first === undefined) return [];
  const said = looks.map(({ status }) => new Map(status.vassals.flatMap(({ name, instances }) => instances.map((each) => [each.id, { ...each, name }] as const))));
  const ran = looks.flatMap(({ before, after }) => [before, after].map((table) => new Map(table.map((each) => [each.instance, each]))));
  const strangers = first.before
    .filter(({ instance }) => ran.every((table) => table.has(instance)) && said.every((status) => !status.has(instance)))
    .map(({ instance, vassal, pids }) => ({ what: 'an instance runs that the status does not know', vassal, expected: 'in the status, or gone', seen: `${instance}, processes ${pids.join(' ')}` }));
  const phantoms = [...said[0]!.values()]
    .filter(({ id, pid }) => pid !== null && said.every((status) => status.get(id)?.pid === pid) && ran.every((table) => !table.has(id)))
    .map(({ id, pid, name }) => ({ what: 'the status knows an instance that does not run', vassal: name, expected: 'gone from the status', seen: `${id}, process ${pid}` }));
  return [...strangers, ...phantoms];
}

/** What runs is what is wanted, once all is quiet: every file is there and good, nobody has stopped or paused anything. */
export function unsettled({ vassals }: StatusDocument, running: readonly Marked[], members: readonly Member[]): readonly Violation[] {
  return [
    ...members.flatMap((member) => {
      const vassal = vassals.find((each) => each.name === member.name);
      if (vassal === undefined) return [{ what: 'not as wanted', vassal: member.name, expected: member.quiet.join(' or '), seen: 'not in the status' }];
      const wrong = unlike(vassal, member, running);
      return wrong === null ? [] : [{ what: 'not as wanted', vassal: member.name, expected: wrong, seen: `${vassal.state}: ${printInstances(vassal.instances)}; runs: ${running.filter((each) => each.vassal === member.name).map((each) => each.instance).join(' ')}` }];
    }),
    ...vassals.filter(({ name }) => members.every((member) => member.name !== name))
      .map(({ name, state }) => ({ what: 'not as wanted', vassal: name, expected: 'no such vassal', seen: state })),
    ...running.filter(({ vassal }) => members.every((member) => member.name !== vassal))
      .map(({ vassal, instance }) => ({ what: 'an instance without a vassal', vassal, expected: 'gone', seen: instance })),
  ];
}

/** What should be otherwise, or null. */
function unlike(vassal: VassalDocument, member: Member, running: readonly Marked[]): string | null {
  if (!member.quiet.includes(vassal.state)) return member.quiet.join(' or ');
  const wanted = vassal.state === 'ready' ? vassal.scale ?? member.instances : null;
  if (wanted !== null && (vassal.instances.length !== wanted || vassal.instances.some((each) => each.state !== 'ready'))) return `${wanted} ready instances`;
  if ((vassal.state === 'idle' || vassal.state === 'exited') && vassal.instances.length > 0) return 'no instance';
  const known = new Set(vassal.instances.map((each) => each.id));
  if (running.some((each) => each.vassal === vassal.name && !known.has(each.instance))) return 'no other process than of its instances';
  return null;
}

/** A request without an answer. */
export interface LostRequest {
  readonly vassal: string;
  readonly fromMs: number;
  readonly atMs: number;
  readonly why: string;
}

/**
 * What was done to a vassal, until it was seen to serve again. `deadly`: its requests are lost with it (its instance was killed, its
 * sockets were closed). `bare`: nothing of it runs while that lasts, so its sockets are held by the emperor alone, and die with it.
 */
export interface Trouble {
  readonly vassal: string;
  readonly kind: 'deadly' | 'bare';
  readonly what: string;
  readonly fromMs: number;
  /** Infinity: it lasts. */
  readonly untilMs: number;
}

/** A time without an emperor. */
export interface Absence {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Requests that were lost and had no reason to be. */
export function lostWithoutReason(lost: readonly LostRequest[], troubles: readonly Trouble[], absences: readonly Absence[]): readonly Violation[] {
  return lost.filter((request) => !troubles.some((trouble) => trouble.vassal === request.vassal && explains(trouble, request, absences)))
    .map(({ vassal, fromMs, atMs, why }) => ({ what: 'a request was lost', vassal, expected: 'an answer', seen: `${why}; asked at ${seconds(fromMs)}, lost at ${seconds(atMs)}` }));
}

function explains(trouble: Trouble, { fromMs, atMs }: LostRequest, absences: readonly Absence[]): boolean {
  const meets = (beginMs: number): boolean => atMs >= beginMs && fromMs <= trouble.untilMs;
  if (trouble.kind === 'deadly') return meets(trouble.fromMs);
  return absences.some((absence) => absence.untilMs >= trouble.fromMs && absence.fromMs <= trouble.untilMs && meets(Math.max(trouble.fromMs, absence.fromMs)));
}

/** Lines of an instance: how often each number is in the log, and how far the instance got. */
export interface Account {
  readonly instance: string;
  readonly vassal: string;
  /** The last line that it is sure to have printed. */
  readonly printed: number;
  /** By number. */
  readonly found: ReadonlyMap<number, number>;
  /** It ended while there was no emperor: what was in its FIFO went with it, as nobody had that open. */
  readonly unheard: boolean;
}

/** Each line is in the log once, but for those of `repeating` vassals, which may be there again. Killed between printing a line and saying so, an instance has printed one more than it said. */
export function wrongLines(accounts: readonly Account[], repeating: ReadonlySet<string> = new Set()): readonly Violation[] {
  return accounts.flatMap(({ instance, vassal, printed, found, unheard }) => {
    const missing = missingLines({ printed: unheard ? Math.max(0, ...found.keys()) : printed, found });
    const doubled = [...found].filter(([, times]) => times > 1 && !repeating.has(vassal)).map(([line]) => line);
    return [
      ...(missing.length === 0 ? [] : [{ what: 'lines are missing in the log', vassal, expected: `${instance}: lines 1 to ${printed}`, seen: `not there: ${ranges(missing)}` }]),
      ...(doubled.length === 0 ? [] : [{ what: 'lines are twice in the log', vassal, expected: `${instance}: each line once`, seen: `more than once: ${ranges(doubled)}` }]),
    ];
  });
}

/** Output that an emperor said to have lost; a trouble is told several times, with all of it. */
export interface ToldLoss {
  readonly lines: number;
  /** The trouble is over. */
  readonly over: boolean;
}

/** What a full disk had no room for was counted and told; an emperor that is killed takes its count with it. @param deaths emperors that were killed */
export function untoldLosses(accounts: readonly Account[], losses: readonly ToldLoss[], deaths: number): readonly Violation[] {
  const missing = accounts.flatMap(missingLines).length;
  const told = losses.filter(({ over }, index) => over || index === losses.length - 1).reduce((sum, { lines }) => sum + lines, 0);
  if (told >= missing || (deaths > 0 && losses.length > 0)) return [];
  return deaths > 0 ? wrongLines(accounts) : [{ what: 'output was lost and not told', vassal: accounts[0]?.vassal ?? null, expected: `${missing} lines told`, seen: String(told) }];
}

/** Numbers from 1 to `printed` that were not found. */
export function missingLines({ printed, found }: Pick<Account, 'printed' | 'found'>): readonly number[] {
  return Array.from({ length: printed }, (_, index) => index + 1).filter((line) => !found.has(line));
}

/** What the emperor has at a quiet point. */
export interface Stature {
  readonly pid: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly residentBytes: number;
  /** What it looks after: these cost descriptors. */
  readonly instances: number;
}

/** Descriptors that an instance costs: its pidfd, its FIFO and its socket. */
const DESCRIPTORS_OF_AN_INSTANCE = 4;
/** Sockets of slots that are kept for the next generation, files that are open for a moment. */
const SLACK_DESCRIPTORS = 40;
const SLACK_THREADS = 4;
/** V8 gives memory back when it likes. */
const SLACK_BYTES = 80 * 1024 * 1024;

/** Nothing grows from one quiet point to a later one. */
export function growth(first: Stature, later: Stature): readonly Violation[] {
  const allowed = first.descriptors + SLACK_DESCRIPTORS + DESCRIPTORS_OF_AN_INSTANCE * Math.max(0, later.instances - first.instances);
  return [
    ...grown('descriptors', allowed, later.descriptors),
    ...grown('threads', first.threads + SLACK_THREADS, later.threads),
    ...grown('resident bytes', first.residentBytes + SLACK_BYTES, later.residentBytes),
  ];
}

function grown(what: string, most: number, seen: number): readonly Violation[] {
  return seen <= most ? [] : [{ what: `the emperor grows: ${what}`, vassal: null, expected: `at most ${most}`, seen: String(seen) }];
}

function printInstances(instances: VassalDocument['instances']): string {
  return instances.map(({ id, generation, state, pid }) => `${id} of generation ${generation} ${state} (${pid ?? 'no process'})`).join(', ') || 'no instance';
}

/** `1-3 7` */
function ranges(numbers: readonly number[]): string {
  return gaps(numbers).map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
}

/** Numbers in a row, from the first to the last of each. */
function gaps(numbers: readonly number[]): readonly (readonly [number, number])[] {
  const parts: [number, number][] = [];
  for (const each of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last !== undefined && each === last[1] + 1) last[1] = each;
    else parts.push([each, each]);
  }
  return parts;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
