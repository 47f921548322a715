import type { HookEffect } from './effect.ts';
import type { HistoryEntry } from './history.ts';
import { hasHook, type HookName } from './hook.ts';
import { generationsOf, instancesIn } from './generation.ts';
import type { Instance, InstanceId, Leaving, Runnable, Vassal } from './state.ts';

/**
 * Which hooks run follows from what changed and from what the history says of it: so no rule orders them, and none can forget to.
 *
 *   history: ready → after-ready   loyal → after-loyal   exited → after-exit, on-crash   backoff → on-backoff   rejected → on-refusal
 *   state: an instance that parts → before-stop   a reload that is done → after-reload   another failure than before → on-failure
 *
 * `before-start` comes before a launch instead of it: lifecycle.ts.
 *
 * @param before null: it was not there before
 * @param after null: it is forgotten
 * @param history what this turn tells of the vassal
 */
export function hookEffects(before: Vassal | null, after: Vassal | null, history: readonly HistoryEntry[]): readonly HookEffect[] {
  const vassal = after ?? before;
  if (vassal === null) return [];
  const instances = new Map([...livingOf(before), ...livingOf(after)].map((instance) => [instance.id, instance]));
  const whole = wholeOf(after) ?? wholeOf(before);
  if (![...instances.values()].some(({ runs }) => runs.spec.hooks.length > 0) && (whole?.spec.hooks.length ?? 0) === 0) return [];

  const effects: HookEffect[] = [];
  const ofInstance = (id: InstanceId | null, at: HookName, reason: string): void => {
    const instance = id === null ? undefined : instances.get(id);
    if (instance !== undefined && hasHook(instance.runs.spec.hooks, at)) effects.push(hookOf(vassal, instance, at, reason));
  };
  const ofWhole = (at: HookName, revision: number | null, reason: string): void => {
    if (whole === null || !hasHook(whole.spec.hooks, at)) return;
    effects.push({ type: 'hook', vassal: vassal.id, name: vassal.name, at, runs: whole, instance: null, pid: null, revision: revision ?? whole.number, reason });
  };

  for (const { event, instance, revision, why, pid, status } of history) {
    if (event === 'ready') ofInstance(instance, 'after-ready', why);
    if (event === 'loyal') ofInstance(instance, 'after-loyal', why);
    if (event === 'backoff') ofWhole('on-backoff', revision, why);
    if (event === 'rejected') ofWhole('on-refusal', revision, why);
    // One that never had a process has not ended either.
    if (event !== 'exited' || pid === null) continue;
    ofInstance(instance, 'after-exit', why);
    const crashed = before !== null && before.leaving.every((each) => each.instance.id !== instance);
    const clean = status?.kind === 'exited' && status.code === 0;
    if (crashed && (!clean || instancePolicy(instance, instances) === 'always')) ofInstance(instance, 'on-crash', why);
  }
  const parted = new Set(partingOf(before).map(({ instance }) => instance.id));
  for (const { instance } of partingOf(after)) {
    if (parted.has(instance.id)) continue;
    ofInstance(instance.id, 'before-stop', history.find((entry) => entry.instance === instance.id && entry.event === 'cursed')?.why ?? 'it is to stop');
  }
  const reloaded = reloadedTo(before, after);
  if (reloaded !== null) ofWhole('after-reload', reloaded.number, `revision ${reloaded.number} serves`);
  const { failure } = vassal;
  if (failure !== null && (failure.at !== before?.failure?.at || failure.message !== before.failure.message)) ofWhole('on-failure', failure.revision, failure.message);
  return effects;
}

/** The order to run the hooks of an instance. */
export function hookOf(vassal: Pick<Vassal, 'id' | 'name'>, { id, runs, process }: Instance, at: HookName, reason: string): HookEffect {
  return { type: 'hook', vassal: vassal.id, name: vassal.name, at, runs, instance: id, pid: process?.pid ?? null, revision: runs.number, reason };
}

function instancePolicy(id: InstanceId | null, instances: ReadonlyMap<InstanceId, Instance>): string | null {
  return (id === null ? undefined : instances.get(id))?.runs.spec.restart ?? null;
}

function livingOf(vassal: Vassal | null): readonly Instance[] {
  return vassal === null ? [] : [...generationsOf(vassal).flatMap(instancesIn), ...vassal.leaving.map(({ instance }) => instance)];
}

function partingOf(vassal: Vassal | null): readonly Leaving[] {
  return vassal === null ? [] : vassal.leaving.filter(({ stage }) => stage === 'parting');
}

/** Whose hooks tell of the vassal as a whole: what its file says now, else what it said last that could be run. */
function wholeOf(vassal: Vassal | null): Runnable | null {
  if (vassal === null) return null;
  const { newest, good, pinned } = vassal;
  return newest?.outcome.ok === true ? { number: newest.number, spec: newest.outcome.spec } : (pinned ?? good);
}

/** What a reload has led to that is over with this change; null: none is. */
function reloadedTo(before: Vassal | null, after: Vassal | null): Runnable | null {
  if (before === null || after === null || !('current' in after.state)) return null;
  const { current } = after.state;
  if (before.state.phase === 'reloading') return current.number === before.state.next.number ? current.runs : null;
  const refreshed = before.state.phase === 'refreshing' && after.state.phase === 'ready' && current.number === before.state.current.number;
  return refreshed ? current.runs : null;
}
