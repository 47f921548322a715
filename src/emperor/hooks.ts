import type { HookEffect } from '../core/effect.ts';
import type { HookedEvent } from '../core/event.ts';
import { hooksAt, isAwaited, type Hook, type HookName } from '../core/hook.ts';
import type { VassalId } from '../core/listing.ts';
import type { InstanceId } from '../core/state.ts';
import { EmperorError, reasonOf } from '../errors.ts';
import type { Tool, ToolEnding } from '../runner/tool.ts';
import type { Clock } from '../world/clock.ts';
import type { Logger } from '../world/logger.ts';

/** Runs the commands of hooks beside everything else, and tells how they ended. */
export interface Hooks extends Disposable {
  /** Runs them now, or when it is their turn. */
  run(effect: HookEffect): void;
  /** The start of this instance is not wanted any more: what runs before it is ended. */
  forsake(instance: InstanceId): void;
  counts(): HookCounts;
  /** Resolves when none runs or waits. */
  settled(): Promise<void>;
}

/** In this life of the emperor. */
export interface HookCounts {
  readonly running: number;
  /** Waiting for their turn. */
  readonly queued: number;
  readonly ended: number;
  readonly failed: number;
  /** Not run, as too many of that vassal waited already. */
  readonly dropped: number;
}

/** What it is made of. */
export interface HooksOptions {
  readonly tool: Tool;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'error'>;
  readonly post: (event: HookedEvent) => void;
}

/** What waits for its turn, and what runs. */
interface Lane {
  /** At one time. */
  readonly most: number;
  /** Of one vassal: none takes all the room. One at a time is told of things in their order. */
  readonly mostOfVassal: number;
  /** First come, first served; but nobody is held up by a vassal that has all that it may have. */
  readonly queue: Job[];
  readonly running: Set<Job>;
  /** How many of each vassal are in the queue. */
  readonly waiting: Map<VassalId, number>;
}

function lane(most: number, mostOfVassal: number): Lane {
  return { most, mostOfVassal, queue: [], running: new Set(), waiting: new Map() };
}

/** Of one vassal, those that are only told. */
const MOST_QUEUED = 100;
/** A variable takes 128 KiB, execve(2); a sentence does not need that. */
const LONGEST_REASON = 4_096;
/** From TERM to KILL. */
const KILL_AFTER_MS = 5_000;

interface Job {
  readonly effect: HookEffect;
  /** Set while it runs. */
  end: (() => void) | null;
  forsaken: boolean;
}

/** Opens it. Disposing kills what runs, as nobody would end it at its time limit any more: whoever does so waits before, see {@link Hooks.settled}. */
export function openHooks({ tool, clock, logger, post }: HooksOptions): Hooks {
  // What is waited for has a lane of its own, so that who is only told holds up no start and no stop.
  const awaited = lane(32, 8);
  const told = lane(8, 1);
  /** What is to come before a launch. */
  const starts = new Map<InstanceId, Job>();
  const killing = new AbortController();
  let counts = { ended: 0, failed: 0, dropped: 0 };
  let waiters: (() => void)[] = [];
  let disposed = false;

  function laneOf({ at }: HookEffect): Lane {
    return isAwaited(at) ? awaited : told;
  }

  function enqueue(job: Job): void {
    const { queue, waiting } = laneOf(job.effect);
    const { vassal, at, instance } = job.effect;
    queue.push(job);
    waiting.set(vassal, (waiting.get(vassal) ?? 0) + 1);
    if (at === 'before-start' && instance !== null) starts.set(instance, job);
  }

  function dequeue(job: Job): void {
    const { queue, waiting } = laneOf(job.effect);
    const { vassal } = job.effect;
    queue.splice(queue.indexOf(job), 1);
    const rest = (waiting.get(vassal) ?? 1) - 1;
    if (rest === 0) waiting.delete(vassal);
    else waiting.set(vassal, rest);
  }

  function pump({ queue, running, most, mostOfVassal }: Lane): void {
    let at = 0;
    while (running.size < most) {
      const job = queue[at];
      if (job === undefined) return;
      if ([...running].filter(({ effect }) => effect.vassal === job.effect.vassal).length >= mostOfVassal) {
        at += 1;
        continue;
      }
      dequeue(job);
      running.add(job);
      void carryOut(job).then((failure) => finish(job, failure));
    }
  }

  function finish(job: Job, failure: string | null): void {
    const { effect } = job;
    laneOf(effect).running.delete(job);
    if (effect.at === 'before-start' && effect.instance !== null) starts.delete(effect.instance);
    counts = { ...counts, ended: counts.ended + 1, failed: counts.failed + (failure === null ? 0 : 1) };
    tell(effect, failure);
    if (!disposed) pump(laneOf(effect));
    settle();
  }

  function settle(): void {
    if ([awaited, told].some(({ queue, running }) => queue.length + running.size > 0)) return;
    for (const resolve of waiters) resolve();
    waiters = [];
  }

  function tell({ at, vassal, name, instance, revision }: HookEffect, failure: string | null): void {
    if (!disposed) post({ type: 'hooked', at, vassal, name, instance, revision, failure });
  }

  /** Its commands one after the other; never rejects. @returns what went wrong first, or null */
  async function carryOut(job: Job): Promise<string | null> {
    const { effect } = job;
    let failure: string | null = null;
    for (const hook of hooksAt(effect.runs.spec.hooks, effect.at)) {
      if (job.forsaken || (failure !== null && effect.at === 'before-start')) break;
      const trouble = await runOne(job, hook);
      if (trouble !== null && hook.tolerated) logger.error({ ...fieldsOf(effect), why: trouble }, 'a hook failed, and that changes nothing');
      else failure ??= trouble;
    }
    return job.forsaken ? unwanted(effect) : failure;
  }

  async function runOne(job: Job, { argv, timeoutMs }: Hook): Promise<string | null> {
    const { effect } = job;
    const asking = new AbortController();
    const forcing = new AbortController();
    const force = (): void => forcing.abort();
    killing.signal.addEventListener('abort', force);
    let late = false;
    let cancelKill = (): void => {};
    job.end = () => {
      asking.abort();
      cancelKill();
      cancelKill = clock.after(KILL_AFTER_MS, force);
    };
    const { end } = job;
    const cancel = clock.after(timeoutMs, () => {
      late = true;
      end();
    });
    const named = `the hook ${effect.at} (${argv[0]}) of vassal "${effect.name}"`;
    try {
      const ending = await tool(effect.name, { id: effect.instance ?? '', runs: effect.runs }, argv, forcing.signal, { terminate: asking.signal, environment: environmentOf(effect) });
      for (const line of linesOf(ending)) logger.info({ ...fieldsOf(effect), why: line }, 'hook printed');
      if (late) return `${named} took longer than ${timeoutMs} ms, and was ended`;
      return describe(named, ending);
    } catch (error) {
      return error instanceof EmperorError ? `${named}: ${error.message}` : `${named} could not be run: ${reasonOf(error)}`;
    } finally {
      cancel();
      cancelKill();
      killing.signal.removeEventListener('abort', force);
      job.end = null;
    }
  }

  return {
    run(effect) {
      if (disposed) return;
      if (laneOf(effect) === told && (told.waiting.get(effect.vassal) ?? 0) >= MOST_QUEUED) {
        counts = { ...counts, dropped: counts.dropped + 1 };
        logger.error(fieldsOf(effect), 'a hook was not run: too many of this vassal wait already');
        return;
      }
      enqueue({ effect, end: null, forsaken: false });
      pump(laneOf(effect));
    },
    forsake(instance) {
      const job = starts.get(instance);
      if (job === undefined || job.forsaken) return;
      job.forsaken = true;
      job.end?.();
      if (awaited.running.has(job)) return;
      dequeue(job);
      finish(job, unwanted(job.effect));
    },
    counts: () => ({ ...counts, running: awaited.running.size + told.running.size, queued: awaited.queue.length + told.queue.length }),
    settled: () => new Promise((resolve) => {
      waiters.push(resolve);
      settle();
    }),
    [Symbol.dispose]() {
      disposed = true;
      for (const { queue, running } of [awaited, told]) {
        for (const { effect } of running) logger.error(fieldsOf(effect), 'a hook was killed, as the emperor ends');
        for (const { effect } of queue) logger.error(fieldsOf(effect), 'a hook was not run, as the emperor ends');
        queue.length = 0;
      }
      killing.abort();
      settle();
    },
  };
}

function unwanted({ at, name }: HookEffect): string {
  return `the hook ${at} of vassal "${name}" was ended: its start is not wanted any more`;
}

/** What a hook gets beside the environment of an instance, which has EMPEROR_VASSAL and EMPEROR_INSTANCE. */
function environmentOf({ at, pid, revision, reason }: HookEffect): Readonly<Record<string, string>> {
  return {
    EMPEROR_HOOK: at,
    EMPEROR_PID: pid === null ? '' : String(pid),
    EMPEROR_REVISION: String(revision),
    EMPEROR_REASON: reason.replaceAll('\0', '').slice(0, LONGEST_REASON),
  };
}

function fieldsOf({ name, instance, at, revision }: HookEffect): { readonly vassal: string; readonly hook: HookName; readonly revision: number } {
  return { vassal: name, ...(instance === null ? {} : { instance }), hook: at, revision };
}

function linesOf({ output }: ToolEnding): readonly string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}

function describe(named: string, ending: ToolEnding): string | null {
  if (ending.code === 0) return null;
  const last = linesOf(ending).at(-1);
  const how = ending.code === null ? `was killed by ${ending.signal ?? 'nobody knows what'}` : `ended with exit code ${ending.code}`;
  return `${named} ${how}${last === undefined ? '' : `; it printed last: ${last}`}`;
}
