import { describe, expect, it } from 'vitest';
import type { Look } from '../../src/core/listing.ts';
import type { Monitor } from '../../src/monitors/monitor.ts';

/** A monitor with hands on what it sees. Each action resolves when the monitor has had every chance to tell. */
export interface MonitorUnderTest extends AsyncDisposable {
  readonly monitor: Monitor;
  put(name: string, text: string): Promise<void>;
  touch(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes the source impossible to look at, and possible again. */
  hide(): Promise<void>;
  unhide(): Promise<void>;
  /** Lets a promise of the monitor come true, where time has to be moved by hand. */
  during<T>(promise: Promise<T>): Promise<T>;
}

/** What every monitor keeps to. */
export function describeMonitor(name: string, make: () => Promise<MonitorUnderTest>): void {
  const texts = (look: Look | undefined): unknown =>
    look?.kind === 'listing' ? Object.fromEntries(look.files.map((file) => [file.name, file.content.ok && file.content.text])) : look?.kind;

  async function started(put: readonly string[] = []): Promise<{ readonly looks: Look[]; readonly subject: MonitorUnderTest }> {
    const subject = await make();
    for (const each of put) await subject.put(each, each);
    const looks: Look[] = [];
    await subject.during(subject.monitor.start((look) => looks.push(look)));
    return { looks, subject };
  }

  describe(`the contract of monitors: ${name}`, () => {
    it('has posted its first look when it has started', async () => {
      const { looks, subject } = await started(['a', 'b']);
      await using _ = subject;
      expect(looks.map(texts)).toEqual([{ a: 'a', b: 'b' }]);
    });

    it('posts an empty listing where there is nothing', async () => {
      const { looks, subject } = await started();
      await using _ = subject;
      expect(looks).toEqual([{ kind: 'listing', files: [] }]);
    });

    it('posts whole listings, one for each change', async () => {
      const { looks, subject } = await started(['a']);
      await using _ = subject;
      await subject.put('b', '1');
      await subject.put('b', '2');
      await subject.remove('a');
      expect(looks.map(texts)).toEqual([{ a: 'a' }, { a: 'a', b: '1' }, { a: 'a', b: '2' }, { b: '2' }]);
    });

    it('gives a touched file another stamp, and keeps the object of all others', async () => {
      const { looks, subject } = await started(['a', 'b']);
      await using _ = subject;
      await subject.touch('a');
      expect(looks).toHaveLength(2);
      const [before, after] = looks.map((look) => (look.kind === 'listing' ? look.files : []));
      expect(after?.[0]).toMatchObject({ name: 'a', hash: before?.[0]?.hash });
      expect(after?.[0]?.stamp).not.toBe(before?.[0]?.stamp);
      expect(after?.[1]).toBe(before?.[1]);
    });

    it('is blind once, and then shows what there is', async () => {
      const { looks, subject } = await started(['a']);
      await using _ = subject;
      await subject.hide();
      await subject.unhide();
      expect(looks.map(texts)).toEqual([{ a: 'a' }, 'blind', { a: 'a' }]);
    });

    it('says nothing when a new look shows nothing new', async () => {
      const { looks, subject } = await started(['a']);
      await using _ = subject;
      await subject.during(subject.monitor.rescan());
      expect(looks).toHaveLength(1);
    });

    it('says nothing after its end', async () => {
      const { looks, subject } = await started();
      await subject[Symbol.asyncDispose]();
      await subject.put('a', 'a');
      expect(looks).toHaveLength(1);
    });
  });
}
