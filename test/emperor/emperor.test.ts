import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import type { Change } from '../../src/core/history.ts';
import { firstState } from '../../src/core/step.ts';
import { createEmperor, type Emperor } from '../../src/emperor/emperor.ts';
import { HandClock } from '../fakes/clock.ts';
import { declare } from '../fakes/declaration.ts';

interface Stage {
  readonly clock: HandClock;
  readonly emperor: Emperor & Disposable;
  /** What the parts saw, in order. */
  readonly seen: string[];
  readonly effects: Effect[];
  readonly changes: Change[];
}

function stage(): Stage {
  const clock = new HandClock();
  const seen: string[] = [];
  const effects: Effect[] = [];
  const changes: Change[] = [];
  const emperor = createEmperor(firstState(['dir:///v'], [], new Map(), 1), {
    clock,
    remember: (change) => {
      changes.push(change);
      seen.push(`stored ${change.history.length > 0 ? 'history' : 'state'}; state then: ${emperor.snapshot().vassals.size}`);
    },
    perform: (effect) => {
      effects.push(effect);
      seen.push(`performed ${effect.type}; state then: ${emperor.snapshot().vassals.size}`);
    },
  });
  emperor.subscribe(() => void seen.push('told'));
  return { clock, emperor, seen, effects, changes };
}

const list = { type: 'listed', source: 'dir:///v', declarations: [declare('shop')] } as const;

it('stores a change, then changes, then acts, then tells', () => {
  const { clock, emperor, seen } = stage();
  emperor.post(list);
  expect(seen).toEqual([]);
  clock.advance(0);
  expect(seen).toEqual(['stored history; state then: 0', 'performed launch; state then: 1', 'told']);
});

it('takes what came together together, and stores it once', () => {
  const { clock, emperor, changes } = stage();
  emperor.post(list);
  emperor.post({ type: 'blind', source: 'dir:///v', reason: 'gone' });
  clock.advance(0);
  expect(changes).toHaveLength(1);
  expect(changes[0]?.history.map((each) => each.event)).toEqual(['appeared', 'launch', 'blind']);
});

it('stores nothing, and tells nobody, when nothing changed', () => {
  const { clock, emperor, seen } = stage();
  emperor.post(list);
  clock.advance(0);
  seen.length = 0;
  emperor.post(list);
  clock.advance(0);
  expect(seen).toEqual([]);
});

it('wakes by one alarm, when the earliest deadline is due', () => {
  const { clock, emperor, effects } = stage();
  emperor.post(list);
  clock.advance(0);
  expect(clock.waiting).toBe(0);
  const [launch] = effects;
  if (launch?.type !== 'launch') throw new Error('nothing was launched');
  emperor.post({ type: 'spawned', instance: launch.instance.id, process: { pid: 1, startTicks: 1, bootId: 'b' } });
  clock.advance(0);
  expect(clock.waiting).toBe(1);
  clock.advance(999);
  expect([...emperor.snapshot().vassals.values()][0]?.state.phase).toBe('starting');
  clock.advance(1);
  expect([...emperor.snapshot().vassals.values()][0]?.state.phase).toBe('ready');
  expect(clock.waiting).toBe(0);
});

it('moves its alarm when an earlier deadline comes up', () => {
  const { clock, emperor, effects } = stage();
  emperor.post({ ...list, declarations: [declare('slow', { ready: { kind: 'after', ms: 60_000 } }), declare('shop')] });
  clock.advance(0);
  for (const effect of effects.splice(0)) {
    if (effect.type !== 'launch') continue;
    emperor.post({ type: 'spawned', instance: effect.instance.id, process: { pid: effect.instance.serial, startTicks: 1, bootId: 'b' } });
    clock.advance(0);
    expect(clock.waiting).toBe(1);
  }
  clock.advance(1_000);
  const phases = [...emperor.snapshot().vassals.values()].map((each) => each.state.phase);
  expect(phases).toEqual(['starting', 'ready']);
  clock.advance(59_000);
  expect([...emperor.snapshot().vassals.values()].map((each) => each.state.phase)).toEqual(['ready', 'ready']);
});

it('handles at its end what has come by then, and nothing after', () => {
  const { clock, emperor, seen, effects } = stage();
  emperor.post(list);
  clock.advance(0);
  const [launch] = effects;
  if (launch?.type !== 'launch') throw new Error('nothing was launched');
  emperor.post({ type: 'spawned', instance: launch.instance.id, process: { pid: 1, startTicks: 1, bootId: 'b' } });
  emperor[Symbol.dispose]();
  expect([...emperor.snapshot().vassals.values()][0]?.state).toMatchObject({ phase: 'starting', current: { places: [{ instance: { process: { pid: 1 } } }] } });
  seen.length = 0;
  emperor.post({ type: 'blind', source: 'dir:///v', reason: 'gone' });
  clock.advance(60_000);
  expect(seen).toEqual([]);
  expect(clock.waiting).toBe(0);
});

describe('an emperor that was stopped for a minute', () => {
  /** An instance that has to say within 10 s that it is ready; 9 of them have passed. */
  function waiting(): Stage & { readonly ready: () => void; readonly phase: () => string | undefined } {
    const made = stage();
    const { clock, emperor, effects } = made;
    emperor.post({ ...list, declarations: [declare('shop', { ready: { kind: 'notify' }, startTimeoutMs: 10_000 })] });
    clock.advance(0);
    const [launch] = effects;
    if (launch?.type !== 'launch') throw new Error('nothing was launched');
    const instance = launch.instance.id;
    emperor.post({ type: 'spawned', instance, process: { pid: 1, startTicks: 1, bootId: 'b' } });
    clock.advance(9_000);
    return { ...made, phase: () => [...emperor.snapshot().vassals.values()][0]?.state.phase, ready: () => emperor.post({ type: 'ready', instance, why: 'it says so' }) };
  }

  it('takes in what came meanwhile before it holds a deadline against anybody', () => {
    const { clock, ready, phase } = waiting();
    clock.standStill(60_000);
    ready();
    clock.advance(0);
    expect(phase()).toBe('ready');
  });

  it('knows it also when what came is looked at before the alarm', () => {
    const { clock, ready, phase } = waiting();
    clock.standStill(60_000, false);
    ready();
    clock.advance(0);
    expect(phase()).toBe('ready');
  });

  it('goes on with its deadlines, which are later by what it missed', () => {
    const { clock, emperor, phase, effects } = waiting();
    const before = emperor.now();
    clock.standStill(60_000);
    expect(emperor.now().ms).toBe(before.ms + 999);
    expect(emperor.now().at).toBe(before.at + 60_000);
    clock.advance(990);
    expect(phase()).toBe('starting');
    clock.advance(20);
    expect(effects.at(-1)).toMatchObject({ type: 'signal' });
    clock.advance(5_000);
    expect(emperor.now().ms).toBeGreaterThan(before.ms + 5_000);
    expect(emperor.now().ms).toBeLessThan(before.ms + 6_100);
  });
});
