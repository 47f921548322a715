import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { performWith } from '../../src/emperor/perform.ts';
import { FakeProber } from '../fakes/prober.ts';
import { FakeRunner } from '../fakes/runner.ts';
import { FakeSockets } from '../fakes/sockets.ts';
import { instanceOf } from '../fakes/instance.ts';

it('an instance whose start is told of while its emperor is closing is not asked any more: its socket is closed already', () => {
  const events: Event[] = [];
  const prober = new FakeProber((finding) => events.push(finding));
  const none = (): void => {
    throw new Error('nobody asked for that');
  };
  using performance = performWith({
    prober,
    runner: new FakeRunner((event) => events.push(event)),
    sockets: new FakeSockets(),
    channels: { open: () => [], ask: () => null },
    declarer: { look: none, told: async () => none(), recheck: none, [Symbol.dispose]() {} },
    patience: { awaitDrained: none, awaitKnock: none, ignoreKnock: none, awaitUnused: none, ignoreUnused: none, awaitCrowd: none, ignoreCrowd: none, awaitCalm: none, ignoreCalm: none, [Symbol.dispose]() {} },
    hooks: { run: none, forsake: none },
    reloader: { reload: none },
    texts: { readable: (instance) => instance },
    ownerOf: () => ({ uid: 0, gid: 0 }),
    quote: none,
    post: (event) => void events.push(event),
  });
  const { id } = instanceOf(1);
  const judge = { type: 'judge', instance: id, readiness: { kind: 'log', pattern: '^ready' } } as const;
  performance.perform(judge);
  performance[Symbol.dispose]();
  performance.perform(judge);
  performance.perform({ type: 'await-knock', vassal: '/v/shop.toml' as VassalId, name: 'shop', listen: [], user: null, group: null });
  expect(prober.orders).toEqual([`judge ${id} log ^ready`]);
  expect(events).toEqual([]);
});
