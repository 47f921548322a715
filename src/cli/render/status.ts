import type { EmperorDocument, FailureDocument, InstanceDocument, StatusDocument, UwsgiDocument, VassalDocument } from '../../control/protocol.ts';
import { printSize } from '../../core/size.ts';
import { age } from './age.ts';
import { printable } from '../../world/printable.ts';
import { table, type Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'STATE', align: 'left' },
  { title: 'PID', align: 'right' },
  { title: 'REV', align: 'right' },
  { title: 'UP', align: 'right' },
  { title: 'RESTARTS', align: 'right' },
  { title: 'NOTE', align: 'left' },
];

/** The emperor in a line, sources that it cannot see, and its vassals as a table. Pure. */
export function statusTable({ emperor, vassals }: StatusDocument, nowMs: number): string {
  const blind = emperor.blind.map(({ source, reason, since }) =>
    `cannot look at ${printable(source)} since ${age(nowMs - Date.parse(since))}: ${printable(reason)}; what runs goes on\n`).join('');
  const body = vassals.length === 0 ? 'no vassals\n' : table(COLUMNS, vassals.map((vassal) => row(vassal, nowMs)));
  return `${headline(emperor, nowMs)}\n${blind}\n${body}`;
}

/** All about one vassal. Pure. */
export function vassalDetails(vassal: VassalDocument, nowMs: number): string {
  const { name, state, stage, file, server, listen, waitsFor, pinned, scale, scaling, uwsgi, want, restarts, revision, nextStartAt, unlimited, instances, failure } = vassal;
  const rows: (readonly [string, string] | null)[] = [
    ['file', printable(file)],
    ['revision', revision === null ? 'none: its file is gone' : String(revision)],
    pinned === null ? null : ['pinned', `revision ${pinned}: an operator went back to it, until the file changes`],
    server === null ? null : ['server', server],
    listen.length === 0 ? null : ['listen', listen.map(printable).join(', ')],
    want === 'up' ? null : ['want', `${want}: ${want === 'down' ? 'stopped' : 'paused'} by an operator`],
    scaling === null ? null : ['instances', `${scaling.wanted} wanted, ${scaling.min} to ${scaling.max} as need be`],
    scale === null ? null : ['scale', `${scale}: asked for by an operator`],
    waitsFor.length === 0 ? null : ['waits for', waitsFor.map(printable).join(', ')],
    unlimited.length === 0 ? null : ['limits', `not kept, as the emperor has no cgroup for it: ${unlimited.join(', ')}`],
    ['restarts', String(restarts)],
    nextStartAt === null ? null : ['next start', `in ${age(Date.parse(nextStartAt) - nowMs)}`],
    ...instances.map((instance) => ['instance', instanceLine(instance, nowMs)] as const),
    ...(uwsgi === null ? [] : [['uwsgi', uwsgiLine(uwsgi)] as const]),
    ...(failure === null ? [] : failureRows(name, failure, nowMs)),
  ];
  const lines = rows.filter((each) => each !== null).map(([key, value]) => `  ${key.padEnd(12)}${value}\n`);
  return `${printable(name)}: ${state}${stage === null ? '' : `, ${STAGES[stage]}`}\n${lines.join('')}`;
}

const STAGES: Readonly<Record<NonNullable<VassalDocument['stage']>, string>> = {
  judging: 'the next generation is judged',
  canary: 'the next generation gets a share of new connections',
  swapped: 'the next generation gets all new connections',
};

function headline({ version, pid, startedAt, life, sources }: EmperorDocument, nowMs: number): string {
  const ending = life === 'running' ? '' : `, ${life}`;
  return `emperor ${version}, pid ${pid}, up ${age(nowMs - Date.parse(startedAt))}${ending}: ${sources.map(printable).join(', ')}`;
}

function row(vassal: VassalDocument, nowMs: number): readonly string[] {
  const main = vassal.instances.find(({ state }) => state !== 'stopping') ?? vassal.instances[0];
  return [
    printable(vassal.name),
    vassal.state,
    main?.pid === undefined || main.pid === null ? '-' : String(main.pid),
    vassal.revision === null ? '-' : String(vassal.revision),
    main === undefined ? '-' : age(nowMs - Date.parse(main.startedAt)),
    String(vassal.restarts),
    note(vassal, nowMs),
  ];
}

function note({ stage, waitsFor, nextStartAt, failure }: VassalDocument, nowMs: number): string {
  const waits = waitsFor.length === 0 ? [] : [`waits for ${waitsFor.map(printable).join(', ')}`];
  const next = nextStartAt === null ? [] : [`next start in ${age(Date.parse(nextStartAt) - nowMs)}`];
  const why = failure === null ? [] : [`revision ${failure.revision}: ${failure.code}: ${printable(firstLine(failure.message))}`];
  return [...(stage === null ? [] : [stage]), ...waits, ...next, ...why].join('; ');
}

function instanceLine({ id, pid, state, revision, generation, startedAt, adopted, status, memoryBytes, cpuMs }: InstanceDocument, nowMs: number): string {
  const process = pid === null ? 'no process yet' : `pid ${pid}`;
  const memory = memoryBytes === null ? '' : `, memory ${printSize(memoryBytes)}`;
  const cpu = cpuMs === null ? '' : `, cpu ${(cpuMs / 1_000).toFixed(1)} s`;
  const says = status === null ? '' : `: ${printable(status)}`;
  return `${printable(id)}, ${process}, ${state}, revision ${revision}, generation ${generation}, up ${age(nowMs - Date.parse(startedAt))}${adopted ? ', adopted' : ''}${memory}${cpu}${says}`;
}

function uwsgiLine({ address, trouble, workers, requests, exceptions, harakiri }: UwsgiDocument): string {
  if (trouble !== null) return `${printable(address)} says nothing: ${printable(trouble)}`;
  const busy = workers.filter(({ status }) => status.startsWith('busy')).length;
  return `${workers.length} workers, ${busy} busy, ${requests} requests, ${exceptions} exceptions, ${harakiri} ended by harakiri`;
}

function failureRows(name: string, { revision, code, message, at, output }: FailureDocument, nowMs: number): readonly (readonly [string, string])[] {
  const [first = '', ...others] = message.split('\n');
  return [
    ['failure', `revision ${revision}, ${age(nowMs - Date.parse(at))} ago, ${code}: ${printable(first)}`],
    ...others.map((line) => ['', printable(line)] as const),
    ...output.map((line) => ['', `| ${printable(line)}`] as const),
    ['hint', `see "emperor why ${printable(name)}", "emperor logs ${printable(name)}" and "emperor events ${printable(name)}"`],
  ];
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
