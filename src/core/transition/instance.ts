import { unreachable, type Code } from '../../errors.ts';
import { respite } from '../backoff.ts';
import type { InstanceEvent } from '../event.ts';
import { curse, living, rest } from '../lifecycle.ts';
import type { ExitStatus, Failure, Instance, InstanceId, Vassal, VassalState } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { reload } from './declared.ts';

/** What the runner tells of an instance of this vassal. */
export function told(vassal: Vassal, event: InstanceEvent, turn: Turn): Vassal | null {
  switch (event.type) {
    case 'spawned':
      return spawned(vassal, event, turn);
    case 'unlaunchable':
      return unlaunchable(vassal, event, turn);
    case 'exited':
      return exited(vassal, event.instance, event.status, turn);
    default:
      return unreachable(event);
  }
}

function spawned(vassal: Vassal, event: InstanceEvent & { type: 'spawned' }, turn: Turn): Vassal {
  const { state } = vassal;
  const born = (instance: Instance): Instance => ({ ...instance, process: event.process });
  const due = (instance: Instance): number => turn.now.ms + instance.runs.spec.ready.ms;
  const told = (instance: Instance, after: Vassal): Vassal => {
    note(turn, vassal, 'spawned', `process ${event.process.pid} was started`, { instance: born(instance) });
    return after;
  };
  if (state.phase === 'starting' && state.instance.id === event.instance) {
    return told(state.instance, { ...vassal, state: { ...state, instance: born(state.instance), dueMs: due(state.instance) } });
  }
  if (state.phase === 'reloading' && state.next.id === event.instance) {
    return told(state.next, { ...vassal, state: { ...state, next: born(state.next), dueMs: due(state.next) } });
  }
  if (state.phase === 'stopping' && state.cursed.id === event.instance) {
    return told(state.cursed, { ...vassal, state: { ...state, cursed: born(state.cursed) } });
  }
  const leaver = vassal.leaving.find((each) => each.instance.id === event.instance);
  if (leaver === undefined) return vassal;
  const leaving = vassal.leaving.map((each) => (each === leaver ? { ...each, instance: born(each.instance) } : each));
  return told(leaver.instance, { ...vassal, leaving });
}

function unlaunchable(before: Vassal, event: InstanceEvent & { type: 'unlaunchable' }, turn: Turn): Vassal | null {
  const { state } = before;
  const instance = find(before, event.instance);
  if (instance === null) return before;
  note(turn, before, 'unlaunchable', event.reason, { instance });
  const failure = fail(instance, event.code, event.reason, turn);
  if (state.phase === 'reloading' && state.next.id === event.instance) {
    if (event.lasting) turn.effects.push({ type: 'recheck', vassal: before.id });
    return refuse(before, state.current, failure, turn);
  }
  if (state.phase === 'starting' && state.instance.id === event.instance) {
    const vassal: Vassal = { ...before, failure: blame(before, failure) };
    if (!event.lasting) return answer(vassal, instance, null, turn, event.reason);
    turn.effects.push({ type: 'recheck', vassal: before.id });
    // An instance of the last good revision cannot be launched either: nothing is left to try.
    const lost = instance.runs.number !== before.newest?.number;
    return rest({ ...vassal, rejected: true, good: lost ? null : vassal.good }, turn, 'its newest revision cannot be started: back to the last good one');
  }
  return exited(before, event.instance, { kind: 'unknown' }, turn);
}

function exited(vassal: Vassal, id: InstanceId, status: ExitStatus, turn: Turn): Vassal | null {
  const { state } = vassal;
  const instance = find(vassal, id);
  if (instance === null) return vassal;
  const how = describeExit(instance, status, turn);
  note(turn, vassal, 'exited', how, { instance, status });
  const leaving = vassal.leaving.filter((each) => each.instance.id !== id);
  if (leaving.length < vassal.leaving.length) return { ...vassal, leaving };
  switch (state.phase) {
    case 'stopping':
      return rest(vassal, turn, state.why === 'stop' ? 'it has ended' : 'it starts again');
    case 'starting':
    case 'refreshing':
    case 'ready':
      return died(vassal, instance, status, turn, how);
    case 'reloading':
      if (id === state.next.id) return refuse(vassal, state.current, fail(instance, codeOf(status), how, turn), turn);
      // The current one fell first: the next one is all there is, and has to become ready.
      return { ...vassal, restarts: vassal.restarts + 1, state: { phase: 'starting', instance: state.next, dueMs: state.dueMs } };
    case 'backoff':
    case 'stopped':
    case 'exited':
    case 'invalid':
      return vassal;
    default:
      return unreachable(state);
  }
}

/** The next instance failed: the current one goes on, and the newest revision is not tried again until it is touched. */
function refuse(vassal: Vassal, current: Instance, failure: Failure, turn: Turn): Vassal {
  const after: Vassal = { ...vassal, rejected: true, failure: blame(vassal, failure), state: { phase: 'ready', instance: current } };
  note(turn, vassal, 'rejected', `${failure.message}; the current instance goes on`, { after, revision: failure.revision });
  return after;
}

/** An instance ended that nobody had told to. */
function died(before: Vassal, instance: Instance, status: ExitStatus, turn: Turn, how: string): Vassal | null {
  const vassal: Vassal = { ...before, failure: blame(before, fail(instance, codeOf(status), how, turn)) };
  const { restart } = instance.runs.spec;
  const clean = status.kind === 'exited' && status.code === 0;
  if (restart === 'never' || (restart === 'on-failure' && clean)) {
    const failure = !clean ? vassal.failure : isNewest(before, instance) ? null : before.failure;
    const after: Vassal = { ...vassal, failure, state: { phase: 'exited', status } };
    note(turn, before, 'stopped', `restart = "${restart}": it is left as it is`, { after });
    return after;
  }
  const readyForMs = before.state.phase === 'ready' && instance.readyMs !== null ? turn.now.ms - instance.readyMs : null;
  return answer(vassal, instance, readyForMs, turn, how);
}

/** Starts again at once, or waits. */
function answer(vassal: Vassal, instance: Instance, readyForMs: number | null, turn: Turn, how: string): Vassal | null {
  const { waitMs, deaths } = respite(instance.runs.spec.backoff, vassal.deaths, readyForMs, vassal.id);
  if (waitMs === 0) return rest({ ...vassal, deaths, restarts: vassal.restarts + 1 }, turn, 'it is started again at once');
  const after: Vassal = { ...vassal, deaths, state: { phase: 'backoff', untilMs: turn.now.ms + waitMs } };
  note(turn, vassal, 'backoff', `${how}; starting again in ${(waitMs / 1000).toFixed(waitMs < 10_000 ? 2 : 0)} s`, { after });
  return after;
}

type Unproven = VassalState & { readonly phase: 'starting' | 'refreshing' | 'reloading' };

/** Its time has come: the instance in question accepts requests. */
export function becomeReady(before: Vassal, state: Unproven, turn: Turn): Vassal | null {
  const ready = (instance: Instance): Instance => ({ ...instance, readyMs: turn.now.ms, readyAt: turn.now.at });
  if (state.phase === 'reloading') return serve(before, ready(state.next), [...before.leaving, curse(state.current, turn)], turn);
  const instance = ready(state.instance);
  const after = serve(before, instance, before.leaving, turn);
  if (state.phase === 'starting' || !state.again || after.newest === null || !after.newest.outcome.ok) return after;
  return reload(after, instance, { number: after.newest.number, spec: after.newest.outcome.spec }, turn, 'it was touched during its reload');
}

function serve(before: Vassal, instance: Instance, leaving: Vassal['leaving'], turn: Turn): Vassal {
  const after: Vassal = {
    ...before,
    leaving,
    state: { phase: 'ready', instance },
    good: instance.runs,
    failure: isNewest(before, instance) ? null : before.failure,
  };
  note(turn, before, 'ready', `it is alive for ${instance.runs.spec.ready.ms} ms`, { instance, after });
  return after;
}

/** It runs what the file says now, and the file is not at fault. */
function isNewest({ newest }: Vassal, instance: Instance): boolean {
  return newest !== null && newest.number === instance.runs.number && newest.outcome.ok;
}

function find(vassal: Vassal, id: InstanceId): Instance | null {
  return living(vassal).find((each) => each.id === id) ?? null;
}

function fail(instance: Instance, code: Code, message: string, turn: Turn): Failure {
  return { revision: instance.runs.number, code, message, at: turn.now.at };
}

/** `failure` speaks of the newest revision: what befalls an older one that goes on in its place does not hide that. */
function blame(vassal: Vassal, failure: Failure): Failure {
  return vassal.failure !== null && failure.revision !== vassal.newest?.number ? vassal.failure : failure;
}

function codeOf(status: ExitStatus): Code {
  return status.kind === 'exited' ? 'E_EXITED' : status.kind === 'killed' ? 'E_KILLED' : 'E_VANISHED';
}

function describeExit(instance: Instance, status: ExitStatus, turn: Turn): string {
  const age = ((turn.now.ms - instance.bornMs) / 1000).toFixed(1);
  const when = instance.readyMs === null ? `${age} s after its start, before it was ready` : `${age} s after its start`;
  switch (status.kind) {
    case 'exited':
      return `instance ${instance.id} exited with code ${status.code}, ${when}`;
    case 'killed':
      return `instance ${instance.id} was killed by ${status.signal}, ${when}`;
    case 'unknown':
      return `instance ${instance.id} is gone, nobody knows how, ${when}`;
    default:
      return unreachable(status);
  }
}
