import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../src/sockets/group.ts';
import { Held } from '../../src/sockets/held.ts';
import { FakeGroup, listenOf } from '../fakes/sockets.ts';

const DECLARED = { listen: listenOf({ kind: 'tcp', host: '127.0.0.1', port: 80, v6only: false }), owner: { uid: 0, gid: 0 } };

function openHeld(): { readonly group: FakeGroup; readonly held: Held; readonly lend: (generation: number) => Slot } {
  const group = new FakeGroup();
  const held = new Held(group, DECLARED);
  return { group, held, lend: (generation) => held.lend(generation, DECLARED) };
}

describe('an address that is held', () => {
  it('has one socket again after each swap', () => {
    const { held, lend } = openHeld();
    lend(1);
    for (let generation = 2; generation < 8; generation += 1) {
      lend(generation);
      expect(held.slots).toHaveLength(2);
      held.steer(generation, 1);
      held.retire(generation - 1);
      expect(held.slots).toEqual([held.slotOf(generation)]);
    }
  });

  it('leads nobody by chance to a canary that has retired', () => {
    const { group, held, lend } = openHeld();
    const current = lend(1);
    const canary = lend(2);
    held.steer(2, 0.2);
    expect(group.visit('favoured')).toBe(canary);
    held.retire(2);
    expect(group.visit('favoured')).toBe(current);
  });

  it('lets connections wait when the current generation retires while another one is judged', () => {
    const { group, held, lend } = openHeld();
    const current = lend(1);
    const next = lend(2);
    held.retire(1);
    expect(group.visit()).toBe(current);
    expect(lend(3)).not.toBe(next);
    expect(held.slotOf(3)).not.toBe(current);
  });

  it('keeps a door to one generation where it is while others come and go', () => {
    const { group, held, lend } = openHeld();
    for (const generation of [1, 2, 3]) lend(generation);
    using door = held.door(3) ?? undefined;
    const { localPort = 0 } = door?.connect !== undefined && 'localPort' in door.connect ? door.connect : {};
    held.steer(2, 1);
    held.retire(1);
    expect(group.visit(localPort)).toBe(held.slotOf(3));
    held.retire(2);
    expect(group.visit(localPort)).toBe(held.slotOf(3));
    held.retire(3);
    expect(group.visit(localPort)).toBe(held.steered);
  });

  it('has no door to a generation that it has not lent to', () => {
    const { held } = openHeld();
    expect(held.door(1)).toBe(null);
  });

  it('replaces a socket that somebody ended by shutdown, before it is lent again', () => {
    const { group, held, lend } = openHeld();
    const [first] = held.slots;
    if (first !== undefined) group.broken.add(first);
    const lent = lend(1);
    expect(lent).not.toBe(first);
    expect(held.slots).toEqual([lent]);
    expect(group.visit()).toBe(lent);
  });

  const generation = fc.integer({ min: 1, max: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('lend' as const, 'retire' as const), generation }),
    fc.record({ kind: fc.constant('steer' as const), generation, share: fc.constantFrom(0, 0.05, 0.5, 1) }),
  );

  it('agrees with the kernel about which socket is which, whatever happens in whatever order', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { group, held, lend } = openHeld();
      const living = new Set<number>();
      for (const each of steps) {
        if (each.kind === 'lend') {
          const before = held.slotOf(each.generation);
          const alone = living.size === 0;
          const fed = [group.visit(), group.visit('favoured')];
          const slot = lend(each.generation);
          // Beside others it gets what nobody is led to; alone it gets what connections wait in.
          if (before === undefined) expect(fed.includes(slot)).toBe(alone);
          else expect(slot).toBe(before);
          living.add(each.generation);
        } else if (each.kind === 'retire') {
          held.retire(each.generation);
          living.delete(each.generation);
        } else if ('share' in each) {
          held.steer(each.generation, each.share);
          if (each.share === 1 && living.has(each.generation)) expect(group.visit()).toBe(held.slotOf(each.generation));
        }
        expect(group.kernel).toEqual(held.slots);
        expect(group.visit()).toBe(held.steered);
        expect(new Set([...living].map((one) => held.slotOf(one)?.fd)).size).toBe(living.size);
        for (const one of living) {
          using door = held.door(one) ?? undefined;
          if (door !== undefined && 'localPort' in door.connect) expect(group.visit(door.connect.localPort ?? 0)).toBe(held.slotOf(one));
        }
      }
      for (const one of living) held.retire(one);
      expect(held.slots.length).toBeLessThanOrEqual(2);
    }), { seed: 7, numRuns: 300 });
  });
});

describe('an address that a socket unit listens on, too', () => {
  /** Its slot, and whoever serves beside it. */
  function open(serving: number | null): { readonly group: FakeGroup; readonly held: Held; readonly unit: Slot } {
    const group = new FakeGroup();
    const [unit, own] = [{ fd: 7, inode: 7 }, { fd: 8, inode: 8 }];
    group.lasting.add(unit);
    const held = new Held(group, DECLARED, [{ generation: null, slot: unit }, ...(serving === null ? [] : [{ generation: serving, slot: own }])]);
    return { group, held, unit };
  }

  it('has its socket served by the first generation, and leads to the next one', () => {
    const { group, held, unit } = open(null);
    expect(group.visit()).toBe(unit);
    expect(held.lend(1, DECLARED)).toBe(unit);
    const next = held.lend(2, DECLARED);
    held.steer(2, 1);
    held.retire(1);
    expect(group.kernel).toEqual([unit, next]);
    expect(group.visit()).toBe(next);
  });

  it('leads to whoever an earlier emperor led to, and lends the free socket once it is empty', () => {
    const { group, held, unit } = open(3);
    expect(group.visit()).toBe(held.slotOf(3));
    expect(held.lend(4, DECLARED)).toBe(unit);
    held.steer(4, 1);
    held.retire(3);
    expect(group.kernel).toEqual([unit]);
    expect(group.visit()).toBe(unit);
  });

  it('is left as it is by an emperor that goes', () => {
    const { group, held, unit } = open(3);
    held.leave();
    expect(group.kernel).toHaveLength(2);
    expect(group.visit()).not.toBe(unit);
  });
});
