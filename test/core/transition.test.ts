import { describe, expect, it } from 'vitest';
import type { VassalId } from '../../src/core/listing.ts';
import type { ExitStatus, Instance, InstanceId } from '../../src/core/state.ts';
import { declare, declareFaulty, specOf } from '../fakes/declaration.ts';
import { Stage, words } from './stage.ts';

const overlap = { reload: { kind: 'overlap' } } as const;
const signal = { reload: { kind: 'signal', signal: 'SIGHUP' } } as const;

describe('a deploy', () => {
  it('starts a file that appears, and calls it ready when it has lived for its time', () => {
    const stage = new Stage();
    expect(words(stage.list(declare('shop')))).toEqual(['launch shop#1']);
    expect(stage.phase()).toBe('starting');
    stage.spawn();
    stage.wait(999);
    expect(stage.phase()).toBe('starting');
    stage.wait(1);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure).toBeNull();
  });

  it('counts the time to readiness from the spawn, not from the order', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    stage.wait(10_000);
    expect(stage.phase()).toBe('starting');
    stage.spawn();
    stage.wait(1_000);
    expect(stage.phase()).toBe('ready');
  });

  it('does nothing for the same listing again', () => {
    const stage = new Stage().serve(declare('shop'));
    const { history, state } = stage;
    const before = history.length;
    expect(stage.list(declare('shop'))).toEqual([]);
    expect(stage.history.length).toBe(before);
    expect(stage.vassal()).toBe(state.vassals.get('/v/shop.toml' as VassalId));
  });

  it('numbers each new text, and a touch not', () => {
    const stage = new Stage().serve(declare('shop', {}, 'a', 1));
    stage.list(declare('shop', {}, 'a', 2));
    expect(stage.vassal()?.newest?.number).toBe(1);
    stage.list(declare('shop', {}, 'b', 3));
    expect(stage.vassal()?.newest?.number).toBe(2);
    stage.list(declare('shop', {}, 'a', 4));
    expect(stage.vassal()?.newest?.number).toBe(3);
  });
});

describe('a touch', () => {
  it('by restart: stops the current instance, then starts the next', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(words(stage.list(declare('shop', {}, 'a', 2)))).toEqual(['SIGTERM main shop#1']);
    expect(words(stage.exit())).toEqual(['launch shop#2']);
  });

  it('by overlap: keeps the current instance until the next one is ready', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    expect(words(stage.list(declare('shop', overlap, 'a', 2)))).toEqual(['launch shop#2']);
    expect(stage.phase()).toBe('reloading');
    stage.spawn(stage.instances()[1]);
    expect(words(stage.wait(1_000))).toEqual(['SIGTERM main shop#1']);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.leaving.map((each) => each.instance.id)).toEqual(['shop#1']);
    stage.exit(stage.instances()[1]);
    expect(stage.instances().map((each) => each.id)).toEqual(['shop#2']);
  });

  it('by signal: tells the instance, which keeps its process', () => {
    const stage = new Stage().serve(declare('shop', signal));
    expect(words(stage.list(declare('shop', signal, 'b', 2)))).toEqual(['SIGHUP main shop#1']);
    expect(stage.phase()).toBe('refreshing');
    stage.wait(1_000);
    expect(stage.phase()).toBe('ready');
    expect(stage.instances()[0]?.runs.number).toBe(2);
  });

  it('by signal, during such a reload: is folded into one more, never lost', () => {
    const stage = new Stage().serve(declare('shop', signal));
    stage.list(declare('shop', signal, 'a', 2));
    expect(stage.list(declare('shop', signal, 'a', 3))).toEqual([]);
    expect(stage.list(declare('shop', signal, 'a', 4))).toEqual([]);
    expect(words(stage.wait(1_000))).toEqual(['SIGHUP main shop#1']);
    stage.wait(1_000);
    expect(stage.phase()).toBe('ready');
  });

  it('by signal, with another environment: restarts, for a signal cannot give that', () => {
    const stage = new Stage().serve(declare('shop', signal));
    expect(words(stage.list(declare('shop', { ...signal, environment: { A: '1' } }, 'b', 2)))).toEqual(['SIGTERM main shop#1']);
  });

  it('during an overlap: replaces the next instance, and the current one serves on', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'a', 2));
    expect(words(stage.list(declare('shop', overlap, 'b', 3)))).toEqual(['SIGTERM main shop#2', 'launch shop#3']);
    expect(stage.phase()).toBe('reloading');
  });

  it('while it waits after a death: starts at once and forgets the deaths', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    stage.spawn();
    stage.exit();
    expect(stage.phase()).toBe('backoff');
    expect(words(stage.list(declare('shop', {}, 'b', 2)))).toEqual(['launch shop#2']);
    expect(stage.vassal()?.deaths).toBe(0);
  });

  it('while it stops: starts the new text when the old instance is gone', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(declare('shop', {}, 'b', 2));
    expect(stage.list(declare('shop', {}, 'c', 3))).toEqual([]);
    stage.exit();
    expect(stage.instances()[0]?.runs.number).toBe(3);
  });
});

describe('a file at fault', () => {
  it('is invalid when nothing runs, and says why', () => {
    const stage = new Stage();
    expect(stage.list(declareFaulty('shop'))).toEqual([]);
    expect(stage.phase()).toBe('invalid');
    expect(stage.vassal()?.failure).toMatchObject({ code: 'E_KEY_UNKNOWN', revision: 1 });
  });

  it('harms nothing that runs, and the failure is shown until it is mended', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(stage.list(declareFaulty('shop', 'bad', 2))).toEqual([]);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure?.revision).toBe(2);
    stage.list(declare('shop', {}, 'good', 3));
    stage.exit();
    stage.spawn();
    stage.wait(1_000);
    expect(stage.vassal()?.failure).toBeNull();
    expect(stage.instances()[0]?.runs.number).toBe(3);
  });

  it('does not keep the last good revision from being started again after a crash', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(declareFaulty('shop', 'bad', 2));
    expect(words(stage.exit())).toEqual(['launch shop#2']);
    expect(stage.instances()[0]?.runs.number).toBe(1);
    stage.spawn();
    stage.wait(1_000);
    expect(stage.vassal()?.failure?.code).toBe('E_KEY_UNKNOWN');
  });
});

describe('what is known to be wrong with the newest revision', () => {
  it('is not hidden by the next instance of an older one that fails', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    stage.list(declareFaulty('shop', 'bad', 3));
    stage.exit(stage.instances()[1]);
    expect(stage.vassal()?.failure).toMatchObject({ revision: 3, code: 'E_KEY_UNKNOWN' });
  });

  it('is not cleared by the good end of an older one', () => {
    const stage = new Stage().serve(declare('shop', { restart: 'on-failure' }));
    stage.list(declareFaulty('shop', 'bad', 2));
    stage.exit(undefined, { kind: 'exited', code: 0 });
    expect(stage.phase()).toBe('exited');
    expect(stage.vassal()?.failure).toMatchObject({ revision: 2, code: 'E_KEY_UNKNOWN' });
  });
});

describe('a file that cannot be read', () => {
  const unread = (touch = 9) => ({ ...declareFaulty('shop', '', touch), hash: '' });

  it('harms nothing that runs, and is shown', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(stage.list(unread())).toEqual([]);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure).toMatchObject({ revision: 1 });
  });

  it('and can be read again unchanged, is no reason to reload', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(unread());
    expect(stage.list(declare('shop'))).toEqual([]);
    expect(stage.vassal()).toMatchObject({ failure: null, unread: false, newest: { number: 1 } });
  });

  it('and says something else when it can be read again, is deployed', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(unread());
    expect(words(stage.list(declare('shop', {}, 'b', 2)))).toEqual(['SIGTERM main shop#1']);
    expect(stage.vassal()?.newest?.number).toBe(2);
  });

  it('does not keep its vassal from being started again after a crash', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(unread());
    expect(words(stage.exit())).toEqual(['launch shop#2']);
  });

  it('is invalid if it never could be read', () => {
    const stage = new Stage();
    stage.list(unread());
    expect(stage.phase()).toBe('invalid');
    expect(words(stage.list(declare('shop', {}, 'a', 9)))).toEqual(['launch shop#1']);
  });
});

describe('a program that cannot be started', () => {
  const refuse = (stage: Stage, lasting: boolean, index = 0) =>
    stage.play({ type: 'unlaunchable', instance: stage.instances()[index]!.id, code: 'E_PROGRAM_MISSING', reason: 'no such program', lasting });

  it('is told at once and not tried again and again', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    expect(words(refuse(stage, true))).toEqual(['recheck /v/shop.toml']);
    expect(stage.phase()).toBe('invalid');
    expect(stage.vassal()?.failure?.message).toBe('no such program');
    expect(stage.wait(1_000_000)).toEqual([]);
  });

  it('is tried again when the file is touched', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    refuse(stage, true);
    expect(words(stage.list(declare('shop', {}, 'a', 2)))).toEqual(['launch shop#2']);
  });

  it('is tried again when what was missing is there', () => {
    const stage = new Stage();
    const found = declare('shop');
    stage.list({ ...found, outcome: { ok: false, faults: [{ code: 'E_PROGRAM_MISSING', message: 'x', file: found.id, line: null, key: null, hint: null }] } });
    expect(stage.phase()).toBe('invalid');
    expect(words(stage.list(found))).toEqual(['launch shop#1']);
  });

  it('gives way to the last good revision', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list(declare('shop', {}, 'b', 2));
    stage.exit();
    expect(words(refuse(stage, true))).toEqual(['recheck /v/shop.toml', 'launch shop#3']);
    expect(stage.instances()[0]?.runs.number).toBe(1);
    expect(stage.vassal()?.failure?.revision).toBe(2);
  });

  it('leaves the current instance alone in an overlap', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    refuse(stage, true, 1);
    expect(stage.phase()).toBe('ready');
    expect(stage.instances()[0]?.runs.number).toBe(1);
  });

  it('is tried again later if the host was only short of something', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    expect(refuse(stage, false)).toEqual([]);
    expect(stage.phase()).toBe('backoff');
    expect(words(stage.wait(250))).toEqual(['launch shop#2']);
  });
});

describe('a death', () => {
  const killed: ExitStatus = { kind: 'killed', signal: 'SIGKILL' };
  it('of an instance that was ready is answered at once', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(words(stage.exit(undefined, killed))).toEqual(['launch shop#2']);
    expect(stage.vassal()?.restarts).toBe(1);
    expect(stage.vassal()?.failure?.code).toBe('E_KILLED');
  });

  it('soon after that waits', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.exit();
    stage.spawn();
    stage.wait(1_000);
    expect(words(stage.exit())).toEqual([]);
    expect(stage.phase()).toBe('backoff');
    expect(words(stage.wait(250))).toEqual(['launch shop#3']);
  });

  it('before readiness waits, longer each time', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    for (const wait of [250, 500, 1_000, 2_000]) {
      stage.spawn();
      stage.exit();
      expect(stage.wait(wait - 1)).toEqual([]);
      expect(stage.wait(1)).toHaveLength(1);
    }
  });

  it.each([
    ['always', 0, 'starting'], ['always', 1, 'starting'],
    ['on-failure', 0, 'exited'], ['on-failure', 1, 'starting'],
    ['never', 0, 'exited'], ['never', 1, 'exited'],
  ] as const)('under restart = "%s" with exit code %i leads to %s', (restart, code, phase) => {
    const stage = new Stage().serve(declare('shop', { restart }));
    stage.exit(undefined, { kind: 'exited', code });
    expect(stage.phase()).toBe(phase);
  });

  it('of the next instance leaves the current one, and the revision is not tried again', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    stage.spawn(stage.instances()[1]);
    expect(words(stage.exit(stage.instances()[1]))).toEqual([]);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.failure).toMatchObject({ revision: 2, code: 'E_EXITED' });
    expect(stage.wait(1_000_000)).toEqual([]);
    stage.exit();
    expect(stage.instances()[0]?.runs.number).toBe(1);
  });

  it('of the current instance during an overlap is answered at once: the next one has not proved itself yet', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    stage.spawn(stage.instances()[1]);
    expect(words(stage.exit(stage.instances()[0]))).toEqual(['launch shop#3']);
    expect(stage.phase()).toBe('reloading');
    stage.wait(1_000);
    expect(stage.phase()).toBe('ready');
    expect(stage.vassal()?.leaving.map((each) => each.instance.id)).toEqual(['shop#3']);
  });

  it('of a stranger is ignored', () => {
    const stage = new Stage().serve(declare('shop'));
    const before = stage.state.vassals.get('/v/shop.toml' as VassalId);
    expect(stage.play({ type: 'exited', instance: 'shop#99' as InstanceId, status: killed })).toEqual([]);
    expect(stage.vassal()).toBe(before);
  });
});

describe('stopping', () => {
  it.each([[29_999, []], [30_000, ['SIGKILL group shop#1']]])('a curse of 30 s, looked at after %i ms, sends %j', (age, sent) => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    expect(words(stage.wait(age))).toEqual(sent);
  });

  it('kills again whoever survives being killed', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    stage.wait(30_000);
    expect(words(stage.wait(5_000))).toEqual(['SIGKILL group shop#1']);
  });

  it('a removed file stops its vassal, which is then forgotten', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(words(stage.list())).toEqual(['SIGTERM main shop#1']);
    stage.exit();
    expect(stage.phase()).toBe('forgotten');
  });

  it('a file that comes back after it was forgotten is numbered on', () => {
    const stage = new Stage().serve(declare('shop', {}, 'a', 1));
    stage.list();
    stage.exit();
    stage.list(declare('shop', {}, 'b', 2));
    expect(stage.vassal()?.newest?.number).toBe(2);
  });

  it('a file that comes back while its vassal stops is started again', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.list();
    stage.list(declare('shop', {}, 'b', 2));
    expect(words(stage.exit())).toEqual(['launch shop#2']);
  });

  it('by an operator lasts until a start', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    stage.exit();
    expect(stage.phase()).toBe('stopped');
    stage.list(declare('shop'));
    stage.wait(1_000_000);
    expect(stage.phase()).toBe('stopped');
    expect(words(stage.order('start'))).toEqual(['launch shop#2']);
  });

  it('by an operator lasts until a touch', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    stage.exit();
    expect(words(stage.list(declare('shop', {}, 'a', 2)))).toEqual(['launch shop#2']);
  });

  it('during an overlap ends both instances', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    expect(words(stage.order('stop')).sort()).toEqual(['SIGTERM main shop#1', 'SIGTERM main shop#2']);
    const [first, second] = stage.instances();
    stage.exit(first);
    expect(stage.phase()).toBe('stopping');
    stage.exit(second);
    expect(stage.phase()).toBe('stopped');
  });

  it('uses the signal and the patience of the revision that runs', () => {
    const stage = new Stage().serve(declare('shop', { stopSignal: 'SIGQUIT', stopTimeoutMs: 5 }));
    expect(words(stage.list(declare('shop', { stopSignal: 'SIGINT' }, 'b', 2)))).toEqual(['SIGQUIT main shop#1']);
    expect(words(stage.wait(5))).toEqual(['SIGKILL group shop#1']);
  });
});

describe('orders', () => {
  it('restart stops, then starts, whatever the reload strategy', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    expect(words(stage.order('restart'))).toEqual(['SIGTERM main shop#1']);
    expect(words(stage.exit())).toEqual(['launch shop#2']);
  });

  it('start ends a wait', () => {
    const stage = new Stage();
    stage.list(declare('shop'));
    stage.spawn();
    stage.exit();
    expect(words(stage.order('start'))).toEqual(['launch shop#2']);
  });

  it('reload tries a refused revision again', () => {
    const stage = new Stage().serve(declare('shop', overlap));
    stage.list(declare('shop', overlap, 'b', 2));
    stage.exit(stage.instances()[1]);
    expect(words(stage.order('reload'))).toEqual(['launch shop#3']);
    expect(stage.instances()[1]?.runs.number).toBe(2);
  });

  it('are recorded with who asked', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    expect(stage.history.find((each) => each.event === 'order')).toMatchObject({ actor: 'test', name: 'shop' });
  });
});

describe('the end of the emperor', () => {
  it('stops every vassal; a second word kills what is left', () => {
    const stage = new Stage();
    stage.list(declare('shop'), declare('blog'));
    stage.spawn(stage.instances('shop')[0]);
    stage.spawn(stage.instances('blog')[0]);
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' })).sort()).toEqual(['SIGTERM main blog#2', 'SIGTERM main shop#1']);
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' })).sort()).toEqual(['SIGKILL group blog#2', 'SIGKILL group shop#1']);
    stage.exit(stage.instances('shop')[0]);
    stage.exit(stage.instances('blog')[0]);
    expect([stage.phase('shop'), stage.phase('blog')]).toEqual(['stopped', 'stopped']);
    expect(stage.vassal('shop')?.want).toBe('up');
  });

  it('starts nothing for an order that came too late', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.order('stop');
    stage.exit();
    stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' });
    expect(stage.order('start')).toEqual([]);
    expect(stage.phase()).toBe('stopped');
  });

  it('can leave the instances for the next emperor', () => {
    const stage = new Stage().serve(declare('shop'));
    expect(stage.play({ type: 'shutdown', keep: true, actor: 'test' })).toEqual([]);
    expect(stage.state.life).toBe('leaving');
    expect(stage.phase()).toBe('ready');
  });

  it('touches nothing any more that it has left to the next emperor', () => {
    const stage = new Stage().serve(declare('shop'));
    stage.play({ type: 'shutdown', keep: true, actor: 'test' });
    expect(stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' })).toEqual([]);
    expect(stage.state.life).toBe('leaving');
  });
});

describe('an earlier life', () => {
  const instance = {
    id: 'shop#7' as InstanceId, serial: 7, generation: 3, status: null, runs: { number: 3, spec: specOf() }, process: { pid: 77, startTicks: 1, bootId: 'b' },
    bornMs: 0, bornAt: 0, readyMs: 1, readyAt: 1, adopted: true,
  };
  const remembered = {
    id: '/v/shop.toml' as VassalId, name: 'shop', source: 'dir:///v', stamp: '1', want: 'up', newest: { number: 3, hash: 'a' },
    good: { number: 3, spec: specOf() }, restarts: 0, living: [], leaving: [], dismissed: [], scale: null, pinned: null, rejected: false, failure: null, exited: null, cutShort: false,
  } as const;

  it('gives revisions their numbers back', () => {
    const stage = new Stage(undefined, [remembered]);
    stage.list(declare('shop', {}, 'b', 2));
    expect(stage.vassal()?.newest?.number).toBe(4);
  });

  it('keeps a stopped vassal stopped, unless its file was touched meanwhile', () => {
    const untouched = new Stage(undefined, [{ ...remembered, want: 'down' }]);
    expect(untouched.list(declare('shop'))).toEqual([]);
    expect(untouched.phase()).toBe('stopped');
    const touched = new Stage(undefined, [{ ...remembered, want: 'down' }]);
    expect(words(touched.list(declare('shop', {}, 'a', 2)))).toEqual(['launch shop#1']);
  });

  it('lets the last good revision run when the file came to fault meanwhile', () => {
    const stage = new Stage(undefined, [remembered]);
    expect(words(stage.list(declareFaulty('shop', 'bad', 2)))).toEqual(['launch shop#1']);
    expect(stage.instances()[0]?.runs.number).toBe(3);
  });

  it('takes over an instance that lives, and starts nothing', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    expect(stage.list(declare('shop'))).toEqual([]);
    expect(stage.phase()).toBe('ready');
  });

  it('lives on, and nothing begins, while only the first part of a listing without it is known', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    expect(words(stage.play({ type: 'showing', source: 'dir:///v', declarations: [declare('blog')] }))).toEqual([]);
    expect(words(stage.list(declare('blog'), declare('shop')))).toEqual(['launch blog#1']);
    expect(stage.phase()).toBe('ready');
  });

  it('reloads a living instance whose file was edited meanwhile', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    expect(words(stage.list(declare('shop', {}, 'b', 2)))).toEqual(['SIGTERM main shop#7']);
  });

  it('tells instances that were to die once more', () => {
    const stage = new Stage(undefined, [{ ...remembered, leaving: [instance] }]);
    expect(words(stage.list(declare('shop')))).toEqual(['SIGTERM main shop#7']);
    expect(words(stage.wait(30_000))).toEqual(['SIGKILL group shop#7']);
  });

  const listening = { listen: [{ address: { kind: 'tcp', host: '127.0.0.1', port: 80, v6only: false }, backlog: 1, mode: null, user: null, group: null }] } as const;

  it('lets one that had not been told yet serve those who wait for it', () => {
    const old: Instance = { ...instance, id: 'shop#6' as InstanceId, serial: 6, generation: 1, readyMs: 1, runs: { number: 3, spec: specOf(listening) } };
    const stage = new Stage(undefined, [{ ...remembered, living: [{ ...instance, generation: 2 }], dismissed: [old] }]);
    expect(words(stage.list(declare('shop')))).toEqual(['await-drained 1']);
    expect(words(stage.play({ type: 'drained', vassal: stage.vassal()!.id, generation: 1 }))).toEqual(['SIGTERM main shop#6']);
  });

  it('tells one at once to which nobody was led', () => {
    const next: Instance = { ...instance, id: 'shop#8' as InstanceId, serial: 8, generation: 2, readyMs: null, runs: { number: 3, spec: specOf(listening) } };
    const stage = new Stage(undefined, [{ ...remembered, living: [instance], dismissed: [next] }]);
    expect(words(stage.list(declare('shop')))).toEqual(['SIGTERM main shop#8']);
  });

  it('starts nothing before what was told to die in a restart has ended: it may hold the port', () => {
    const stage = new Stage(undefined, [{ ...remembered, leaving: [instance] }]);
    stage.list(declare('shop'));
    expect(stage.phase()).toBe('stopping');
    expect(words(stage.exit())).toEqual(['launch shop#1']);
  });

  it('deploys a revision that was numbered, and does not run', () => {
    const stage = new Stage(undefined, [{ ...remembered, newest: { number: 4, hash: 'b' }, living: [instance] }]);
    expect(words(stage.list(declare('shop', overlap, 'b')))).toEqual(['launch shop#1']);
    expect(stage.vassal()).toMatchObject({ newest: { number: 4 }, state: { phase: 'reloading', current: { number: 3, places: [{ instance: { id: 'shop#7' } }] }, next: { number: 4, runs: { number: 4 } } } });
  });

  it('starts anew what has ended before its file was seen', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    expect(stage.play({ type: 'exited', instance: instance.id, status: { kind: 'unknown' } })).toEqual([]);
    expect(stage.history.at(-1)).toMatchObject({ event: 'exited', instance: 'shop#7', vassal: '/v/shop.toml', status: { kind: 'unknown' } });
    expect(words(stage.list(declare('shop')))).toEqual(['launch shop#1']);
  });

  it('is ended with the emperor, though its source could not be looked at', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    stage.play({ type: 'blind', source: 'dir:///v', reason: 'gone' });
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' }))).toEqual(['SIGTERM main shop#7']);
    expect(words(stage.play({ type: 'shutdown', keep: false, actor: 'SIGTERM' }))).toEqual(['SIGKILL group shop#7']);
    stage.exit();
    expect(stage.state.vassals.size).toBe(0);
  });

  it('of a source that is no more goes on if another source shows the file', () => {
    const stage = new Stage(['dir:///w', 'dir:///v'], [{ ...remembered, source: 'dir:///gone', living: [instance] }]);
    expect(stage.play({ type: 'listed', source: 'dir:///w', declarations: [] })).toEqual([]);
    expect(stage.list(declare('shop'))).toEqual([]);
    expect(stage.phase()).toBe('ready');
  });

  it('of a source that is no more is ended when no source shows the file', () => {
    const stage = new Stage(['dir:///w', 'dir:///v'], [{ ...remembered, source: 'dir:///gone', living: [instance] }]);
    stage.list();
    expect(words(stage.play({ type: 'listed', source: 'dir:///w', declarations: [] }))).toEqual(['SIGTERM main shop#7']);
  });

  it('ends a living instance whose file is gone', () => {
    const stage = new Stage(undefined, [{ ...remembered, living: [instance] }]);
    expect(words(stage.list())).toEqual(['SIGTERM main shop#7']);
    stage.exit();
    expect(stage.phase()).toBe('forgotten');
  });
});
