import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSockets } from '../../src/sockets/open-sockets.ts';
import type { Handed, Sockets } from '../../src/sockets/sockets.ts';
import { SELF, SHOP } from '../contracts/sockets.ts';
import { until } from '../until.ts';
import { KINDS, RealStage } from './stage.ts';

const libc = openLibc();
const duplicate = libc.bind<(fd: number) => number>('int dup(int fd)');
const living = (...generations: readonly number[]): readonly { readonly generation: number; readonly pid: number }[] =>
  // Of what is handed over nothing is taken out of a process.
  generations.map((generation) => ({ generation, pid: 0 }));

/** What the program gets that is executed next in this process. */
function succeed(sockets: Sockets): { readonly handed: readonly Handed[]; readonly next: Sockets } {
  const handed = sockets.handOver((fd) => duplicate(fd));
  sockets[Symbol.dispose]();
  return { handed, next: openSockets(libc, { handed: JSON.parse(JSON.stringify(handed)) as readonly Handed[], kept: [], lasting: [] }) };
}

describe.each(KINDS)('an address that is handed over (%s)', (kind) => {
  it('still has who waits for a generation that drains, and leads all others where it did', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const first = openSockets(libc);
    first.lend(SHOP, 'shop', 1, [http], SELF);
    await stage.visit(http.address);
    first.lend(SHOP, 'shop', 2, [http], SELF);
    first.steer(SHOP, 2, 1);
    const { next } = succeed(first);
    expect(next.takeBack(SHOP, 'shop', [http], SELF, living(2, 1))).toEqual([]);
    await stage.visit(http.address);
    await until(() => expect([next.queued(SHOP, 1), next.queued(SHOP, 2)]).toEqual([1, 1]));
    next.lend(SHOP, 'shop', 3, [http], SELF);
    next.steer(SHOP, 3, 1);
    next.retire(SHOP, 1);
    await stage.visit(http.address);
    await until(() => expect([next.queued(SHOP, 2), next.queued(SHOP, 3)]).toEqual([1, 1]));
    next[Symbol.dispose]();
  });

  it('keeps a socket in the middle that nobody has, so that the kernel finds the others where they were', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const first = openSockets(libc);
    for (const generation of [1, 2, 3]) first.lend(SHOP, 'shop', generation, [http], SELF);
    first.steer(SHOP, 3, 1);
    first.retire(SHOP, 2);
    const { handed, next } = succeed(first);
    expect(handed[0]?.slots.map(({ generation }) => generation)).toEqual([1, null, 3]);
    next.takeBack(SHOP, 'shop', [http], SELF, living(3, 1));
    await stage.visit(http.address);
    await until(() => expect([next.queued(SHOP, 1), next.queued(SHOP, 3)]).toEqual([0, 1]));
    next[Symbol.dispose]();
  });

  it('goes to whoever serves now, where a canary was under way', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const first = openSockets(libc);
    first.lend(SHOP, 'shop', 1, [http], SELF);
    first.lend(SHOP, 'shop', 2, [http], SELF);
    first.steer(SHOP, 2, 0.9);
    const { next } = succeed(first);
    next.takeBack(SHOP, 'shop', [http], SELF, living(1, 2));
    for (let visit = 0; visit < 8; visit += 1) await stage.visit(http.address);
    await until(() => expect([next.queued(SHOP, 1), next.queued(SHOP, 2)]).toEqual([8, 0]));
    next[Symbol.dispose]();
  });

  it('waits for the next generation, with who waits, where the only one ended meanwhile', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const first = openSockets(libc);
    first.lend(SHOP, 'shop', 1, [http], SELF);
    await stage.visit(http.address);
    const { next } = succeed(first);
    next.lend(SHOP, 'shop', 2, [http], SELF);
    await until(() => expect(next.queued(SHOP, 2)).toBe(1));
    next[Symbol.dispose]();
  });

  it('is closed where nobody asks for it any more', async () => {
    await using stage = new RealStage(kind);
    const http = await stage.free();
    const first = openSockets(libc);
    first.hold(SHOP, 'shop', [http], SELF);
    const { next } = succeed(first);
    next.disinherit([]);
    // It is free: else it would be in use.
    next.hold(SHOP, 'shop', [http], SELF);
    next[Symbol.dispose]();
  });
});
