import { sameAddress, type Listen } from './address.ts';
import type { StandingEffect } from './effect.ts';
import { generationsOf, holdsSockets, isTaken } from './generation.ts';
import { chosen, wanted } from './lifecycle.ts';
import type { VassalId } from './listing.ts';
import { isRaised } from './need.ts';
import type { VassalSpec } from './spec.ts';
import type { InstanceId, Place, Runnable, Vassal } from './state.ts';

/**
 * What ought to be watched, asked and held is a function of the state: so no rule orders it, and none can forget to. After each
 * event what follows from a vassal as it is now is compared with what followed from it before; the difference are the effects.
 */
interface Standing {
  /** Instances that are asked how they are; the key changes when the question does. */
  readonly probes: ReadonlyMap<InstanceId, Question>;
  /** Who gets new connections; null: nothing of it runs. */
  readonly traffic: { readonly generation: number; readonly share: number; readonly moves: boolean } | null;
  /** The generations whose last waiting connections are awaited. */
  readonly draining: ReadonlySet<number>;
  /** Generations with sockets of which something lives or is to live. */
  readonly generations: ReadonlySet<number>;
  /** The addresses that are held. */
  readonly held: readonly Listen[];
  /** The addresses are opened before anything runs, and watched. */
  readonly knock: VassalSpec | null;
  readonly idleMs: number | null;
  /** Connections that wait for this generation are counted: more of them than that call for one more instance. */
  readonly crowd: { readonly generation: number; readonly connections: number; readonly forMs: number } | null;
  /** It has more instances than the least: those are given up when nobody has connected for so long. */
  readonly calmMs: number | null;
}

interface Question {
  readonly key: string;
  readonly effect: StandingEffect & { readonly type: 'judge' | 'tend' };
}

const NOTHING: Standing = { probes: new Map(), traffic: null, draining: new Set(), generations: new Set(), held: [], knock: null, idleMs: null, crowd: null, calmMs: null };

/** The effects of a change of one vassal; null: it was not there before, or is forgotten. */
export function standingEffects(id: VassalId, name: string, before: Vassal | null, after: Vassal | null): readonly StandingEffect[] {
  const old = before === null ? NOTHING : standing(before);
  const now = after === null ? NOTHING : standing(after);
  const effects: StandingEffect[] = [];
  for (const instance of old.probes.keys()) if (!now.probes.has(instance)) effects.push({ type: 'disregard', instance });
  for (const [instance, { key, effect }] of now.probes) if (old.probes.get(instance)?.key !== key) effects.push(effect);
  if (now.traffic !== null && (now.traffic.moves || old.traffic?.moves === true) && moved(old.traffic, now.traffic)) {
    effects.push({ type: 'steer', vassal: id, generation: now.traffic.generation, share: now.traffic.share });
  }
  for (const generation of now.draining) if (!old.draining.has(generation)) effects.push({ type: 'await-drained', vassal: id, generation });
  for (const generation of old.generations) if (!now.generations.has(generation)) effects.push({ type: 'retire', vassal: id, generation });
  if (old.knock !== null && old.knock !== now.knock) effects.push({ type: 'ignore-knock', vassal: id });
  if (old.held.some((each) => !now.held.some((kept) => sameAddress(kept.address, each.address)))) effects.push({ type: 'release', vassal: id, keep: now.held });
  if (now.knock !== null && old.knock !== now.knock) {
    const { listen, user, group } = now.knock;
    effects.push({ type: 'await-knock', vassal: id, name, listen, user, group });
  }
  if (old.idleMs !== null && now.idleMs === null) effects.push({ type: 'ignore-unused', vassal: id });
  if (now.idleMs !== null && now.idleMs !== old.idleMs) effects.push({ type: 'await-unused', vassal: id, idleMs: now.idleMs });
  const { crowd } = now;
  if (old.crowd !== null && crowd === null) effects.push({ type: 'ignore-crowd', vassal: id });
  if (crowd !== null && JSON.stringify(old.crowd) !== JSON.stringify(crowd)) effects.push({ type: 'await-crowd', vassal: id, ...crowd });
  if (old.calmMs !== null && now.calmMs === null) effects.push({ type: 'ignore-calm', vassal: id });
  if (now.calmMs !== null && now.calmMs !== old.calmMs) effects.push({ type: 'await-calm', vassal: id, idleMs: now.calmMs });
  return effects;
}

function moved(old: Standing['traffic'], now: NonNullable<Standing['traffic']>): boolean {
  return old === null || old.generation !== now.generation || old.share !== now.share;
}

function standing(vassal: Vassal): Standing {
  const { state } = vassal;
  const generations = generationsOf(vassal);
  const listening = generations.some((each) => holdsSockets(each.runs));
  return {
    probes: new Map(generations.flatMap((each) => each.places).flatMap((place) => questions(place))),
    traffic: listening ? traffic(vassal) : turnedAway(vassal),
    draining: new Set([
      ...(state.phase === 'reloading' && state.stage.kind === 'swapped' && !state.stage.drained ? [state.current.number] : []),
      ...vassal.leaving.filter(({ stage }) => stage === 'draining').map(({ instance }) => instance.generation),
    ]),
    generations: new Set([
      ...generations.filter((each) => holdsSockets(each.runs)).map((each) => each.number),
      ...vassal.leaving.filter(({ instance }) => holdsSockets(instance.runs)).map(({ instance }) => instance.generation),
    ]),
    held: held(vassal),
    knock: (state.phase === 'idle' && state.retryMs === null) || state.phase === 'paused' ? listeningSpec(chosen(vassal)) : null,
    idleMs: state.phase === 'ready' && state.current.runs.spec.onDemand ? state.current.runs.spec.idleTimeoutMs : null,
    crowd: crowdOf(vassal),
    calmMs: state.phase === 'ready' && isRaised(vassal) ? (state.current.runs.spec.scaling?.idleMs ?? null) : null,
  };
}

/** Nobody counts for a vassal that has all that it may have. */
function crowdOf(vassal: Vassal): Standing['crowd'] {
  const { state } = vassal;
  if (state.phase !== 'ready' || vassal.scale !== null || !holdsSockets(state.current.runs)) return null;
  const { number, runs } = state.current;
  const { scaling } = runs.spec;
  if (scaling === null || scaling.backlog === null || wanted(vassal, runs) >= scaling.max) return null;
  return { generation: number, ...scaling.backlog };
}

function questions(place: Place): readonly (readonly [InstanceId, Question])[] {
  if (!isTaken(place) || place.instance.process === null) return [];
  const { id, runs } = place.instance;
  const { ready, health } = runs.spec;
  if (place.phase !== 'ready') {
    if (ready.kind !== 'probe' && ready.kind !== 'log') return [];
    if (place.phase === 'refreshing' && place.awaited && ready.kind === 'probe') return [];
    const since = place.phase === 'refreshing' ? place.sinceMs : 0;
    return [[id, { key: `judge ${since}`, effect: { type: 'judge', instance: id, readiness: ready } }]];
  }
  if (health === null || health.probe === null) return [];
  return [[id, { key: `tend ${place.sinceMs}`, effect: { type: 'tend', instance: id, health: { ...health, probe: health.probe } } }]];
}

/** `moves`: an overlap is under way, in which the kernel has to be told. Else the sockets have no choice but one. */
function traffic({ state }: Vassal): Standing['traffic'] {
  if (state.phase !== 'reloading') return 'current' in state ? { generation: state.current.number, share: 1, moves: false } : null;
  const { current, next, stage } = state;
  switch (stage.kind) {
    case 'swapped':
      return { generation: next.number, share: 1, moves: true };
    case 'canary':
      return { generation: next.number, share: next.runs.spec.canary?.share ?? 1, moves: true };
    case 'judging':
    default: {
      const { rolled } = stage;
      return rolled === 0 ? { generation: current.number, share: 1, moves: true } : { generation: next.number, share: rolled / (rolled + current.places.length), moves: true };
    }
  }
}

/** All of it goes: what still drains is not to get what can wait for the next start. */
function turnedAway({ leaving }: Vassal): Standing['traffic'] {
  // The newest: an older one may have closed its socket.
  const told = leaving.findLast(({ stage, instance }) => stage !== 'draining' && holdsSockets(instance.runs));
  return told === undefined || leaving.every(({ stage }) => stage !== 'draining') ? null : { generation: told.instance.generation, share: 1, moves: true };
}

/** What an operator stopped, and what nobody will serve, is refused at once; all else can wait to be served. */
function held(vassal: Vassal): readonly Listen[] {
  const { state } = vassal;
  switch (state.phase) {
    case 'stopped':
    case 'exited':
    case 'invalid':
      return [];
    case 'stopping':
      return state.why === 'stop' && vassal.want !== 'paused' ? [] : listenOf(chosen(vassal));
    case 'reloading':
      return [...listenOf(state.next.runs), ...listenOf(state.current.runs)];
    case 'starting':
    case 'refreshing':
    case 'ready':
    case 'backoff':
      return listenOf(state.current.runs);
    case 'idle':
    case 'waiting':
    case 'paused':
    default:
      return listenOf(chosen(vassal));
  }
}

function listenOf(runs: Runnable | null): readonly Listen[] {
  return runs !== null && holdsSockets(runs) ? runs.spec.listen : [];
}

function listeningSpec(runs: Runnable | null): VassalSpec | null {
  return runs !== null && holdsSockets(runs) ? runs.spec : null;
}
