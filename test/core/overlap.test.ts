import { describe, expect, it } from 'vitest';
import type { Listen } from '../../src/core/address.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { Instance, InstanceId } from '../../src/core/state.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { Stage, words } from './stage.ts';

const address = (port: number): Listen => ({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, backlog: 10, mode: null, user: null, group: null });
const shop = '/v/shop.toml' as ReturnType<typeof declare>['id'];
/** A server that takes a held socket and says itself when it is ready. */
const server: Partial<VassalSpec> = { listen: [address(8000)], reload: { kind: 'overlap' }, ready: { kind: 'notify' } };

/** Says READY=1. */
function prove(stage: Stage, instance: Instance | undefined): readonly string[] {
  const said = { ready: true, reloading: false, stopping: false, status: null, watchdog: null, extendMs: null, mainPid: null } as const;
  return words(stage.play({ type: 'said', instance: instance!.id, said }));
}

/** Brings a file's first generation to service. */
function serving(changes: Partial<VassalSpec> = {}): Stage {
  const stage = new Stage();
  stage.list(declare('shop', { ...server, ...changes }));
  // Each that is ready makes room for another one.
  for (let next = stage.instances()[0]; next !== undefined; next = stage.instances().find((each) => each.process === null)) {
    stage.spawn(next);
    prove(stage, next);
  }
  expect(stage.phase()).toBe('ready');
  return stage;
}

/** Edits the file; starts the next generation, and proves it. Gives what that led to. */
function swapped(stage: Stage, changes: Partial<VassalSpec> = {}): readonly string[] {
  const old = new Set(stage.instances().map((each) => each.id));
  stage.list(declare('shop', { ...server, ...changes }, 'b', 2));
  const next = stage.instances().filter((each) => !old.has(each.id));
  for (const each of next) stage.spawn(each);
  return next.flatMap((each) => prove(stage, each));
}

const drain = (stage: Stage, generation = 1): readonly string[] => words(stage.play({ type: 'drained', vassal: shop, generation }));

describe('an overlap', () => {
  it('gives the next generation the traffic when it is ready, and tells the old one to end when it has lingered', () => {
    const stage = serving();
    expect(swapped(stage)).toEqual(['steer 2 1', 'await-drained 1']);
    expect(stage.phase()).toBe('reloading');
    expect(drain(stage)).toEqual([]);
    expect(words(stage.wait(1_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#1']);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.good?.number).toBe(2);
    expect(words(stage.exit(stage.instances()[1]))).toEqual(['retire 1']);
  });

  it('without a linger tells the old one to end as soon as no connection waits for it', () => {
    const stage = serving({ lingerMs: 0 });
    swapped(stage, { lingerMs: 0 });
    expect(drain(stage)).toEqual(['SIGTERM main shop#1']);
  });

  it('waits for connections that nobody has accepted yet, but not for ever', () => {
    const stage = serving();
    swapped(stage);
    expect(words(stage.wait(2_000))).toEqual([]);
    expect(words(stage.wait(29_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#1']);
  });

  it('ends at once when they are accepted after its linger', () => {
    const stage = serving();
    swapped(stage);
    stage.wait(2_000);
    expect(drain(stage)).toEqual(['SIGTERM main shop#1']);
  });

  it('of a vassal without sockets has no traffic to switch', () => {
    const stage = serving({ listen: [] });
    expect(swapped(stage, { listen: [] })).toEqual(['SIGTERM main shop#1']);
    expect(stage.phase()).toBe('ready');
  });

  it('leaves the current generation alone while the next one starts', () => {
    const stage = serving();
    expect(words(stage.list(declare('shop', server, 'b', 2)))).toEqual(['launch shop#2']);
    expect(words(stage.spawn(stage.instances()[1]))).toEqual([]);
  });

  it('closes an address that is no longer in the file only after the switch', () => {
    const stage = serving();
    expect(swapped(stage, { listen: [address(9000)] })).toEqual(['steer 2 1', 'await-drained 1']);
    drain(stage);
    expect(words(stage.wait(2_000))).toEqual(['SIGTERM main shop#1', 'release but 1']);
  });
});

describe('a touch while the old generation lingers', () => {
  it('is folded into one more overlap, which begins when it has had its time', () => {
    const stage = serving();
    swapped(stage);
    drain(stage);
    expect(words(stage.list(declare('shop', server, 'c', 3)))).toEqual([]);
    expect(words(stage.list(declare('shop', server, 'd', 4)))).toEqual([]);
    expect(words(stage.wait(1_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#1', 'launch shop#3']);
    expect(stage.vassal()).toMatchObject({ state: { phase: 'reloading', next: { runs: { number: 4 } } } });
  });

  it('is not lost when the new generation dies meanwhile', () => {
    const stage = serving();
    swapped(stage);
    stage.list(declare('shop', server, 'c', 3));
    expect(words(stage.exit(stage.instances()[1]))).toEqual(['steer 1 1', 'retire 2', 'launch shop#3']);
    expect(stage.vassal()).toMatchObject({ rejected: false, state: { phase: 'reloading', current: { number: 1 }, next: { runs: { number: 3 } } } });
  });
});

describe('a next generation that fails', () => {
  it.each([
    ['dies before it is ready', (stage: Stage): readonly string[] => words(stage.exit(stage.instances()[1])), 'E_EXITED'],
    ['is not ready in time', (stage: Stage): readonly string[] => words(stage.wait(60_000)), 'E_NOT_READY'],
  ])('because it %s never gets a request, and the current one goes on', (_, fails, code) => {
    const stage = serving();
    stage.list(declare('shop', server, 'b', 2));
    stage.spawn(stage.instances()[1]);
    expect(fails(stage).filter((each) => each.startsWith('steer'))).toEqual([]);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure).toMatchObject({ revision: 2, code });
    expect(stage.vassal()?.rejected).toBe(true);
  });

  it('tells the last answer of its probe', () => {
    const probe = { kind: 'probe', probe: { kind: 'http', target: { kind: 'listen' }, path: '/', status: [200, 399], body: null }, intervalMs: 50, timeoutMs: 5_000 } as const;
    const stage = new Stage();
    stage.list(declare('shop', { ...server, ready: probe }));
    expect(words(stage.spawn())).toEqual(['judge shop#1']);
    stage.play({ type: 'unready', instance: 'shop#1' as InstanceId, answer: 'HTTP 500' });
    stage.wait(60_000);
    expect(stage.vassal()?.failure?.message).toContain('its last answer: HTTP 500');
  });

  it('after the switch gives the traffic back', () => {
    const stage = serving();
    swapped(stage);
    stage.wait(300);
    expect(words(stage.exit(stage.instances()[1]))).toEqual(['steer 1 1', 'retire 2']);
    expect(stage.phase()).toBe('ready');
    expect(stage.instances().map((each) => each.runs.number)).toEqual([1]);
    expect(stage.vassal()?.failure).toMatchObject({ revision: 2, code: 'E_EXITED' });
  });

  it('is quoted: its last lines are part of the failure', () => {
    const stage = serving();
    stage.list(declare('shop', server, 'b', 2));
    stage.spawn(stage.instances()[1]);
    expect(stage.exit(stage.instances()[1])).toContainEqual({ type: 'quote', vassal: shop, instance: 'shop#2' });
    stage.play({ type: 'quoted', vassal: shop, instance: 'shop#2' as InstanceId, lines: ['ImportError: no module'] });
    expect(stage.vassal()?.failure?.output).toEqual(['ImportError: no module']);
  });

  it('is not tried again until the file is touched', () => {
    const stage = serving();
    stage.list(declare('shop', server, 'b', 2));
    stage.spawn(stage.instances()[1]);
    stage.exit(stage.instances()[1]);
    expect(words(stage.wait(10_000_000))).toEqual([]);
    expect(words(stage.list(declare('shop', server, 'b', 3)))).toEqual(['launch shop#3']);
  });
});

describe('a canary', () => {
  const canary = { canary: { share: 0.05, forMs: 60_000 } };

  it('gets its share for its time, then everything', () => {
    const stage = serving(canary);
    expect(swapped(stage, canary)).toEqual(['steer 2 0.05']);
    expect(words(stage.wait(60_000))).toEqual(['steer 2 1', 'await-drained 1']);
  });

  it.each([
    ['turns sick', (stage: Stage): readonly string[] => words(stage.play({ type: 'sick', instance: 'shop#2' as InstanceId, answer: 'HTTP 500' })), ['steer 1 1', 'await-drained 2'], 'E_SICK'],
    ['dies', (stage: Stage): readonly string[] => words(stage.exit(stage.instances()[1])), ['steer 1 1', 'retire 2'], 'E_EXITED'],
  ])('that %s gives all traffic back', (_, fails, effects, code) => {
    const stage = serving(canary);
    swapped(stage, canary);
    expect(fails(stage)).toEqual(effects);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure?.code).toBe(code);
  });

  it.each<[string, (stage: Stage) => readonly string[], readonly string[]]>([
    ['is refused', (stage) => words(stage.play({ type: 'sick', instance: 'shop#2' as InstanceId, answer: 'HTTP 500' })), ['steer 1 1', 'await-drained 2']],
    ['is paused', (stage) => words(stage.order('pause')), ['steer 1 1', 'SIGTERM main shop#1', 'await-drained 2']],
    ['is restarted', (stage) => words(stage.order('restart')), ['steer 1 1', 'SIGTERM main shop#1', 'await-drained 2']],
    ['is edited', (stage) => words(stage.list(declare('shop', { ...server, ...canary }, 'c', 3))), ['steer 1 1', 'await-drained 2', 'launch shop#3']],
  ])('that %s serves those that wait for it, then it is told to end', (_, ends, effects) => {
    const stage = serving(canary);
    swapped(stage, canary);
    expect(ends(stage)).toEqual(effects);
    expect(drain(stage, 2)).toEqual(['SIGTERM main shop#2']);
    expect(drain(stage, 2)).toEqual([]);
  });

  it('for whom connections wait too long is told to end all the same', () => {
    const stage = serving(canary);
    swapped(stage, canary);
    stage.play({ type: 'sick', instance: 'shop#2' as InstanceId, answer: 'HTTP 500' });
    expect(words(stage.wait(29_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#2']);
    expect(drain(stage, 2)).toEqual([]);
    expect(words(stage.wait(30_000))).toEqual(['SIGKILL group shop#2']);
  });

  it('that accepts nothing does not hold up a restart for longer than its linger', () => {
    const stage = serving(canary);
    swapped(stage, canary);
    stage.order('restart');
    expect(words(stage.wait(1_999))).toEqual([]);
    expect(words(stage.wait(1))).toEqual(['SIGTERM main shop#2']);
  });

  it('that is refused and drains does not keep the next one from coming', () => {
    const stage = serving(canary);
    swapped(stage, canary);
    stage.play({ type: 'sick', instance: 'shop#2' as InstanceId, answer: 'HTTP 500' });
    stage.list(declare('shop', { ...server, ...canary }, 'c', 3));
    stage.spawn(stage.instances().find(({ id }) => id === 'shop#3'));
    expect(prove(stage, stage.instances().find(({ id }) => id === 'shop#3'))).toEqual(['steer 3 0.05']);
    expect(drain(stage, 2)).toEqual(['SIGTERM main shop#2']);
  });
});

describe('several instances', () => {
  const three = { instances: 3 };

  it('are switched to when all of them are ready', () => {
    const stage = serving(three);
    stage.list(declare('shop', { ...server, ...three }, 'b', 2));
    const next = stage.instances().slice(3);
    // Two starts are judged at one time.
    expect(next.map((each) => each.id)).toEqual(['shop#4', 'shop#5']);
    for (const each of next) stage.spawn(each);
    expect(prove(stage, next[0])).toEqual(['launch shop#6']);
    expect(prove(stage, next[1])).toEqual([]);
    stage.spawn(stage.instances()[5]);
    expect(prove(stage, stage.instances()[5])).toEqual(['steer 2 1', 'await-drained 1']);
  });

  it('with roll are replaced one by one', () => {
    const stage = serving({ ...three, roll: true });
    expect(words(stage.list(declare('shop', { ...server, ...three, roll: true }, 'b', 2)))).toEqual(['launch shop#4']);
    const last = (): Instance | undefined => stage.instances().filter((each) => each.generation === 2).at(-1);
    stage.spawn(last());
    const leaver = (): Instance | undefined => stage.vassal()?.leaving[0]?.instance;
    expect(prove(stage, last())).toEqual([`steer 2 ${1 / 3}`, 'SIGTERM main shop#1']);
    expect(words(stage.exit(leaver()))).toEqual(['launch shop#5']);
    stage.spawn(last());
    expect(prove(stage, last())).toEqual([`steer 2 ${2 / 3}`, 'SIGTERM main shop#2']);
    expect(words(stage.exit(leaver()))).toEqual(['launch shop#6']);
    stage.spawn(last());
    expect(prove(stage, last())).toEqual(['steer 2 1', 'await-drained 1']);
  });

  it('with roll that fails half way are as many as before, of the old revision', () => {
    const stage = serving({ ...three, roll: true });
    stage.list(declare('shop', { ...server, ...three, roll: true }, 'b', 2));
    const last = (): Instance | undefined => stage.instances().filter((each) => each.generation === 2).at(-1);
    stage.spawn(last());
    prove(stage, last());
    stage.exit(stage.vassal()?.leaving[0]?.instance);
    stage.spawn(last());
    expect(words(stage.exit(last()))).toEqual(['steer 1 1', 'await-drained 2', 'launch shop#6']);
    expect(drain(stage, 2)).toEqual(['SIGTERM main shop#4']);
    expect(stage.instances().filter((each) => each.runs.number === 1).length).toBe(3);
  });

  it('that die are replaced one by one, and the vassal stays ready', () => {
    const stage = serving(three);
    expect(words(stage.exit())).toEqual(['launch shop#4']);
    expect(stage.phase()).toBe('ready');
  });

  it('can be made more and fewer by an operator, who is remembered', () => {
    const stage = serving(three);
    const scale = (instances: number): readonly string[] => words(stage.play({ type: 'order', verb: 'scale', vassal: shop, instances, actor: 'test' }));
    expect(scale(4)).toEqual(['launch shop#4']);
    expect(scale(1)).toEqual(['SIGTERM main shop#2', 'SIGTERM main shop#3', 'SIGTERM main shop#4']);
    expect(stage.phase()).toBe('ready');
    stage.list(declare('shop', { ...server, ...three }, 'b', 2));
    expect(stage.instances().filter((each) => each.generation === 2).length).toBe(1);
  });
});

describe('a vassal that cannot overlap', () => {
  const plain: Partial<VassalSpec> = { ready: { kind: 'notify' } };

  it('goes back to the last good revision when a new one cannot start, and does not try it again', () => {
    const stage = serving({ ...plain, listen: [], reload: { kind: 'restart' } });
    stage.list(declare('shop', plain, 'b', 2));
    stage.exit();
    stage.spawn();
    expect(words(stage.exit())).toEqual(['launch shop#3']);
    expect(stage.instances()[0]?.runs.number).toBe(1);
    stage.spawn();
    prove(stage, stage.instances()[0]);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure).toMatchObject({ revision: 2, code: 'E_EXITED' });
    expect(words(stage.wait(10_000_000))).toEqual([]);
  });

  it('waits for the end of a start that hangs before it goes back: it may hold the port', () => {
    const stage = serving({ ...plain, listen: [], reload: { kind: 'restart' } });
    stage.list(declare('shop', plain, 'b', 2));
    stage.exit();
    stage.spawn();
    expect(words(stage.wait(60_000))).toEqual(['SIGTERM main shop#2']);
    expect(words(stage.exit())).toEqual(['launch shop#3']);
    expect(stage.instances()[0]?.runs.number).toBe(1);
  });

  it('with rollback = false tries on', () => {
    const stage = serving({ ...plain, listen: [], reload: { kind: 'restart' } });
    stage.list(declare('shop', { ...plain, rollback: false }, 'b', 2));
    stage.exit();
    stage.spawn();
    stage.exit();
    expect(stage.phase()).toBe('backoff');
    expect(words(stage.wait(300))).toEqual(['launch shop#3']);
    expect(stage.instances()[0]?.runs.number).toBe(2);
  });
});

describe('health', () => {
  const health = { probe: { kind: 'tcp', target: { kind: 'listen' } }, intervalMs: 1_000, timeoutMs: 100, failures: 3, graceMs: 0, watchdogMs: null } as const;

  it('is asked of what is ready, and of nothing else', () => {
    const stage = new Stage();
    stage.list(declare('shop', { ...server, health }));
    expect(words(stage.spawn())).toEqual([]);
    expect(prove(stage, stage.instances()[0])).toEqual(['tend shop#1']);
    expect(words(stage.order('stop'))).toEqual(['SIGTERM main shop#1', 'disregard shop#1', 'release but 0']);
  });

  it('that is lost leads to an overlap with the same revision', () => {
    const stage = serving({ health });
    expect(words(stage.play({ type: 'sick', instance: 'shop#1' as InstanceId, answer: 'HTTP 500' }))).toEqual(['launch shop#2']);
    expect(stage.phase()).toBe('reloading');
  });

  it('that the next instance loses, too, is answered more slowly each time, and what is sick serves meanwhile', () => {
    const stage = serving({ health, lingerMs: 0 });
    const fallSick = (): readonly string[] => words(stage.play({ type: 'sick', instance: stage.instances()[0]!.id, answer: 'HTTP 500' }));
    const replace = (): void => {
      stage.spawn(stage.instances()[1]);
      prove(stage, stage.instances()[1]);
      drain(stage, stage.instances()[0]!.generation);
      stage.exit(stage.instances()[1], { kind: 'exited', code: 0 });
      expect(stage.phase()).toBe('ready');
    };
    fallSick();
    replace();
    const { firstMs } = stage.vassal()!.good!.spec.backoff;
    for (const [after, waitMs] of [[2, firstMs], [3, firstMs * 2], [4, firstMs * 4]] as const) {
      expect(fallSick()).toEqual([]);
      expect([stage.phase(), stage.instances().map(({ id }) => id)]).toEqual(['reloading', [`shop#${after}`]]);
      expect(words(stage.wait(waitMs - 1))).toEqual([]);
      expect(words(stage.wait(1))).toEqual([`launch shop#${after + 1}`]);
      replace();
      expect(stage.vassal()?.restarts).toBe(after);
    }
    expect(stage.history.filter(({ event }) => event === 'backoff')).toHaveLength(3);
    fallSick();
    expect(words(stage.order('reload'))).toContain('launch shop#6');
  });

  it('that is lost, where no overlap is possible, leads to a restart', () => {
    const stage = serving({ health, listen: [], reload: { kind: 'restart' } });
    expect(words(stage.play({ type: 'sick', instance: 'shop#1' as InstanceId, answer: 'HTTP 500' }))).toEqual(['SIGTERM main shop#1', 'disregard shop#1']);
    expect(words(stage.exit())).toEqual(['launch shop#2']);
  });

  it('includes the watchdog: an instance that is silent for too long is replaced', () => {
    const stage = serving({ health: { ...health, probe: null, watchdogMs: 10_000 } });
    stage.wait(9_999);
    const said = { ready: false, reloading: false, stopping: false, status: 'fine', watchdog: 'ping', extendMs: null, mainPid: null } as const;
    stage.play({ type: 'said', instance: 'shop#1' as InstanceId, said });
    expect(words(stage.wait(9_999))).toEqual([]);
    expect(words(stage.wait(1))).toContain('SIGTERM main shop#1');
    expect(stage.vassal()?.failure?.code).toBe('E_SICK');
  });
});

describe('an instance that names another process as its first one', () => {
  const said = { ready: false, reloading: false, stopping: false, status: null, watchdog: null, extendMs: null, mainPid: 7 } as const;
  const named = { pid: 7, startTicks: 7, bootId: 'boot' };

  it('has it followed, and is that process from then on, for the next emperor too', () => {
    const stage = serving();
    const instance = 'shop#1' as InstanceId;
    expect(stage.play({ type: 'said', instance, said })).toContainEqual({ type: 'follow', instance, pid: 7 });
    stage.play({ type: 'followed', instance, process: named });
    expect(stage.instances()).toMatchObject([{ id: instance, process: named }]);
    expect(stage.play({ type: 'said', instance, said })).toEqual([]);
  });

  it('is that process also if it has been told to end meanwhile', () => {
    const stage = serving();
    stage.order('stop');
    stage.play({ type: 'followed', instance: 'shop#1' as InstanceId, process: named });
    expect(stage.vassal()?.leaving).toMatchObject([{ instance: { id: 'shop#1', process: named } }]);
  });
});

describe('on demand', () => {
  const lazy = { onDemand: true, idleTimeoutMs: 60_000 };

  it('holds the sockets, and starts at the first connection', () => {
    const stage = new Stage();
    expect(words(stage.list(declare('shop', { ...server, ...lazy })))).toEqual(['await-knock 127.0.0.1:8000']);
    expect(stage.phase()).toBe('idle');
    expect(words(stage.play({ type: 'knocked', vassal: shop }))).toEqual(['ignore-knock', 'launch shop#1']);
    stage.spawn();
    expect(prove(stage, stage.instances()[0])).toEqual(['await-unused 60000']);
    expect(words(stage.play({ type: 'unused', vassal: shop }))).toEqual(['SIGTERM main shop#1', 'ignore-unused']);
    expect(words(stage.exit())).toEqual(['retire 1', 'await-knock 127.0.0.1:8000']);
    expect(stage.phase()).toBe('idle');
  });

  it('takes a new revision without starting it', () => {
    const stage = new Stage();
    stage.list(declare('shop', { ...server, ...lazy }));
    expect(words(stage.list(declare('shop', { ...server, ...lazy, listen: [address(9000)] }, 'b', 2)))).toEqual(['ignore-knock', 'release but 1', 'await-knock 127.0.0.1:9000']);
    expect(stage.phase()).toBe('idle');
  });

  it('tries again when its address is taken', () => {
    const stage = new Stage();
    stage.list(declare('shop', { ...server, ...lazy }));
    stage.play({ type: 'unholdable', vassal: shop, code: 'E_ADDRESS_IN_USE', reason: 'taken' });
    expect(stage.vassal()?.failure?.code).toBe('E_ADDRESS_IN_USE');
    expect(words(stage.wait(5_000))).toEqual(['await-knock 127.0.0.1:8000']);
    stage.play({ type: 'unholdable', vassal: shop, code: 'E_ADDRESS_IN_USE', reason: 'taken' });
    stage.wait(5_000);
    expect(stage.vassal()?.failure?.code).toBe('E_ADDRESS_IN_USE');
    stage.play({ type: 'held', vassal: shop });
    expect(stage.vassal()?.failure).toBeNull();
    expect(stage.history.filter(({ event }) => event === 'unlaunchable')).toHaveLength(1);
  });
});

describe('pause', () => {
  it('ends the instances and keeps the sockets, until it is resumed', () => {
    const stage = serving();
    expect(words(stage.order('pause'))).toEqual(['SIGTERM main shop#1']);
    expect(words(stage.exit())).toEqual(['retire 1', 'await-knock 127.0.0.1:8000']);
    expect(stage.phase()).toBe('paused');
    expect(words(stage.play({ type: 'knocked', vassal: shop }))).toEqual([]);
    expect(words(stage.list(declare('shop', server, 'b', 2)))).not.toContain('launch shop#2');
    expect(words(stage.order('resume'))).toEqual(['ignore-knock', 'launch shop#2']);
    expect(stage.instances()[0]?.runs.number).toBe(2);
  });
});

describe('vassals that wait for others', () => {
  it('start when those are ready', () => {
    const stage = new Stage();
    expect(words(stage.list(declare('db'), declare('shop', { after: ['db'] })))).toEqual(['launch db#1']);
    expect(stage.phase()).toBe('waiting');
    stage.spawn(stage.instances('db')[0]);
    expect(words(stage.wait(1_000))).toEqual(['launch shop#2']);
  });

  it('in a circle are told so by name, and start when it is broken', () => {
    const stage = new Stage();
    stage.list(declare('db', { after: ['shop'] }), declare('shop', { after: ['db'] }));
    expect(stage.vassal()?.failure).toMatchObject({ code: 'E_CYCLE' });
    expect(stage.vassal()?.failure?.message).toContain('shop → db → shop');
    expect(words(stage.list(declare('db', {}, 'b', 2), declare('shop', { after: ['db'] })))).toEqual(['launch db#1']);
    expect(stage.vassal()?.failure).toBeNull();
  });
});

describe('turns', () => {
  it('are limited for starts that are judged, and given back when they are ready, or take too long', () => {
    const stage = new Stage();
    const files = ['a', 'b', 'c', 'd'].map((name) => declare(name, { ready: { kind: 'notify' } }));
    expect(words(stage.list(...files))).toEqual(['launch a#1', 'launch b#2']);
    stage.spawn(stage.instances('a')[0]);
    expect(prove(stage, stage.instances('a')[0])).toEqual(['launch c#3']);
    expect(words(stage.wait(10_000))).toEqual(['launch d#4']);
  });

  it('are not needed by what only has to stay alive', () => {
    const stage = new Stage();
    expect(words(stage.list(...['a', 'b', 'c', 'd'].map((name) => declare(name)))).length).toBe(4);
  });
});

describe('a revision that an operator went back to', () => {
  it('counts until the file changes again', () => {
    const stage = serving();
    swapped(stage);
    drain(stage);
    stage.wait(2_000);
    stage.exit(stage.instances()[1]);
    const good = { number: 1, spec: stage.instances()[0]!.runs.spec };
    expect(words(stage.play({ type: 'order', verb: 'rollback', to: good, vassal: shop, actor: 'test' }))).toEqual(['launch shop#3']);
    expect(stage.vassal()?.pinned?.number).toBe(1);
    expect(stage.vassal()?.newest?.number).toBe(2);
    stage.list(declareFaulty('shop', 'bad', 3));
    expect(stage.vassal()?.pinned).toBeNull();
  });
});

it('a revision that an operator went back to, and that fails, is gone back to no more', () => {
  const stage = serving();
  swapped(stage);
  drain(stage);
  stage.wait(2_000);
  const good = { number: 1, spec: stage.instances()[0]!.runs.spec };
  stage.play({ type: 'order', verb: 'rollback', to: good, vassal: shop, actor: 'test' });
  const next = stage.instances().find((each) => each.process === null);
  stage.spawn(next);
  stage.exit(next);
  expect(stage.vassal()).toMatchObject({ pinned: null, rejected: false, state: { phase: 'ready', current: { runs: { number: 2 } } } });
});

it('a rollback during a reload by signal is done after it, and not lost', () => {
  const refresh = { reload: { kind: 'signal', signal: 'SIGHUP' }, listen: [] } as const;
  const stage = serving(refresh);
  const old = { number: 7, spec: stage.instances()[0]!.runs.spec };
  stage.list(declare('shop', { ...server, ...refresh }, 'b', 2));
  expect(stage.phase()).toBe('refreshing');
  stage.play({ type: 'order', verb: 'rollback', to: old, vassal: shop, actor: 'test' });
  expect(prove(stage, stage.instances()[0])).toEqual(['SIGHUP main shop#1']);
  expect(stage.instances()[0]?.runs.number).toBe(7);
});
