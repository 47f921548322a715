import { printAddress } from '../core/address.ts';
import type { Now } from '../core/event.ts';
import { generationsOf, instancesIn } from '../core/generation.ts';
import { chosen, living, wanted } from '../core/lifecycle.ts';
import type { VassalSpec } from '../core/spec.ts';
import type { EmperorState, Instance, Runnable, Vassal } from '../core/state.ts';

/** What is told beyond the state. */
export interface Surroundings {
  readonly version: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly cwd: string;
  /** Instances run as the owners of their files. */
  readonly tyrant: boolean;
  /** Wall time, ms. */
  readonly startedAt: number;
  /** When a vassal file was last changed, wall time in ms; 0: nobody knows. */
  readonly changedAt: (vassal: Vassal) => number;
  /** Whom the instances run as. */
  readonly ownerOf: (whom: Pick<VassalSpec, 'user' | 'group'>) => { readonly uid: number; readonly gid: number };
  /** Commands of hooks: how many run, wait, ended, failed and were dropped. */
  readonly hooks: object;
}

/**
 * The statistics of a uWSGI Emperor, field by field in its order, for tools that read those; behind them in each table what it cannot tell.
 * Times are whole seconds since the epoch, 0: never. A vassal of several instances is one entry, with the pid of its first.
 * Source: uWSGI core/emperor.c, emperor_stats.
 */
export function uwsgiEmperorStats(state: EmperorState, now: Now, surroundings: Surroundings): object {
  const vassals = [...state.vassals.values()];
  return {
    version: surroundings.version,
    pid: surroundings.pid,
    uid: surroundings.uid,
    gid: surroundings.gid,
    cwd: surroundings.cwd,
    emperor: state.sources.map(({ name }) => name),
    emperor_tyrant: surroundings.tyrant ? 1 : 0,
    throttle_level: 0,
    vassals: vassals.map((vassal) => vassalStats(vassal, now, surroundings)),
    blacklist: vassals.flatMap((vassal) => blacklisted(vassal, now)),
    life: state.life,
    started: seconds(surroundings.startedAt),
    starting: state.starting.size,
    waiting: state.queue.length,
    hooks: surroundings.hooks,
  };
}

function vassalStats(vassal: Vassal, now: Now, { changedAt, ownerOf }: Surroundings): object {
  const { state, failure } = vassal;
  const wall = (ms: number): number => seconds(now.at - (now.ms - ms));
  const runs = runsOf(vassal);
  const instances = generationsOf(vassal).flatMap(instancesIn);
  const all = living(vassal);
  const readyAt = instances.flatMap((each) => (each.readyMs === null ? [] : [each.readyMs]));
  const loyalAt = instances.flatMap((each) => (each.readyMs === null ? [] : [each.readyMs + each.runs.spec.backoff.resetAfterMs])).filter((ms) => ms <= now.ms);
  const bornAt = all.map(({ bornMs }) => bornMs);
  const lastReady = readyAt.length === 0 ? 0 : wall(Math.max(...readyAt));
  const owner = runs === null ? { uid: 0, gid: 0 } : ownerOf(runs.spec);
  const changed = seconds(changedAt(vassal));
  return {
    id: vassal.id.slice(vassal.id.lastIndexOf('/') + 1),
    pid: (instances[0] ?? all[0])?.process?.pid ?? -1,
    born: changed,
    last_mod: changed,
    last_heartbeat: 0,
    loyal: loyalAt.length > 0 ? 1 : 0,
    ready: readyAt.length > 0 ? 1 : 0,
    accepting: readyAt.length > 0 ? 1 : 0,
    last_loyal: loyalAt.length === 0 ? 0 : wall(Math.max(...loyalAt)),
    last_ready: lastReady,
    last_accepting: lastReady,
    first_run: bornAt.length === 0 ? 0 : wall(Math.min(...bornAt)),
    last_run: bornAt.length === 0 ? 0 : wall(Math.max(...bornAt)),
    cursed: state.phase === 'stopping' ? Math.max(0, ...vassal.leaving.map(({ instance, stage, dueMs }) => (stage === 'told' ? wall(dueMs - instance.runs.spec.stopTimeoutMs) : 0))) : 0,
    zerg: 0,
    on_demand: runs?.spec.onDemand === true ? addressOf(runs) : '',
    uid: owner.uid,
    gid: owner.gid,
    monitor: vassal.source,
    respawns: vassal.restarts,
    name: vassal.name,
    state: state.phase,
    revision: runs?.number ?? vassal.newest?.number ?? 0,
    wanted: runs === null ? 0 : wanted(vassal, runs),
    failure: failure === null ? null : { code: failure.code, message: failure.message, at: seconds(failure.at) },
    instances: all.map((each) => instanceStats(each, vassal, wall)),
  };
}

function instanceStats({ id, process, generation, runs, bornMs, readyMs, adopted }: Instance, { leaving }: Vassal, wall: (ms: number) => number): object {
  const stopping = leaving.some((each) => each.instance.id === id);
  return {
    id,
    pid: process?.pid ?? -1,
    state: stopping ? 'stopping' : readyMs === null ? 'starting' : 'ready',
    revision: runs.number,
    generation,
    run: wall(bornMs),
    last_ready: readyMs === null ? 0 : wall(readyMs),
    adopted: adopted ? 1 : 0,
  };
}

/** Who waits for its next start. `throttle_level`: ms until then. */
function blacklisted(vassal: Vassal, now: Now): readonly object[] {
  const { state, failure, deaths } = vassal;
  if (state.phase !== 'backoff') return [];
  const untilMs = Math.min(...state.current.places.flatMap((place) => (place.phase === 'backoff' ? [place.untilMs] : [])));
  const at = seconds(failure?.at ?? 0);
  return [{ id: vassal.id.slice(vassal.id.lastIndexOf('/') + 1), throttle_level: Math.max(0, Math.round(untilMs - now.ms)), attempt: deaths, first_attempt: at, last_attempt: at }];
}

function runsOf(vassal: Vassal): Runnable | null {
  return 'current' in vassal.state ? vassal.state.current.runs : chosen(vassal);
}

function addressOf({ spec }: Runnable): string {
  const [first] = spec.listen;
  if (first === undefined) return '';
  return first.address.kind === 'unix' ? first.address.path : printAddress(first.address);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
