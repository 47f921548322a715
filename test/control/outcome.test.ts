import { describe, expect, it } from 'vitest';
import { outcomeOf, type Past } from '../../src/control/outcome.ts';
import type { Order } from '../../src/core/event.ts';
import { living } from '../../src/core/lifecycle.ts';
import type { ExitStatus, Failure, Generation, InstanceId, Phase, Place, Vassal, VassalState } from '../../src/core/state.ts';
import { declare, declareFaulty, specOf } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

const OLD: Failure = { revision: 1, code: 'E_EXITED', message: 'it exited long ago', at: 1, instance: 'shop#0' as InstanceId, output: [] };
const NEW: Failure = { revision: 1, code: 'E_NOT_READY', message: 'it was not ready in time', at: 2, instance: 'shop#1' as InstanceId, output: ['boom'] };
const PAST: Past = { oldFailure: OLD, refusal: null };
const QUEUED: Place = { phase: 'queued', why: 'test' };
const WAITING: Place = { phase: 'backoff', untilMs: 5 };

/** A vassal that was ready, changed as the case wants it. */
function vassal(state: (ready: Generation) => VassalState, changes: Partial<Vassal> = {}): Vassal {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  emperor.rise('shop');
  const found = emperor.vassal('shop')!;
  if (found.state.phase !== 'ready') throw new Error('it is not ready');
  return { ...found, state: state(found.state.current), ...changes };
}

/** The generation with these places more. */
function withMore(current: Generation, ...places: readonly Place[]): Generation {
  return { ...current, places: [...current.places, ...places] };
}

const PHASES: Readonly<Record<Phase, (current: Generation) => VassalState>> = {
  idle: () => ({ phase: 'idle', retryMs: null }),
  waiting: () => ({ phase: 'waiting', cycle: null }),
  starting: (current) => ({ phase: 'starting', current: { ...current, places: [QUEUED] } }),
  refreshing: (current) => ({ phase: 'refreshing', current, again: false }),
  ready: (current) => ({ phase: 'ready', current }),
  reloading: (current) => ({ phase: 'reloading', current, next: { ...current, number: 2, places: [QUEUED] }, stage: { kind: 'judging', rolled: 0 } }),
  backoff: (current) => ({ phase: 'backoff', current: { ...current, places: [WAITING] } }),
  stopping: () => ({ phase: 'stopping', why: 'restart', resumeMs: 0 }),
  paused: () => ({ phase: 'paused' }),
  stopped: () => ({ phase: 'stopped' }),
  exited: () => ({ phase: 'exited', status: { kind: 'exited', code: 0 } }),
  invalid: () => ({ phase: 'invalid' }),
};

const ORDERS: Readonly<Record<'start' | 'resume' | 'restart' | 'reload' | 'rollback', Order>> = {
  start: { verb: 'start' }, resume: { verb: 'resume' }, restart: { verb: 'restart' }, reload: { verb: 'reload' }, rollback: { verb: 'rollback', to: { number: 1, spec: specOf() } },
};

describe('what has become of an order to be up', () => {
  it.each(Object.values(ORDERS).flatMap((order) => ([
    ['waiting', null, 'pending'],
    ['starting', null, 'pending'],
    ['refreshing', null, 'pending'],
    ['reloading', null, 'pending'],
    ['stopping', null, 'pending'],
    ['stopping', NEW, 'pending'],
    ['ready', null, 'done'],
    ['ready', OLD, 'done'],
    ['ready', { ...OLD, output: ['what it said became known'] }, 'done'],
    ['ready', NEW, 'failed'],
    ['idle', null, 'done'],
    ['idle', NEW, 'failed'],
    ['backoff', NEW, 'failed'],
    ['exited', NEW, 'failed'],
    ['exited', null, 'failed'],
    ['paused', null, 'failed'],
    ['stopped', null, 'failed'],
    ['invalid', NEW, 'fault'],
  ] as const).map(([phase, failure, kind]) => [order.verb, phase, failure, kind, order] as const)))('%s: %s with failure %j is %s', (_verb, phase, failure, kind, order) => {
    const told = kind === 'failed' && failure !== null ? { code: failure.code, message: failure.message, failure } : {};
    expect(outcomeOf(order, vassal(PHASES[phase], { failure }), PAST)).toMatchObject({ kind, ...told });
  });

  it.each(Object.values(ORDERS))('%j: a circle of vassals that wait for each other is a fault', (order) => {
    const failure: Failure = { revision: 1, code: 'E_CYCLE', message: 'it waits for itself', at: 2, instance: null, output: [] };
    expect(outcomeOf(order, vassal(() => ({ phase: 'waiting', cycle: ['shop', 'db'] }), { failure }), PAST)).toMatchObject({ kind: 'fault', code: 'E_CYCLE' });
  });

  it('is failed if a revision was refused, also if an older failure is still the one to be told', () => {
    const refusal = 'instance shop#7 exited with code 1; the current instance goes on';
    expect(outcomeOf(ORDERS.rollback, vassal(PHASES.ready, { failure: OLD }), { ...PAST, refusal })).toEqual({ kind: 'failed', code: null, message: refusal, failure: null });
    expect(outcomeOf(ORDERS.reload, vassal(PHASES.ready, { failure: NEW }), { ...PAST, refusal })).toMatchObject({ kind: 'failed', code: 'E_NOT_READY', failure: NEW });
  });

  it.each([['start', 'failed'], ['restart', 'failed'], ['reload', 'failed'], ['resume', 'failed'], ['rollback', 'failed']] as const)('%s of a vassal that was forgotten is %s', (verb, kind) => {
    expect(outcomeOf(ORDERS[verb], null, PAST)).toMatchObject({ kind, code: 'E_NO_VASSAL' });
  });

  it.each([
    [{ kind: 'exited', code: 3 }, 'it ended by itself with code 3'],
    [{ kind: 'killed', signal: 'SIGSEGV' }, 'it ended by itself by SIGSEGV'],
    [{ kind: 'unknown' }, 'it ended by itself and nobody knows how'],
  ] as const satisfies readonly (readonly [ExitStatus, string])[])('tells how a vassal without a failure ended: %j', (status, message) => {
    expect(outcomeOf(ORDERS.start, vassal(() => ({ phase: 'exited', status })), PAST)).toMatchObject({ kind: 'failed', code: null, message });
  });

  it.each([['start', 'fault'], ['resume', 'fault'], ['reload', 'fault'], ['restart', 'done']] as const)('%s of a vassal whose newest revision is at fault, while an older one serves, is %s', (verb, kind) => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    emperor.list(declareFaulty('shop'));
    const outcome = outcomeOf(ORDERS[verb], emperor.vassal('shop')!, { oldFailure: emperor.vassal('shop')!.failure, refusal: null });
    expect(outcome).toMatchObject({ kind, message: expect.stringContaining('unknown key "x" at /v/shop.toml:1') });
  });

  it.each(Object.keys(ORDERS) as (keyof typeof ORDERS)[])('%s is done when what an operator went back to serves, whatever is wrong with the newest revision', (verb) => {
    const faulty = declareFaulty('shop');
    const newest = { number: 2, hash: faulty.hash, text: faulty.text, outcome: faulty.outcome };
    expect(outcomeOf(ORDERS[verb], vassal(PHASES.ready, { newest, pinned: { number: 1, spec: specOf() }, failure: OLD }), PAST)).toEqual({ kind: 'done', message: null });
  });
});

describe('what has become of an order to be down', () => {
  it.each<[Phase, 'pending' | 'done', 'pending' | 'done' | 'failed']>([
    ['waiting', 'pending', 'pending'],
    ['starting', 'pending', 'pending'],
    ['refreshing', 'pending', 'pending'],
    ['ready', 'pending', 'pending'],
    ['reloading', 'pending', 'pending'],
    ['backoff', 'pending', 'pending'],
    ['stopping', 'pending', 'pending'],
    ['idle', 'done', 'pending'],
    ['paused', 'done', 'done'],
    ['stopped', 'done', 'failed'],
    ['exited', 'done', 'pending'],
    ['invalid', 'done', 'pending'],
  ])('in %s: to stop is %s, to pause is %s', (phase, stop, pause) => {
    const found = vassal(PHASES[phase], { failure: NEW });
    expect(outcomeOf({ verb: 'stop' }, found, PAST).kind).toBe(stop);
    expect(outcomeOf({ verb: 'pause' }, found, PAST).kind).toBe(pause);
  });

  it.each(['stop', 'pause'] as const)('%s is pending while an old instance of the vassal is leaving', (verb) => {
    const leaving = living(vassal(PHASES.ready)).map((instance) => ({ instance, stage: 'told', dueMs: 5 } as const));
    expect(leaving).toHaveLength(1);
    expect(outcomeOf({ verb }, vassal(verb === 'stop' ? PHASES.stopped : PHASES.paused, { leaving }), PAST).kind).toBe('pending');
  });

  it.each(['stop', 'pause'] as const)('%s of a vassal that was forgotten is done', (verb) => {
    expect(outcomeOf({ verb }, null, PAST).kind).toBe('done');
  });
});

describe('what has become of an order to have two instances', () => {
  const order: Order = { verb: 'scale', instances: 2 };

  it.each<[string, (current: Generation) => VassalState, object]>([
    ['two are ready', (current) => ({ phase: 'ready', current: withMore(current, ...current.places) }), { kind: 'done', message: null }],
    ['one is ready, one waits for its turn', (current) => ({ phase: 'ready', current: withMore(current, QUEUED) }), { kind: 'pending' }],
    ['one is ready, one has died', (current) => ({ phase: 'ready', current: withMore(current, WAITING) }), { kind: 'failed', code: 'E_NOT_READY', failure: NEW }],
    ['a reload has ended, which was not stopped for it', PHASES.ready, { kind: 'done', message: 'it has 1 now, and 2 from its next start on' }],
    ['it starts', PHASES.starting, { kind: 'pending' }],
    ['it waits', PHASES.waiting, { kind: 'pending' }],
    ['it waits for itself', () => ({ phase: 'waiting', cycle: ['shop'] }), { kind: 'fault' }],
    ['it reloads', PHASES.reloading, { kind: 'pending' }],
    ['it reloads itself', PHASES.refreshing, { kind: 'pending' }],
    ['it restarts', PHASES.stopping, { kind: 'pending' }],
    ['it dies again and again', PHASES.backoff, { kind: 'failed', code: 'E_NOT_READY' }],
    ['it is idle', PHASES.idle, { kind: 'done', message: 'it takes effect when it starts' }],
    ['it is paused', PHASES.paused, { kind: 'done', message: 'it takes effect when it starts' }],
    ['it is stopped', PHASES.stopped, { kind: 'done', message: 'it takes effect when it starts' }],
    ['it has exited', PHASES.exited, { kind: 'done', message: 'it takes effect when it starts' }],
    ['it is invalid', PHASES.invalid, { kind: 'done', message: 'it takes effect when it starts' }],
  ])('when %s', (_what, state, outcome) => {
    expect(outcomeOf(order, vassal(state, { failure: NEW }), PAST)).toMatchObject(outcome);
  });

  it('when the vassal was forgotten', () => {
    expect(outcomeOf(order, null, PAST)).toMatchObject({ kind: 'failed', code: 'E_NO_VASSAL' });
  });
});
