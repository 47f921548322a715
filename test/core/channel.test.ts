import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/core/event.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { InstanceId, Vassal } from '../../src/core/state.ts';
import { declare } from '../fakes/declaration.ts';
import { Stage, words } from './stage.ts';

const CHANNEL: Partial<VassalSpec> = { channel: true, ready: { kind: 'channel' }, reload: { kind: 'channel' }, stopSignal: null, startTimeoutMs: 5_000, stopTimeoutMs: 3_000 };
const HTTP = { kind: 'probe', probe: { kind: 'http', target: { kind: 'address', address: { kind: 'tcp', host: '::1', port: 80, v6only: false } }, path: '/', status: [200, 299], body: null }, intervalMs: 50, timeoutMs: 50 } as const;

const says = (stage: Stage, kind: Exclude<Report['kind'], 'sos' | 'refused'>, id = 'shop#1'): readonly string[] => words(stage.play({ type: 'reported', instance: id as InstanceId, report: { kind } }));

function serving(changes: Partial<VassalSpec> = {}): Stage {
  const stage = new Stage();
  stage.list(declare('shop', { ...CHANNEL, ...changes }));
  stage.spawn();
  says(stage, 'accepting');
  return stage;
}

const touch = (stage: Stage, changes: Partial<VassalSpec> = {}, text = 'a', stamp = 2): readonly string[] => words(stage.list(declare('shop', { ...CHANNEL, ...changes }, text, stamp)));

describe('a vassal with a channel', () => {
  it('is ready when it reports that it takes requests, not for staying alive', () => {
    const stage = new Stage();
    stage.list(declare('shop', CHANNEL));
    stage.spawn();
    stage.wait(4_999);
    expect(stage.phase()).toBe('starting');
    says(stage, 'accepting');
    expect(stage.phase()).toBe('ready');
  });

  it('that does not report it in time has failed', () => {
    const stage = new Stage();
    stage.list(declare('shop', CHANNEL));
    stage.spawn();
    expect(words(stage.wait(5_000))).toEqual(['stop shop#1']);
    expect(stage.vassal()?.failure?.code).toBe('E_NOT_READY');
  });

  it('is not ready by that where its file asks for another proof', () => {
    const stage = serving({ ready: { kind: 'notify' } });
    expect(stage.phase()).toBe('starting');
  });

  it('is asked to stop, and killed with its group when that takes too long', () => {
    const stage = serving();
    expect(words(stage.order('stop'))).toEqual(['stop shop#1']);
    expect(words(stage.wait(2_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGKILL group shop#1']);
  });

  it('is stopped by the signal that its file names', () => {
    expect(words(serving({ stopSignal: 'SIGINT' }).order('stop'))).toEqual(['SIGINT main shop#1']);
  });
});

describe('a reload by channel', () => {
  it('is asked for, and done when it takes requests again: the same instance', () => {
    const stage = serving();
    expect(touch(stage)).toEqual(['reload shop#1']);
    expect(stage.phase()).toBe('refreshing');
    says(stage, 'accepting');
    expect([stage.phase(), stage.instances().map(({ id }) => id)]).toEqual(['ready', ['shop#1']]);
  });

  it('of a file that was touched meanwhile follows once', () => {
    const stage = serving();
    touch(stage);
    expect([...touch(stage, {}, 'a', 3), ...touch(stage, {}, 'a', 4)]).toEqual([]);
    expect(says(stage, 'accepting')).toEqual(['reload shop#1']);
    expect([says(stage, 'accepting'), stage.phase()]).toEqual([[], 'ready']);
  });

  it('is no reload where the process would have to be another one', () => {
    expect(touch(serving(), { environment: { A: '1' } }, 'b')).toEqual(['stop shop#1']);
  });

  it.each([
    ['dies', (stage: Stage) => words(stage.exit())],
    ['never comes back', (stage: Stage) => [...words(stage.wait(5_000)), ...words(stage.exit())]],
  ])('whose instance %s leads back to the last good revision', (_how, fail) => {
    const stage = serving();
    touch(stage, {}, 'b');
    expect(fail(stage)).toContain('launch shop#2');
    expect(stage.vassal()).toMatchObject({ rejected: true, failure: { revision: 2 }, state: { current: { runs: { number: 1 } } } });
    stage.spawn();
    says(stage, 'accepting', 'shop#2');
    expect(stage.phase()).toBe('ready');
  });

  it('counts no probe before it takes requests again: what would answer is the old one', () => {
    const stage = serving({ ready: HTTP });
    stage.play({ type: 'ready', instance: 'shop#1' as InstanceId, why: 'HTTP 200' });
    expect(touch(stage, { ready: HTTP })).toEqual(['reload shop#1']);
    expect(says(stage, 'accepting')).toEqual(['judge shop#1']);
    expect(stage.phase()).toBe('refreshing');
    stage.play({ type: 'ready', instance: 'shop#1' as InstanceId, why: 'HTTP 200' });
    expect(stage.phase()).toBe('ready');
  });

  it('counts its time from when it takes requests again', () => {
    const stage = serving({ ready: { kind: 'after', ms: 1_000 } });
    stage.wait(1_000);
    touch(stage, { ready: { kind: 'after', ms: 1_000 } });
    stage.wait(2_000);
    says(stage, 'accepting');
    stage.wait(999);
    expect(stage.phase()).toBe('refreshing');
    stage.wait(1);
    expect(stage.phase()).toBe('ready');
  });

  it('of one that has no channel any more becomes a restart', () => {
    const stage = serving();
    touch(stage);
    expect(says(stage, 'deaf')).toEqual(['stop shop#1']);
    expect(words(stage.exit())).toEqual(['launch shop#2']);
    expect(stage.vassal()?.failure).toBeNull();
  });

  it('with a signal instead is done by its report as well', () => {
    const signal: Partial<VassalSpec> = { reload: { kind: 'signal', signal: 'SIGHUP' } };
    const stage = serving(signal);
    expect(touch(stage, signal)).toEqual(['SIGHUP main shop#1']);
    says(stage, 'accepting');
    expect(stage.phase()).toBe('ready');
  });
});

describe('a heartbeat', () => {
  it('arms a deadline of 30 s, and each one puts it off', () => {
    const stage = serving();
    says(stage, 'heartbeat');
    stage.wait(29_999);
    says(stage, 'heartbeat');
    expect(words(stage.wait(29_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['stop shop#1']);
    expect(stage.vassal()?.failure?.code).toBe('E_SICK');
  });

  it('has the deadline of the watchdog where the file names one', () => {
    const stage = serving({ health: { probe: null, intervalMs: 1, timeoutMs: 1, failures: 1, graceMs: 0, watchdogMs: 2_000 } });
    says(stage, 'heartbeat');
    expect(words(stage.wait(2_000))).toEqual(['stop shop#1']);
  });

  it('that never came is not missed', () => {
    expect(words(serving().wait(3_600_000))).toEqual([]);
  });

  it('is not missed during the start and a reload', () => {
    const stage = new Stage();
    stage.list(declare('shop', { ...CHANNEL, startTimeoutMs: 100_000 }));
    stage.spawn();
    says(stage, 'heartbeat');
    stage.wait(60_000);
    says(stage, 'accepting');
    says(stage, 'heartbeat');
    touch(stage, { startTimeoutMs: 100_000 });
    stage.wait(60_000);
    says(stage, 'accepting');
    stage.wait(60_000);
    expect([stage.phase(), stage.instances().map(({ id }) => id)]).toEqual(['ready', ['shop#1']]);
  });
});

describe('an instance that is idle and asks to be stopped', () => {
  const listen = [{ address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 1, mode: null, user: null, group: null }] as const;

  it('sleeps if its vassal is on demand', () => {
    const demand: Partial<VassalSpec> = { listen, onDemand: true };
    const stage = new Stage();
    stage.list(declare('shop', { ...CHANNEL, ...demand }));
    stage.play({ type: 'knocked', vassal: stage.vassal()!.id });
    stage.spawn();
    says(stage, 'accepting');
    expect(says(stage, 'idle')).toContain('stop shop#1');
    stage.exit(undefined, { kind: 'exited', code: 0 });
    expect(stage.phase()).toBe('idle');
  });

  it('is stopped and started again, as under the Emperor of uWSGI', () => {
    const stage = serving();
    expect(says(stage, 'idle')).toEqual(['stop shop#1']);
    expect(words(stage.exit(undefined, { kind: 'exited', code: 0 }))).toEqual(['launch shop#2']);
    expect(stage.vassal()?.failure).toBeNull();
  });

  it('again and again waits longer and longer', () => {
    const stage = serving();
    for (const [serial, waitMs] of [[1, 0], [2, 250], [3, 500], [4, 1_000]] as const) {
      expect(says(stage, 'idle', `shop#${serial}`)).toEqual([`stop shop#${serial}`]);
      const launched = words(stage.exit(undefined, { kind: 'exited', code: 0 }));
      expect([...launched, ...(waitMs === 0 ? [] : words(stage.wait(waitMs)))]).toEqual([`launch shop#${serial + 1}`]);
      expect(waitMs === 0 || launched.length === 0).toBe(true);
      stage.spawn();
      says(stage, 'accepting', `shop#${serial + 1}`);
    }
  });

  it('stays down where its file says so', () => {
    const stage = serving({ restart: 'on-failure' });
    expect(says(stage, 'idle')).toEqual(['stop shop#1']);
    stage.exit(undefined, { kind: 'exited', code: 0 });
    expect(stage.phase()).toBe('exited');
  });

  it('is not believed before it is ready', () => {
    const stage = new Stage();
    stage.list(declare('shop', CHANNEL));
    stage.spawn();
    expect(says(stage, 'idle')).toEqual([]);
  });
});

it('loyalty and cries for help are written down, and change nothing', () => {
  const stage = serving();
  const before = stage.vassal();
  says(stage, 'loyal');
  stage.play({ type: 'reported', instance: 'shop#1' as InstanceId, report: { kind: 'sos', times: 3 } });
  expect(stage.history.slice(-2).map(({ event, why }) => [event, why])).toEqual([
    ['answered', 'instance shop#1 has answered its first request'],
    ['sos', 'instance shop#1 asks for help: it has more to do than it can (3 times by now)'],
  ]);
  expect(stage.vassal()).toBe(before);
});

it('a cry for help brings another instance, where the file allows more', () => {
  const stage = serving({ scaling: { max: 2, coolDownMs: 10_000, backlog: null, idleMs: null } });
  stage.play({ type: 'reported', instance: 'shop#1' as InstanceId, report: { kind: 'sos', times: 1 } });
  expect(stage.history.map(({ event }) => event)).toContain('scaled');
  stage.play({ type: 'reported', instance: 'shop#1' as InstanceId, report: { kind: 'sos', times: 2 } });
  expect(stage.history.filter(({ event }) => event === 'scaled')).toHaveLength(1);
});

it('what one says that is leaving, or a stranger, is of no interest', () => {
  const stage = serving();
  stage.order('stop');
  for (const kind of ['accepting', 'heartbeat', 'idle', 'loyal', 'deaf'] as const) expect([...says(stage, kind), ...says(stage, kind, 'shop#9')]).toEqual([]);
  expect(stage.phase()).toBe('stopping');
});

describe('one that reads its file itself', () => {
  const READS: Partial<VassalSpec> = { source: { file: '/v/shop.ini', text: '' } };
  const refuse = (stage: Stage): readonly string[] =>
    words(stage.play({ type: 'reported', instance: 'shop#1' as InstanceId, report: { kind: 'refused', code: 'E_EXITED', message: 'its app cannot be loaded', output: ['ImportError'] } }));
  const shopOf = (stage: Stage): Vassal => [...stage.state.vassals.values()][0]!;

  it('and whose new revision was tried and refused goes on as it was, untold; a fix is deployed', () => {
    const stage = serving(READS);
    stage.list(declare('shop', { ...CHANNEL, ...READS }, 'two', 2));
    expect(shopOf(stage).state.phase).toBe('refreshing');
    refuse(stage);
    const { state, failure, rejected } = shopOf(stage);
    expect(state).toMatchObject({ phase: 'ready', current: { runs: { number: 1 }, places: [{ phase: 'ready', instance: { id: 'shop#1', runs: { number: 1 } } }] } });
    expect([rejected, failure]).toMatchObject([true, { revision: 2, code: 'E_EXITED', output: ['ImportError'] }]);
    stage.list(declare('shop', { ...CHANNEL, ...READS }, 'three', 3));
    says(stage, 'rehearsed');
    says(stage, 'accepting');
    expect(shopOf(stage)).toMatchObject({ state: { phase: 'ready', current: { runs: { number: 3 } } }, failure: null });
  });

  it('has all of its time again once it was tried', () => {
    const stage = serving(READS);
    stage.list(declare('shop', { ...CHANNEL, ...READS }, 'two', 2));
    stage.wait(9_000);
    says(stage, 'rehearsed');
    stage.wait(4_999);
    expect(shopOf(stage).state.phase).toBe('refreshing');
    stage.wait(1);
    expect(shopOf(stage).state.phase).not.toBe('refreshing');
  });

  it('is tried again if it was touched while it was refused', () => {
    const stage = serving(READS);
    stage.list(declare('shop', { ...CHANNEL, ...READS }, 'two', 2));
    stage.list(declare('shop', { ...CHANNEL, ...READS }, 'two', 3));
    expect(refuse(stage)).toContain('reload shop#1');
  });
});
