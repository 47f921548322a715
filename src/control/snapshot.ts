import { printAddress } from '../core/address.ts';
import type { Now } from '../core/event.ts';
import { generationsOf, isTaken } from '../core/generation.ts';
import { chosen, wanted } from '../core/lifecycle.ts';
import type { LimitName, Limits } from '../core/spec.ts';
import type { EmperorState, Failure, Instance, Runnable, Vassal } from '../core/state.ts';
import { unreachable } from '../errors.ts';
import type { StoredEntry } from '../store/store.ts';
import { rfc3339 } from '../world/rfc3339.ts';
import type { Identity, UsageOf } from './command.ts';
import type { EmperorDocument, EventDocument, FailureDocument, InstanceDocument, StateWord, StatusDocument, VassalDocument } from './protocol.ts';

/** The state for people and scripts; `vassals` may be only some of them. Pure. */
export function statusDocument(state: EmperorState, vassals: Iterable<Vassal>, identity: Identity, now: Now, usage: UsageOf): StatusDocument {
  const sorted = [...vassals].sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  return { emperor: emperorDocument(state, identity), vassals: sorted.map((vassal) => vassalDocument(vassal, now, { keeps: identity.keeps, usage })) };
}

/** Who reigns here. Pure. */
export function emperorDocument(state: EmperorState, identity: Identity): EmperorDocument {
  return {
    version: identity.version,
    pid: identity.pid,
    startedAt: rfc3339(identity.startedAt),
    life: state.life === 'running' && state.sources.some(({ isWhole, blind }) => !isWhole && blind === null) ? 'starting' : state.life,
    sources: state.sources.map((source) => source.name),
    kills: identity.kills,
    limits: LIMIT_NAMES.filter((name) => identity.keeps.has(name)),
    blind: state.sources.flatMap(({ name, blind }) => (blind === null ? [] : [{ source: name, reason: blind.reason, since: rfc3339(blind.since) }])),
  };
}

/** One line of the history. Pure. */
export function eventDocument(entry: StoredEntry): EventDocument {
  const { sequence, at, event, name, vassal, instance, pid, revision, from, to, why, actor, status } = entry;
  return { sequence, at: rfc3339(at), event, name, file: vassal, instance, pid, revision, from, to, why, actor, status };
}

/** What is told of a vassal beyond the state. */
interface Surroundings {
  readonly keeps: Identity['keeps'];
  readonly usage: UsageOf;
}

/** In the order in which they are told. */
const LIMIT_NAMES: readonly LimitName[] = ['memory', 'cpu', 'tasks', 'files'];

/** For who asks for something else: every limit is kept, and nothing is measured. */
const UNSEEN: Surroundings = { keeps: new Set(LIMIT_NAMES), usage: () => ({ memoryBytes: null, cpuMs: null }) };

/** All about one vassal. Pure. */
export function vassalDocument(vassal: Vassal, now: Now, { keeps, usage }: Surroundings = UNSEEN): VassalDocument {
  const { state, failure } = vassal;
  const runs = mainRuns(vassal);
  const nextStartMs = nextStart(vassal);
  return {
    name: vassal.name,
    file: vassal.id,
    state: stateWord(vassal),
    want: vassal.want,
    revision: servingRevision(vassal) ?? chosen(vassal)?.number ?? vassal.newest?.number ?? null,
    pinned: vassal.pinned?.number ?? null,
    scale: vassal.scale,
    scaling: runs === null || runs.spec.scaling === null ? null : { wanted: wanted(vassal, runs), min: runs.spec.instances, max: runs.spec.scaling.max },
    server: runs?.spec.server ?? null,
    listen: runs?.spec.listen.map(({ address }) => printAddress(address)) ?? [],
    waitsFor: state.phase === 'waiting' ? runs?.spec.after ?? [] : [],
    stage: state.phase === 'reloading' ? state.stage.kind : null,
    unlimited: runs === null ? [] : limitsOf(runs.spec.limits).filter((name) => !keeps.has(name)),
    instances: instancesOf(vassal, usage),
    restarts: vassal.restarts,
    nextStartAt: nextStartMs === null ? null : rfc3339(now.at + (nextStartMs - now.ms)),
    failure: failure === null ? null : failureDocument(failure),
    uwsgi: null,
  };
}

/** The state of a vassal in the words of the contract. A stop that is half of a restart is a reload to whoever watches. */
export function stateWord(vassal: Vassal): StateWord {
  const { state } = vassal;
  switch (state.phase) {
    case 'waiting':
      return state.cycle === null ? 'waiting' : 'invalid';
    case 'starting':
      return state.current.places.every((place) => place.phase === 'queued') ? 'waiting' : 'starting';
    case 'refreshing':
      return 'reloading';
    case 'stopping':
      return state.why === 'restart' || state.why === 'backoff' ? 'reloading' : 'stopping';
    case 'idle':
    case 'ready':
    case 'reloading':
    case 'backoff':
    case 'paused':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return state.phase;
    default:
      return unreachable(state);
  }
}

/** The number of the revision that serves, or is about to, and would go on if a reload failed; null: nothing runs. */
export function servingRevision({ state }: Vassal): number | null {
  return 'current' in state ? state.current.runs.number : null;
}

function failureDocument({ revision, code, message, at, output }: Failure): FailureDocument {
  return { revision, code, message, at: rfc3339(at), output };
}

function limitsOf({ memoryBytes, cpu, tasks, files }: Limits): readonly LimitName[] {
  const values: Readonly<Record<LimitName, number | null>> = { memory: memoryBytes, cpu, tasks, files };
  return LIMIT_NAMES.filter((name) => values[name] !== null);
}

function instancesOf(vassal: Vassal, usage: UsageOf): readonly InstanceDocument[] {
  const places = generationsOf(vassal).flatMap((generation) => generation.places).filter(isTaken);
  return [
    ...places.map(({ phase, instance }) => instanceDocument(instance, phase === 'starting' ? 'starting' : 'ready', usage)),
    ...vassal.leaving.map(({ instance }) => instanceDocument(instance, 'stopping', usage)),
  ];
}

function instanceDocument(instance: Instance, state: InstanceDocument['state'], usage: UsageOf): InstanceDocument {
  const { memoryBytes, cpuMs } = usage(instance.id);
  return {
    id: instance.id,
    pid: instance.process?.pid ?? null,
    state,
    revision: instance.runs.number,
    generation: instance.generation,
    startedAt: rfc3339(instance.bornAt),
    readyAt: instance.readyAt === null ? null : rfc3339(instance.readyAt),
    adopted: instance.adopted,
    status: instance.status,
    memoryBytes,
    cpuMs,
  };
}

/** What stands for the vassal: what serves, else what is to. */
function mainRuns(vassal: Vassal): Runnable | null {
  return 'current' in vassal.state ? vassal.state.current.runs : chosen(vassal) ?? vassal.good;
}

/** When the next start after a death is due, monotonic ms; null: none is. */
function nextStart(vassal: Vassal): number | null {
  const { state } = vassal;
  if (state.phase === 'stopping') return state.why === 'backoff' ? state.resumeMs : null;
  const places = generationsOf(vassal).flatMap((generation) => generation.places);
  const waits = places.flatMap((place) => (place.phase === 'backoff' ? [place.untilMs] : []));
  return waits.length === 0 ? null : Math.min(...waits);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
