import { describe, expect, it } from 'vitest';
import { feed } from '../../src/control/feed.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';
import { portsOf } from './host.ts';

function happen(emperor: FakeEmperor, name = 'shop'): void {
  emperor.play({ type: 'order', verb: 'start', vassal: fileOf(name), actor: 'me' });
}

/** The sequence numbers of the next page. */
async function numbers(pages: ReturnType<typeof feed>): Promise<number[]> {
  const { value } = await pages.next();
  return (value ?? []).map(({ sequence }) => sequence);
}

describe('the feed', () => {
  it('has no gap and no repetition, whenever things happen', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    const gone = new AbortController();
    const total = 3_000;
    const seen: number[] = [];
    for await (const page of feed({ name: null, limit: 10_000, after: null }, portsOf(emperor), gone.signal)) {
      seen.push(...page.map(({ sequence }) => sequence));
      const known = emperor.store.history({ name: null, limit: 1, after: null })[0]!.sequence;
      // Between two pages, within the same turn, and in a later one.
      for (let count = known; count < Math.min(total, known + 7); count += 1) happen(emperor);
      if (known < total) setImmediate(() => happen(emperor));
      if (seen.length >= total) gone.abort();
    }
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
    expect(seen.length).toBeGreaterThanOrEqual(total);
  });

  it('without a past begins with what comes', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'));
    const last = emperor.store.history({ name: null, limit: 1, after: null })[0]!.sequence;
    const pages = feed({ name: null, limit: 0, after: null }, portsOf(emperor), new AbortController().signal);
    const first = numbers(pages);
    happen(emperor);
    expect(await first).toEqual([last + 1]);
    await pages.return();
  });

  it('of one vassal leaves out the others', async () => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop'), declare('wiki'));
    const pages = feed({ name: 'wiki', limit: 0, after: null }, portsOf(emperor), new AbortController().signal);
    const next = pages.next();
    happen(emperor, 'shop');
    happen(emperor, 'wiki');
    expect((await next).value).toMatchObject([{ name: 'wiki', event: 'order' }]);
    await pages.return();
  });

  it('ends when its reader has gone, also while nothing happens', async () => {
    const emperor = new FakeEmperor();
    const gone = new AbortController();
    const pages = feed({ name: null, limit: 0, after: null }, portsOf(emperor), gone.signal);
    const next = pages.next();
    expect(emperor.observers).toBe(1);
    gone.abort();
    expect((await next).done).toBe(true);
    expect(emperor.observers).toBe(0);
  });
});
