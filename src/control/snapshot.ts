import type { Now } from '../core/event.ts';
import type { EmperorState, Instance, Vassal } from '../core/state.ts';
import { unreachable } from '../errors.ts';
import type { StoredEntry } from '../store/store.ts';
import { rfc3339 } from '../world/rfc3339.ts';
import type { Identity } from './command.ts';
import type { EmperorDocument, EventDocument, InstanceDocument, StateWord, StatusDocument, VassalDocument } from './protocol.ts';

/** The state for people and scripts; `vassals` may be only some of them. Pure. */
export function statusDocument(state: EmperorState, vassals: Iterable<Vassal>, identity: Identity, now: Now): StatusDocument {
  const sorted = [...vassals].sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  return { emperor: emperorDocument(state, identity), vassals: sorted.map((vassal) => vassalDocument(vassal, now)) };
}

/** Who reigns here. Pure. */
export function emperorDocument(state: EmperorState, identity: Identity): EmperorDocument {
  return {
    version: identity.version,
    pid: identity.pid,
    startedAt: rfc3339(identity.startedAt),
    life: state.life,
    sources: state.sources.map((source) => source.name),
    blind: state.sources.flatMap(({ name, blind }) => (blind === null ? [] : [{ source: name, reason: blind.reason, since: rfc3339(blind.since) }])),
  };
}

/** One line of the history. Pure. */
export function eventDocument(entry: StoredEntry): EventDocument {
  const { sequence, at, event, name, vassal, instance, pid, revision, from, to, why, actor, status } = entry;
  return { sequence, at: rfc3339(at), event, name, file: vassal, instance, pid, revision, from, to, why, actor, status };
}

function vassalDocument(vassal: Vassal, now: Now): VassalDocument {
  const { state, failure } = vassal;
  return {
    name: vassal.name,
    file: vassal.id,
    state: stateWord(vassal),
    want: vassal.want,
    revision: revisionOf(vassal),
    server: serverOf(vassal),
    listen: [],
    instances: instancesOf(vassal),
    restarts: vassal.restarts,
    nextStartAt: state.phase === 'backoff' ? rfc3339(now.at + (state.untilMs - now.ms)) : null,
    failure: failure === null ? null : { revision: failure.revision, code: failure.code, message: failure.message, at: rfc3339(failure.at) },
  };
}

/** The state of a vassal in the words of the contract. A stop that is half of a restart is a reload to whoever watches. */
export function stateWord(vassal: Vassal): StateWord {
  const { state } = vassal;
  switch (state.phase) {
    case 'refreshing':
      return 'reloading';
    case 'stopping':
      return state.why === 'restart' ? 'reloading' : 'stopping';
    case 'starting':
    case 'ready':
    case 'reloading':
    case 'backoff':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return state.phase;
    default:
      return unreachable(state);
  }
}

function instancesOf({ state, leaving }: Vassal): readonly InstanceDocument[] {
  const old = leaving.map((each) => instanceDocument(each.instance, 'stopping'));
  switch (state.phase) {
    case 'starting':
      return [instanceDocument(state.instance, 'starting'), ...old];
    case 'refreshing':
    case 'ready':
      return [instanceDocument(state.instance, 'ready'), ...old];
    case 'reloading':
      return [instanceDocument(state.current, 'ready'), instanceDocument(state.next, 'starting'), ...old];
    case 'stopping':
      return [instanceDocument(state.cursed, 'stopping'), ...old];
    case 'backoff':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return old;
    default:
      return unreachable(state);
  }
}

function instanceDocument(instance: Instance, state: InstanceDocument['state']): InstanceDocument {
  return {
    id: instance.id,
    pid: instance.process?.pid ?? null,
    state,
    revision: instance.runs.number,
    startedAt: rfc3339(instance.bornAt),
    readyAt: instance.readyAt === null ? null : rfc3339(instance.readyAt),
    adopted: instance.adopted,
  };
}

function revisionOf(vassal: Vassal): number | null {
  return mainInstance(vassal)?.runs.number ?? vassal.newest?.number ?? null;
}

function serverOf(vassal: Vassal): string | null {
  const newest = vassal.newest?.outcome;
  const spec = mainInstance(vassal)?.runs.spec ?? (newest?.ok === true ? newest.spec : vassal.good?.spec);
  return spec?.server ?? null;
}

/** The instance that stands for the vassal: the one that serves, else the one that is to. */
function mainInstance({ state }: Vassal): Instance | null {
  if (state.phase === 'reloading') return state.current;
  if (state.phase === 'starting' || state.phase === 'refreshing' || state.phase === 'ready') return state.instance;
  return null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
