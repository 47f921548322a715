import { expect, it } from 'vitest';
import { ACT_MS, planAct, printOperation, type Role } from './plan.ts';

const ROLES: readonly Role[] = [{ name: 'shop', linked: false, mostInstances: 4 }, { name: 'blog', linked: true, mostInstances: 1 }];

it('is the same for the same seed, and another one for another seed or act', () => {
  expect(planAct(7, 2, ROLES)).toEqual(planAct(7, 2, ROLES));
  expect(planAct(7, 2, ROLES)).not.toEqual(planAct(8, 2, ROLES));
  expect(planAct(7, 2, ROLES)).not.toEqual(planAct(7, 3, ROLES));
});

it('has all kinds of operations, in order, each on a vassal that can take it; in every third act the emperor is not killed', () => {
  const acts = Array.from({ length: 60 }, (_, act) => planAct(1, act, ROLES));
  const operations = acts.flat().map(({ operation }) => operation);
  expect(new Set(operations.map(({ kind }) => kind))).toEqual(new Set([
    'kill-emperor', 'freeze-emperor', 'upgrade-emperor', 'fill-disk', 'kill-instance', 'freeze-instance', 'touch', 'edit', 'spoil', 'remove', 'flip', 'stop', 'pause', 'restart', 'reload', 'rollback', 'scale',
  ]));
  for (const act of acts) {
    expect(act.map(({ atMs }) => atMs)).toEqual(act.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(act.at(-1)?.atMs).toBeLessThan(ACT_MS);
  }
  for (const operation of operations) {
    if (operation.kind === 'flip') expect(operation.vassal).toBe('blog');
    if (operation.kind === 'scale') expect(operation).toMatchObject({ vassal: 'shop', instances: expect.toSatisfy((count: number) => count >= 1 && count <= 4) });
  }
  for (const [act, planned] of acts.entries()) if (act % 3 === 2) expect(planned.map(({ operation }) => operation.kind)).not.toContain('kill-emperor');
});

it('prints an operation in a line', () => {
  expect(printOperation({ kind: 'freeze-instance', vassal: 'shop', pick: 0.123456, forMs: 20 })).toBe('freeze-instance shop pick=0.123 forMs=20');
});
