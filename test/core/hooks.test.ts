import { describe, expect, it } from 'vitest';
import { HOOK_NAMES, type Hook, type HookName } from '../../src/core/hook.ts';
import type { HookEffect } from '../../src/core/effect.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { instanceOf } from '../fakes/instance.ts';
import { Stage, words } from './stage.ts';

const SHOP = '/v/shop.toml' as VassalId;
const EVERY = hooks(...HOOK_NAMES.filter((at) => at !== 'before-start' && at !== 'before-stop'));
const overlap = { reload: { kind: 'overlap' } } as const;

function hooks(...points: readonly HookName[]): { readonly hooks: readonly Hook[] } {
  return { hooks: points.map((at) => ({ at, argv: ['/bin/true'], timeoutMs: 30_000, tolerated: false })) };
}

/** Ends the hook of an instance. */
function end(stage: Stage, at: HookName, instance: string, failure: string | null = null): string[] {
  return words(stage.play({ type: 'hooked', at, vassal: SHOP, name: 'shop', instance: instance as InstanceId, revision: 1, failure }));
}

/** The points of the hooks that a play has ordered. */
function pointsOf(effects: readonly { readonly type: string }[]): readonly string[] {
  return effects.filter((effect): effect is HookEffect => effect.type === 'hook').map(({ at, instance }) => `${at} ${instance ?? 'vassal'}`);
}

describe('before-start', () => {
  it('comes before the launch, which comes when it has ended well', () => {
    const stage = new Stage();
    expect(words(stage.list(declare('shop', hooks('before-start'))))).toEqual(['hook before-start shop#1']);
    expect(stage.phase()).toBe('starting');
    expect(end(stage, 'before-start', 'shop#1')).toEqual(['launch shop#1']);
    stage.spawn();
    stage.wait(1_000);
    expect(stage.phase()).toBe('ready');
  });

  it('that fails is a failed start, with the backoff of one, and nothing is launched', () => {
    const stage = new Stage();
    stage.list(declare('shop', hooks('before-start')));
    expect(end(stage, 'before-start', 'shop#1', 'it ended with exit code 3')).toEqual([]);
    expect([stage.phase(), stage.vassal()?.failure?.code, stage.vassal()?.failure?.message]).toEqual(['backoff', 'E_HOOK', 'it ended with exit code 3']);
    expect(words(stage.wait(250))).toEqual(['hook before-start shop#2']);
  });

  it('that fails in an overlap leaves the current instance alone', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    expect(words(stage.list(declare('shop', { ...overlap, ...hooks('before-start') }, 'b', 2)))).toEqual(['hook before-start shop#2']);
    expect(end(stage, 'before-start', 'shop#2', 'no')).toEqual([]);
    expect([stage.phase(), stage.instances().map(({ id }) => id), stage.vassal()?.failure?.code]).toEqual(['ready', ['shop#1'], 'E_HOOK']);
  });

  it('is not held against the start timeout of the instance, and takes no turn for longer than a start', () => {
    const stage = new Stage();
    stage.list(declare('shop', { ...hooks('before-start'), startTimeoutMs: 1_000 }));
    stage.wait(29_000);
    expect(stage.phase()).toBe('starting');
    expect(end(stage, 'before-start', 'shop#1')).toEqual(['launch shop#1']);
  });

  it('whose start is not wanted any more ends with nothing started', () => {
    const stage = new Stage();
    stage.list(declare('shop', hooks('before-start', 'after-exit')));
    expect(words(stage.order('stop'))).toEqual(['SIGTERM main shop#1']);
    expect(stage.phase()).toBe('stopping');
    // Whether it ended well by then or not: what had no process has not ended either, so nothing comes after.
    expect(end(stage, 'before-start', 'shop#1')).toEqual([]);
    expect([stage.phase(), stage.instances()]).toEqual(['stopped', []]);
  });
});

describe('before-stop', () => {
  const ready = (): Stage => new Stage().serve(declare('shop', hooks('before-stop')));

  it.each([null, 'it ended with exit code 1'])('comes before the stop signal, which comes when it has ended (%s)', (failure) => {
    const stage = ready();
    expect(words(stage.order('stop'))).toEqual(['hook before-stop shop#1']);
    expect(end(stage, 'before-stop', 'shop#1', failure)).toEqual(['SIGTERM main shop#1']);
    expect(stage.history.some(({ event, why }) => event === 'hook' && why === failure)).toBe(failure !== null);
    stage.exit();
    expect(stage.phase()).toBe('stopped');
  });

  it('is waited for no longer than the stop timeout', () => {
    const stage = ready();
    stage.order('stop');
    expect(words(stage.wait(29_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#1']);
    expect(words(stage.wait(30_000))).toEqual(['SIGKILL group shop#1']);
    expect(end(stage, 'before-stop', 'shop#1')).toEqual([]);
  });

  it('is not waited for when the instance ends by itself meanwhile', () => {
    const stage = ready();
    stage.order('restart');
    expect(words(stage.exit())).toEqual(['launch shop#2']);
    expect(end(stage, 'before-stop', 'shop#1')).toEqual([]);
  });

  it('runs once, also when the emperor is told to end meanwhile; the second word kills', () => {
    const stage = ready();
    stage.order('restart');
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'test' }))).toEqual([]);
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'test' }))).toEqual(['SIGKILL group shop#1']);
  });

  it('tells why it runs', () => {
    const stage = ready();
    const [effect] = stage.order('stop');
    expect(effect).toMatchObject({ type: 'hook', reason: 'it was stopped by an operator', pid: 101, revision: 1, instance: 'shop#1' });
  });

  it('was run by the emperor that told an instance to die: the next one only tells it again', () => {
    const proof = { pid: 7, startTicks: 7, bootId: 'boot' };
    const leaving = [instanceOf(1, hooks('before-stop'), proof)];
    const stage = new Stage(['dir:///v'], [{
      id: SHOP, name: 'shop', source: 'dir:///v', stamp: '1', want: 'up', scale: null, pinned: null, rejected: false, failure: null, cutShort: false, exited: null,
      newest: { number: 1, hash: 'a' }, good: null, restarts: 0, living: [], leaving, dismissed: [],
    }]);
    expect(words(stage.list(declare('shop', hooks('before-stop'))))).toEqual(['SIGTERM main shop#1']);
  });
});

describe('hooks that are only told', () => {
  it.each<[string, Partial<VassalSpec>, (stage: Stage) => readonly { readonly type: string }[], readonly string[]]>([
    ['an instance becomes ready', {}, (stage) => {
      stage.list(declare('shop', EVERY));
      stage.spawn();
      return stage.wait(1_000);
    }, ['after-ready shop#1']],
    ['it has been ready for long', {}, (stage) => stage.serve(declare('shop', EVERY)).wait(60_000), ['after-loyal shop#1']],
    ['it crashes', {}, (stage) => stage.serve(declare('shop', EVERY)).exit(), ['after-exit shop#1', 'on-crash shop#1', 'on-failure vassal']],
    ['it crashes again', {}, (stage) => {
      stage.serve(declare('shop', EVERY)).exit();
      stage.spawn();
      stage.ms += 10;
      return stage.exit();
    }, ['after-exit shop#2', 'on-crash shop#2', 'on-backoff vassal', 'on-failure vassal']],
    ['it ends as it was told', {}, (stage) => {
      stage.serve(declare('shop', EVERY)).order('stop');
      return stage.exit();
    }, ['after-exit shop#1']],
    ['it ends well, and is left so', {}, (stage) => stage.serve(declare('shop', { ...EVERY, restart: 'on-failure' })).exit(undefined, { kind: 'exited', code: 0 }), ['after-exit shop#1']],
    ['it ends well, and ought not to', {}, (stage) => stage.serve(declare('shop', EVERY)).exit(undefined, { kind: 'exited', code: 0 }), ['after-exit shop#1', 'on-crash shop#1', 'on-failure vassal']],
    ['an overlap is done', {}, (stage) => {
      stage.serve(declare('shop', { ...EVERY, ...overlap }));
      stage.list(declare('shop', { ...EVERY, ...overlap }, 'b', 2));
      stage.spawn(stage.instances()[1]);
      return stage.wait(1_000);
    }, ['after-ready shop#2', 'after-reload vassal']],
    ['a reload by signal is done', {}, (stage) => {
      const signal = { ...EVERY, reload: { kind: 'signal', signal: 'SIGHUP' } } as const;
      stage.serve(declare('shop', signal)).list(declare('shop', signal, 'b', 2));
      return stage.wait(1_000);
    }, ['after-ready shop#1', 'after-reload vassal']],
    ['a deploy fails', {}, (stage) => {
      stage.serve(declare('shop', { ...EVERY, ...overlap }));
      stage.list(declare('shop', { ...EVERY, ...overlap }, 'b', 2));
      stage.spawn(stage.instances()[1]);
      return stage.exit(stage.instances()[1]);
    }, ['after-exit shop#2', 'on-crash shop#2', 'on-refusal vassal', 'on-failure vassal']],
    ['a file is at fault that has been good', {}, (stage) => {
      stage.serve(declare('shop', EVERY));
      return stage.list(declareFaulty('shop', 'bad', 2));
    }, ['on-failure vassal']],
  ])('run when %s', (_what, _spec, play, points) => {
    expect(pointsOf(play(new Stage()))).toEqual(points);
  });

  it('are not run again for what an earlier emperor has seen', () => {
    const ready = { ...instanceOf(1, EVERY, { pid: 7, startTicks: 7, bootId: 'boot' }), readyMs: 1_000_000 - 120_000, readyAt: 1_000_000 - 120_000 };
    const stage = new Stage(['dir:///v'], [{
      id: SHOP, name: 'shop', source: 'dir:///v', stamp: '1', want: 'up', scale: null, pinned: null, rejected: false, failure: null, cutShort: false, exited: null,
      newest: { number: 1, hash: 'a' }, good: null, restarts: 0, living: [ready], leaving: [], dismissed: [],
    }]);
    expect(pointsOf(stage.list(declare('shop', EVERY)))).toEqual([]);
    expect(pointsOf(stage.wait(300_000))).toEqual([]);
    expect(pointsOf(stage.exit())).toEqual(['after-exit shop#1', 'on-crash shop#1', 'on-failure vassal']);
  });

  it('that fail are told in the history, and change nothing', () => {
    const stage = new Stage().serve(declare('shop', EVERY));
    const before = stage.vassal();
    expect(end(stage, 'after-ready', 'shop#1', 'it ended with exit code 1')).toEqual([]);
    expect(stage.vassal()).toBe(before);
    expect(stage.history.at(-1)).toMatchObject({ event: 'hook', vassal: SHOP, name: 'shop', instance: 'shop#1', why: 'it ended with exit code 1' });
  });

  it('arm no alarm where nobody wants to be told of loyalty', () => {
    const stage = new Stage().serve(declare('shop', hooks('after-ready')));
    expect([...stage.state.timed]).toEqual([]);
  });
});
