import { describe, expect, it } from 'vitest';
import type { Listen } from '../../src/core/address.ts';
import { wanted } from '../../src/core/lifecycle.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { declare } from '../fakes/declaration.ts';
import { instanceOf } from '../fakes/instance.ts';
import { Stage, words } from './stage.ts';

const SHOP = '/v/shop.toml' as VassalId;
const LISTEN: Listen = { address: { kind: 'tcp', host: '127.0.0.1', port: 8000, v6only: false }, backlog: 10, mode: null, user: null, group: null };
const SCALING = { max: 3, backlog: { connections: 10, forMs: 1_000 }, coolDownMs: 5_000, idleMs: 60_000 };
const SPEC: Partial<VassalSpec> = { listen: [LISTEN], reload: { kind: 'overlap' }, scaling: SCALING };

/** Ready, with the effects of that. */
function serving(changes: Partial<VassalSpec> = {}): Stage {
  const stage = new Stage();
  stage.serve(declare('shop', { ...SPEC, ...changes }));
  return stage;
}

function crowd(stage: Stage): string[] {
  return words(stage.play({ type: 'crowded', vassal: SHOP, waiting: 12 }));
}

function calm(stage: Stage): string[] {
  return words(stage.play({ type: 'calm', vassal: SHOP }));
}

/** One more is ready. */
function grow(stage: Stage): void {
  crowd(stage);
  stage.spawn(stage.instances().at(-1));
  stage.wait(5_000);
}

/** How many there are to be. */
function count(stage: Stage): number {
  const vassal = stage.vassal();
  return vassal !== undefined && 'current' in vassal.state ? wanted(vassal, vassal.state.current.runs) : 0;
}

describe('a crowd', () => {
  it('is watched for while there may be more instances, and calm while there are more than the least', () => {
    const stage = serving();
    expect(words(stage.effects)).toContain('await-crowd 1 10');
    expect(crowd(stage).sort()).toEqual(['await-calm 60000', 'launch shop#2']);
    stage.wait(5_000);
    expect(crowd(stage).sort()).toEqual(['ignore-crowd', 'launch shop#3']);
    stage.wait(5_000);
    expect(crowd(stage)).toEqual([]);
    expect(count(stage)).toBe(3);
  });

  it('is told of in the history, with its size', () => {
    const stage = serving();
    crowd(stage);
    expect(stage.history.find(({ event }) => event === 'scaled')?.why).toBe('there are to be 2 instances: 12 connections wait');
  });

  it('adds one in a cool-down', () => {
    const stage = serving();
    crowd(stage);
    stage.wait(4_999);
    expect(crowd(stage)).toEqual([]);
    stage.wait(1);
    expect(crowd(stage)).toContain('launch shop#3');
  });

  it.each<[string, (stage: Stage) => void]>([
    ['of a vassal that is stopped', (stage) => void stage.order('stop')],
    ['in the midst of a reload', (stage) => void stage.list(declare('shop', SPEC, 'b', 2))],
    ['when the emperor goes', (stage) => void stage.play({ type: 'shutdown', keep: true, actor: 'test' })],
  ])('%s adds nothing', (_what, happens) => {
    const stage = serving();
    happens(stage);
    expect(crowd(stage)).toEqual([]);
  });

  it('is not counted for who has a plain number, or no sockets of ours', () => {
    const plain = new Stage().serve(declare('shop', { ...SPEC, scaling: null }));
    const own = new Stage().serve(declare('shop', { ...SPEC, passing: 'port' }));
    for (const stage of [plain, own]) expect(words(stage.effects).filter((word) => /crowd|calm/.test(word))).toEqual([]);
  });
});

describe('an instance that asks for help', () => {
  it('gets it as a crowd does, where its file lets the number follow the need', () => {
    const stage = serving();
    expect(words(stage.play({ type: 'pressed', instance: 'shop#1' as InstanceId }))).toContain('launch shop#2');
    expect(stage.history.at(-2)?.why).toContain('instance shop#1 asked for help');
    expect(words(stage.play({ type: 'pressed', instance: 'shop#1' as InstanceId }))).toEqual([]);
  });

  it('gets none elsewhere, and a stranger changes nothing', () => {
    const stage = serving({ scaling: null });
    const before = stage.vassal();
    for (const each of ['shop#1', 'shop#9']) expect(words(stage.play({ type: 'pressed', instance: each as InstanceId }))).toEqual([]);
    expect(stage.vassal()).toBe(before);
  });
});

describe('calm', () => {
  it('leads back to the least', () => {
    const stage = serving();
    grow(stage);
    grow(stage);
    expect(stage.instances()).toHaveLength(3);
    expect(calm(stage)).toEqual(['SIGTERM main shop#2', 'SIGTERM main shop#3', 'await-crowd 1 10', 'ignore-calm']);
    expect(count(stage)).toBe(1);
    expect(calm(stage)).toEqual([]);
  });
});

describe('the number that the need has led to', () => {
  it('holds over a reload', () => {
    const stage = serving();
    grow(stage);
    expect(words(stage.list(declare('shop', SPEC, 'a', 2))).filter((word) => word.startsWith('launch'))).toEqual(['launch shop#3', 'launch shop#4']);
  });

  it('is no more than a new revision allows', () => {
    const stage = serving();
    grow(stage);
    grow(stage);
    const smaller = { ...SPEC, scaling: { ...SCALING, max: 2 } };
    expect(words(stage.list(declare('shop', smaller, 'b', 2))).filter((word) => word.startsWith('launch'))).toHaveLength(2);
  });

  it('is forgotten when the vassal is stopped', () => {
    const stage = serving();
    grow(stage);
    stage.order('stop');
    for (const instance of stage.instances()) stage.exit(instance);
    expect(words(stage.order('start')).filter((word) => word.startsWith('launch'))).toHaveLength(1);
  });

  it('is what lives, to the next emperor', () => {
    const living = [1, 2].map((serial) => ({ ...instanceOf(serial, SPEC, { pid: serial, startTicks: 1, bootId: 'b' }), readyMs: 1, readyAt: 1 }));
    const stage = new Stage(['dir:///v'], [{
      id: SHOP, name: 'shop', source: 'dir:///v', stamp: '1', want: 'up', scale: null, pinned: null, rejected: false, failure: null, cutShort: false, exited: null,
      newest: { number: 1, hash: 'a' }, good: null, restarts: 0, living, leaving: [], dismissed: [],
    }]);
    expect(words(stage.list(declare('shop', SPEC)))).toEqual(expect.arrayContaining(['await-crowd 1 10', 'await-calm 60000']));
    expect(count(stage)).toBe(2);
  });
});

describe('what an operator asks for', () => {
  const scale = (stage: Stage, instances: number): string[] => words(stage.play({ type: 'order', verb: 'scale', instances, vassal: SHOP, actor: 'test' }));

  it('counts more than the need, in both directions', () => {
    const stage = serving();
    grow(stage);
    expect(scale(stage, 1)).toEqual(['SIGTERM main shop#2', 'ignore-crowd', 'ignore-calm']);
    expect(crowd(stage)).toEqual([]);
    expect(scale(stage, 4).filter((word) => word.startsWith('launch'))).toHaveLength(3);
    expect(calm(stage)).toEqual([]);
    expect(count(stage)).toBe(4);
  });

  it('counts until the file is touched', () => {
    const stage = serving();
    scale(stage, 2);
    stage.spawn(stage.instances()[1]);
    stage.wait(1_000);
    expect(words(stage.list(declare('shop', SPEC, 'a', 2))).filter((word) => word.startsWith('launch'))).toEqual(['launch shop#3']);
    expect(stage.vassal()?.scale).toBeNull();
  });

  it('counts for good where the file has a plain number', () => {
    const stage = serving({ scaling: null });
    scale(stage, 2);
    stage.list(declare('shop', { ...SPEC, scaling: null }, 'a', 2));
    expect(stage.vassal()?.scale).toBe(2);
  });
});
