import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printAddress, type Address, type Listen } from '../../src/core/address.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { EmperorError } from '../../src/errors.ts';
import type { Door, Owner, Sockets } from '../../src/sockets/sockets.ts';
import { until } from '../until.ts';

/** Sockets of a host, as the suite needs them. Disposing closes whatever it opened. */
export interface SocketsStage extends AsyncDisposable {
  readonly sockets: Sockets;
  /** An address that nobody has. */
  free(): Promise<Listen>;
  /** Somebody connects, and stays. Done when the connection waits to be accepted. */
  visit(address: Address, door?: Door): Promise<void>;
}

export const SHOP: VassalId = '/v/shop.toml' as VassalId;
export const BLOG: VassalId = '/v/blog.toml' as VassalId;
export const SELF: Owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** The promises of the port `Sockets`, for any implementation and any kind of address. */
export function socketsContract(name: string, openStage: () => SocketsStage): void {
  describe(`the sockets contract, kept by ${name}`, () => {
    let stage: SocketsStage;
    let sockets: Sockets;
    let http: Listen;
    beforeEach(async () => {
      stage = openStage();
      ({ sockets } = stage);
      http = await stage.free();
    });
    afterEach(() => stage[Symbol.asyncDispose]());

    const lend = (generation: number, listen: readonly Listen[] = [http]): readonly number[] => sockets.lend(SHOP, 'shop', generation, listen, SELF).map(({ fd }) => fd);
    const visit = (address: Address = http.address): Promise<void> => stage.visit(address);
    /** Connections that wait for these generations. */
    const queues = (...generations: number[]): number[] => generations.map((generation) => sockets.queued(SHOP, generation));

    it('holds what waits for the first generation', async () => {
      sockets.hold(SHOP, 'shop', [http], SELF);
      await visit();
      lend(1);
      await until(() => expect(queues(1)).toEqual([1]));
    });

    it('opens at a lend what is not held, and lends in the order that was asked for', async () => {
      const other = await stage.free();
      const [first] = lend(1, [http]);
      const lent = sockets.lend(SHOP, 'shop', 1, [other, http], SELF);
      expect(lent.map(({ address }) => address)).toEqual([other.address, http.address]);
      expect(lent[1]?.fd).toBe(first);
      expect(lent[0]?.fd).not.toBe(first);
    });

    it('lends the same sockets to all instances of a generation', () => {
      expect(lend(1)).toEqual(lend(1));
      lend(2);
      expect(lend(2)).toEqual(lend(2));
    });

    it('leads nobody to the next generation who does not come through its door', async () => {
      const [current] = lend(1);
      const [next] = lend(2);
      expect(next).not.toBe(current);
      await visit();
      using door = sockets.door(SHOP, 2, http.address);
      await stage.visit(http.address, door);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([2, 1]));
    });

    it('has several doors open at once, each to its own generation', async () => {
      lend(1);
      lend(2);
      using first = sockets.door(SHOP, 1, http.address);
      using second = sockets.door(SHOP, 2, http.address);
      sockets.steer(SHOP, 2, 1);
      await stage.visit(http.address, first);
      await stage.visit(http.address, second);
      await until(() => expect(queues(1, 2)).toEqual([1, 1]));
    });

    it('leads all to the generation that it is steered to, and back again', async () => {
      lend(1);
      lend(2);
      await visit();
      sockets.steer(SHOP, 2, 1);
      await visit();
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([1, 2]));
      sockets.steer(SHOP, 1, 1);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([2, 2]));
    });

    it.each([0, 1])('leads all to the one that had them before when the share of the next is taken back (%i after 1)', async (share) => {
      lend(1);
      lend(2);
      sockets.steer(SHOP, 2, 1);
      if (share === 0) sockets.steer(SHOP, 2, 0);
      else sockets.steer(SHOP, 1, 1);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([1, 0]));
    });

    it('steers nothing to a generation without sockets', async () => {
      lend(1);
      sockets.steer(SHOP, 7, 1);
      await visit();
      await until(() => expect(queues(1, 7)).toEqual([1, 0]));
    });

    it('goes on with the next generation when the current one has retired, time and again', async () => {
      lend(1);
      for (let generation = 2; generation < 12; generation += 1) {
        lend(generation);
        await visit();
        sockets.steer(SHOP, generation, 1);
        await visit();
        await until(() => expect(queues(generation - 1, generation)).toEqual([generation === 2 ? 1 : 2, 1]));
        sockets.retire(SHOP, generation - 1);
      }
    });

    it('goes on with the current generation when the next one has retired, even in the middle of a canary', async () => {
      lend(1);
      for (const share of [0, 0.5, 1]) {
        lend(2);
        if (share > 0) sockets.steer(SHOP, 2, share);
        if (share === 1) sockets.steer(SHOP, 1, 1);
        sockets.retire(SHOP, 2);
      }
      for (let count = 0; count < 5; count += 1) await visit();
      await until(() => expect(queues(1)).toEqual([5]));
    });

    it('lends what connections wait in to the one that comes when nobody lives', async () => {
      lend(1);
      lend(2);
      sockets.steer(SHOP, 2, 1);
      sockets.retire(SHOP, 1);
      sockets.retire(SHOP, 2);
      await visit();
      lend(3);
      await until(() => expect(queues(3)).toEqual([1]));
    });

    it('lends three generations at once, and leads all to the one that is steered to whatever retires in between', async () => {
      for (const generation of [1, 2, 3]) lend(generation);
      sockets.steer(SHOP, 3, 1);
      sockets.retire(SHOP, 1);
      await visit();
      await until(() => expect(queues(2, 3)).toEqual([0, 1]));
      lend(4);
      sockets.steer(SHOP, 4, 1);
      await visit();
      sockets.retire(SHOP, 2);
      sockets.retire(SHOP, 3);
      await visit();
      await until(() => expect(queues(4)).toEqual([2]));
    });

    it('lets an address that is new in the next generation be reached at once', async () => {
      const added = await stage.free();
      lend(1);
      lend(2, [http, added]);
      await visit(added.address);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([1, 1]));
    });

    it('refuses an address that another vassal has, says whose it is, and opens nothing else', async () => {
      const mine = await stage.free();
      sockets.hold(BLOG, 'blog', [http], SELF);
      const refused = /cannot listen on .* for vassal "shop": vassal "blog" has it/;
      expect(() => sockets.hold(SHOP, 'shop', [mine, http], SELF)).toThrow(refused);
      const thrown = catching(() => lend(1, [mine, http]));
      expect(thrown).toMatchObject({ code: 'E_ADDRESS_IN_USE', message: expect.stringMatching(refused) });
      expect(thrown.message).toContain(printAddress(http.address));
      sockets.hold(BLOG, 'blog', [http, mine], SELF);
    });

    it('leaves what a vassal had when another address of it is refused', async () => {
      const taken = await stage.free();
      sockets.hold(BLOG, 'blog', [taken], SELF);
      lend(1);
      expect(() => lend(2, [http, taken])).toThrow(EmperorError);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([1, 0]));
      lend(2);
      sockets.steer(SHOP, 2, 1);
      await visit();
      await until(() => expect(queues(1, 2)).toEqual([1, 1]));
    });

    it('gives free what is released, and keeps what is kept', async () => {
      const kept = await stage.free();
      sockets.hold(SHOP, 'shop', [http, kept], SELF);
      sockets.release(SHOP, [kept]);
      sockets.hold(BLOG, 'blog', [http], SELF);
      expect(() => sockets.hold(BLOG, 'blog', [kept], SELF)).toThrow(/vassal "shop" has it/);
      sockets.release(SHOP, []);
      sockets.hold(BLOG, 'blog', [kept], SELF);
    });

    it('ignores vassals that it does not know', () => {
      sockets.steer(BLOG, 1, 1);
      sockets.retire(BLOG, 1);
      sockets.release(BLOG, []);
      expect([sockets.queued(BLOG, 1), sockets.sinceUse(BLOG)]).toEqual([0, Infinity]);
    });

    it('tells of a knock once, and not from within the call', async () => {
      const knocks: string[] = [];
      sockets.hold(SHOP, 'shop', [await stage.free(), http], SELF);
      sockets.awaitKnock(SHOP, () => knocks.push('first'));
      await visit();
      await until(() => expect(knocks).toEqual(['first']));
      sockets.awaitKnock(SHOP, () => knocks.push('second'));
      expect(knocks).toEqual(['first']);
      await until(() => expect(knocks).toEqual(['first', 'second']));
      await visit();
      sockets.hold(BLOG, 'blog', [await stage.free()], SELF);
      expect(knocks).toEqual(['first', 'second']);
    });

    it('tells of no knock after the wait was ended', async () => {
      const knocks: string[] = [];
      sockets.hold(SHOP, 'shop', [http], SELF);
      const end = sockets.awaitKnock(SHOP, () => knocks.push('ended'));
      end();
      await visit();
      sockets.awaitKnock(SHOP, () => knocks.push('later'));
      end();
      await until(() => expect(knocks).toEqual(['later']));
    });

    it('knows since when nobody uses a vassal', async () => {
      lend(1);
      expect(sockets.sinceUse(SHOP)).toBe(Infinity);
      await visit();
      await until(() => expect(sockets.sinceUse(SHOP)).toBe(0));
    });
  });
}

function catching(work: () => unknown): EmperorError {
  try {
    work();
  } catch (error) {
    if (error instanceof EmperorError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
