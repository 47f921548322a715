import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import { living } from '../../src/core/lifecycle.ts';
import type { Declaration } from '../../src/core/listing.ts';
import type { EmperorState, Instance } from '../../src/core/state.ts';
import { firstState, steps } from '../../src/core/step.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeStore } from '../fakes/store.ts';
import { openQuietly, temporaryFolder } from './folder.ts';
import { idOf, SOME_TIME } from './samples.ts';

/** One thing that happens; `pick` chooses to whom. */
interface Move {
  readonly kind: 'touch' | 'edit' | 'break' | 'remove' | 'spawned' | 'unlaunchable' | 'exited' | 'said' | 'alarm' | 'start' | 'stop' | 'pause' | 'restart' | 'scale' | 'rollback';
  readonly pick: number;
  /** It comes together with the next one. */
  readonly joined: boolean;
}

const moves = fc.array(fc.record<Move>({
  kind: fc.constantFrom('touch', 'edit', 'break', 'remove', 'spawned', 'spawned', 'spawned', 'unlaunchable', 'exited', 'said', 'alarm', 'alarm', 'alarm', 'start', 'stop', 'pause', 'restart', 'scale', 'rollback'),
  pick: fc.nat(1_000),
  joined: fc.boolean(),
}), { minLength: 20, maxLength: 80 });

const NAMES = ['shop', 'wiki'] as const;
const READY = { ready: { kind: 'after', ms: 100 }, instances: 2 } as const;

/** Files that change, and what becomes of them. */
class Files {
  readonly shown = new Map<string, Declaration>();
  #stamp = 1;

  change(kind: Move['kind'], name: string): Event {
    this.#stamp += 1;
    const text = kind === 'touch' ? this.shown.get(name)?.text ?? 'a' : `text ${this.#stamp}`;
    if (kind === 'remove') this.shown.delete(name);
    else this.shown.set(name, kind === 'break' ? declareFaulty(name, text, this.#stamp) : declare(name, { ...READY, reload: { kind: name === 'shop' ? 'overlap' : 'restart' } }, text, this.#stamp));
    return { type: 'listed', source: 'dir:///v', declarations: [...this.shown.values()] };
  }
}

function eventOf({ kind, pick }: Move, state: EmperorState, files: Files): Event {
  const name = NAMES[pick % NAMES.length] ?? 'shop';
  const alive = [...state.vassals.values()].flatMap(living);
  const instance = (of: readonly Instance[]): Instance['id'] => of[pick % Math.max(1, of.length)]?.id ?? ('nobody#0' as Instance['id']);
  const order = { type: 'order', vassal: idOf(name), actor: 'test' } as const;
  switch (kind) {
    case 'spawned':
      return { type: kind, instance: instance(alive.filter((each) => each.process === null)), process: { pid: 100 + pick, startTicks: pick, bootId: 'boot' } };
    case 'unlaunchable':
      return { type: kind, instance: instance(alive.filter((each) => each.process === null)), code: 'E_SPAWN', reason: 'no', lasting: pick % 2 === 0 };
    case 'exited':
      return { type: kind, instance: instance(alive), status: { kind: 'exited', code: pick % 3 } };
    case 'said':
      return { type: kind, instance: instance(alive), said: { ready: false, reloading: false, stopping: false, status: `working on ${pick}`, watchdog: 'ping', extendMs: null, mainPid: null } };
    case 'alarm':
      return { type: 'alarm' };
    case 'start':
    case 'stop':
    case 'pause':
    case 'restart':
      return { ...order, verb: kind };
    case 'scale':
      return { ...order, verb: kind, instances: 1 + (pick % 4) };
    case 'rollback': {
      const good = state.vassals.get(idOf(name))?.good ?? null;
      return good === null ? { type: 'alarm' } : { ...order, verb: kind, to: good };
    }
    case 'touch':
    case 'edit':
    case 'break':
    case 'remove':
    default:
      return files.change(kind, name);
  }
}

it('the SQLite store remembers what the fake store does, whatever happens', () => {
  fc.assert(fc.property(moves, (walk) => {
    const fake = new FakeStore(() => SOME_TIME);
    const real = openQuietly(temporaryFolder());
    const files = new Files();
    let state = firstState(['dir:///v'], [], new Map(), 1);
    let ms = SOME_TIME;
    let events: Event[] = [];
    for (const move of walk) {
      events.push(eventOf(move, state, files));
      if (move.joined) continue;
      ms += 60 + (move.pick % 100);
      const step = steps(state, events, { ms, at: ms });
      events = [];
      state = step.state;
      fake.record(step.change);
      real.record(step.change);
      expect(real.load()).toEqual(fake.load());
    }
    for (const name of NAMES) expect(real.revisions(idOf(name))).toEqual(fake.revisions(idOf(name)));
    expect(real.history({ name: null, limit: 10_000, after: null })).toEqual(fake.history({ name: null, limit: 10_000, after: null }));
    real[Symbol.dispose]();
  }), { numRuns: 60, seed: 7 });
});
