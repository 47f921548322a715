import { describe, expect, it } from 'vitest';
import type { ExitStatus, Failure, Vassal, VassalState } from '../../src/core/state.ts';
import { outcomeOf } from '../../src/control/outcome.ts';
import type { OrderVerb } from '../../src/control/protocol.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

const OLD: Failure = { revision: 1, code: 'E_EXITED', message: 'it exited long ago', at: 1 };
const NEW: Failure = { revision: 1, code: 'E_NOT_READY', message: 'it was not ready in time', at: 2 };

/** A vassal that was ready, changed as the case wants it. */
function vassal(state: (ready: VassalState & { phase: 'ready' }) => VassalState, changes: Partial<Vassal> = {}): Vassal {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  emperor.rise('shop');
  const found = emperor.vassal('shop')!;
  return { ...found, state: state(found.state as VassalState & { phase: 'ready' }), ...changes };
}

const PHASES: Readonly<Record<VassalState['phase'], (ready: VassalState & { phase: 'ready' }) => VassalState>> = {
  starting: ({ instance }) => ({ phase: 'starting', instance, dueMs: null }),
  refreshing: ({ instance }) => ({ phase: 'refreshing', instance, dueMs: 5, again: false }),
  ready: (ready) => ready,
  reloading: ({ instance }) => ({ phase: 'reloading', current: instance, next: instance, dueMs: null }),
  backoff: () => ({ phase: 'backoff', untilMs: 5 }),
  stopping: ({ instance }) => ({ phase: 'stopping', cursed: instance, killAtMs: 5, killed: false, why: 'stop' }),
  stopped: () => ({ phase: 'stopped' }),
  exited: () => ({ phase: 'exited', status: { kind: 'exited', code: 0 } }),
  invalid: () => ({ phase: 'invalid' }),
};

describe('what has become of an order', () => {
  const up: readonly OrderVerb[] = ['start', 'restart', 'reload'];

  it.each(up.flatMap((verb) => ([
    ['starting', null, 'pending'],
    ['refreshing', null, 'pending'],
    ['reloading', null, 'pending'],
    ['stopping', null, 'pending'],
    ['ready', null, 'done'],
    ['ready', OLD, 'done'],
    ['ready', NEW, 'failed'],
    ['backoff', NEW, 'failed'],
    ['exited', NEW, 'failed'],
    ['exited', null, 'failed'],
    ['stopped', null, 'failed'],
    ['invalid', NEW, 'fault'],
  ] as const).map(([phase, failure, kind]) => [verb, phase, failure, kind] as const)))('%s: %s with failure %j is %s', (verb, phase, failure, kind) => {
    expect(outcomeOf(verb, vassal(PHASES[phase], { failure }), OLD)).toMatchObject({ kind, ...(kind === 'failed' && failure !== null ? { code: failure.code, message: failure.message } : {}) });
  });

  it.each([
    ['starting', 'pending'], ['refreshing', 'pending'], ['ready', 'pending'], ['reloading', 'pending'], ['stopping', 'pending'], ['backoff', 'pending'],
    ['stopped', 'done'], ['exited', 'done'], ['invalid', 'done'],
  ] as const)('stop: %s is %s', (phase, kind) => {
    expect(outcomeOf('stop', vassal(PHASES[phase], { failure: NEW }), OLD).kind).toBe(kind);
  });

  it('does not call a vassal stopped while an old instance of it is leaving', () => {
    const { state } = vassal(PHASES.ready) as { state: VassalState & { phase: 'ready' } };
    const leaving = [{ instance: state.instance, killAtMs: 5, killed: false }];
    expect(outcomeOf('stop', vassal(PHASES.stopped, { leaving }), null).kind).toBe('pending');
  });

  it.each([['start', 'failed'], ['restart', 'failed'], ['reload', 'failed'], ['stop', 'done']] as const)('%s of a vassal that was forgotten is %s', (verb, kind) => {
    expect(outcomeOf(verb, null, null).kind).toBe(kind);
  });

  it.each([
    [{ kind: 'exited', code: 3 }, 'it ended by itself with code 3'],
    [{ kind: 'killed', signal: 'SIGSEGV' }, 'it ended by itself by SIGSEGV'],
    [{ kind: 'unknown' }, 'it ended by itself and nobody knows how'],
  ] as const satisfies readonly (readonly [ExitStatus, string])[])('tells how a vassal without a failure ended: %j', (status, message) => {
    expect(outcomeOf('start', vassal(() => ({ phase: 'exited', status })), null)).toEqual({ kind: 'failed', code: null, message });
  });

  it.each([['start', 'fault'], ['reload', 'fault'], ['restart', 'done']] as const)('%s of a vassal whose newest revision is at fault, while an older one serves, is %s', (verb, kind) => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    emperor.rise('shop');
    emperor.list(declareFaulty('shop'));
    const outcome = outcomeOf(verb, emperor.vassal('shop')!, emperor.vassal('shop')!.failure);
    expect(outcome).toMatchObject({ kind, message: expect.stringContaining('unknown key "x" at /v/shop.toml:1') });
  });
});
