import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../../src/core/state.ts';
import { isOurs, unitName } from '../../../src/runner/unit/unit-name.ts';

describe('the name of a unit', () => {
  it.each([
    ['shop', 'shop#12', '/var/lib/emperor', 'emperor-shop-12.service'],
    ['my shop/é', 'my shop/é#3', '/var/lib/emperor', 'emperor-my_shop__-3.service'],
    ['a#1', 'a#1#7', '/var/lib/emperor', 'emperor-a_1-7.service'],
  ])('of %j, as %s in %s, is %s', (vassal, instance, state, name) => {
    expect(unitName(vassal, instance as InstanceId, state)).toBe(name);
  });

  it('tells emperors apart', () => {
    const states = ['/var/lib/emperor', '/var/lib/emperor/blogs', '/home/ann/.local/state/emperor'];
    for (const state of states) expect(states.filter((each) => isOurs(unitName('shop', 'shop#12' as InstanceId, state), each))).toEqual([state]);
  });

  it('has room for the longest vassal', () => {
    expect(unitName('x'.repeat(250), `x#${2 ** 40}` as InstanceId, '/elsewhere').length).toBeLessThan(256);
  });

  it.each(['emperor.service', 'emperor@blogs.service', 'emperor-shop.service', 'ssh.service'])('is not %s', (unit) => {
    expect(isOurs(unit, '/var/lib/emperor')).toBe(false);
  });
});
