import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { EmperorState } from '../../src/core/state.ts';
import { serveSuperior } from '../../src/emperor/vassalage.ts';
import { EmperorError } from '../../src/errors.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketPairs } from '../../src/kernel/socket-pair.ts';
import { HandClock } from '../fakes/clock.ts';
import { until } from '../until.ts';

const libc = openLibc();

/** An emperor that writes down what it is told, below one that is ours here. */
class Subject implements Disposable {
  readonly clock: HandClock = new HandClock();
  readonly did: string[] = [];
  readonly said: number[] = [];
  readonly troubles: string[] = [];
  life: EmperorState['life'] = 'running';
  upgradeFails = false;
  readonly #above: Socket;
  readonly #fd: number;
  readonly #vassalage: Disposable;

  constructor(environment: Readonly<Record<string, string>> = {}) {
    const { ours, theirs } = openSocketPairs(libc).open(`test/vassalage ${process.pid} ${performance.now()}`);
    this.#fd = theirs;
    this.#above = new Socket({ fd: ours, readable: true, writable: true });
    this.#above.on('data', (bytes: Buffer) => this.said.push(...bytes));
    const post = (event: Event): void => {
      if (event.type !== 'shutdown') throw new Error(event.type);
      this.did.push(event.keep ? 'leave' : 'stop');
      this.life = event.keep ? 'leaving' : 'stopping';
    };
    this.#vassalage = serveSuperior({
      emperor: {
        post,
        life: () => this.life,
        upgrade: async () => {
          this.did.push('upgrade');
          if (this.upgradeFails) throw new EmperorError('E_UPGRADE', 'no');
          return { version: '1' };
        },
      },
      settings: { environment: { ...environment, UWSGI_EMPEROR_FD: String(theirs) }, heartbeatMs: null },
      reread: async () => void this.did.push('reread'),
      clock: this.clock,
      onTrouble: (message) => this.troubles.push(message),
    });
  }

  tell(byte: number): void {
    this.#above.write(Uint8Array.of(byte));
  }

  die(): void {
    this.#above.destroy();
  }

  async hasDone(...what: readonly string[]): Promise<void> {
    await until(() => expect(this.did).toEqual(what));
  }

  [Symbol.dispose](): void {
    this.#vassalage[Symbol.dispose]();
    this.die();
    closeSync(this.#fd);
  }
}

it('who governs says that it has begun, accepts and is loyal; after a reload the first is not said again', async () => {
  using subject = new Subject();
  using again = new Subject({ EMPEROR_HANDOVER: '7' });
  await until(() => expect([subject.said, again.said]).toEqual([[1, 5, 17], [5, 17]]));
});

it('2 stops it once, and what comes then changes nothing', async () => {
  using subject = new Subject();
  subject.tell(2);
  await subject.hasDone('stop');
  subject.tell(1);
  subject.die();
  await until(() => expect(subject.clock.waiting).toBe(0));
  await subject.hasDone('stop');
});

it('0 stops it, and hurries it after 5 s', async () => {
  using subject = new Subject();
  subject.tell(0);
  await subject.hasDone('stop');
  await until(() => expect(subject.clock.waiting).toBe(1));
  subject.clock.advance(4_999);
  await subject.hasDone('stop');
  subject.clock.advance(1);
  await subject.hasDone('stop', 'stop');
});

it('one that ends already, by a signal to all, is not hurried by 2', async () => {
  using subject = new Subject();
  subject.life = 'stopping';
  subject.tell(2);
  subject.tell(0);
  await until(() => expect(subject.clock.waiting).toBe(1));
  expect(subject.did).toEqual([]);
});

it('1 lets the program on the disk take over', async () => {
  using subject = new Subject();
  subject.tell(1);
  await subject.hasDone('upgrade');
  expect(subject.troubles).toEqual([]);
});

it('where that cannot be, it rereads its configuration, and accepts; it can be told again', async () => {
  using subject = new Subject();
  subject.upgradeFails = true;
  for (const times of [1, 2]) {
    subject.tell(1);
    await until(() => expect(subject.said.slice(3)).toEqual(Array.from({ length: times }, () => 5)));
  }
  await subject.hasDone('upgrade', 'reread', 'upgrade', 'reread');
  expect(subject.troubles).toHaveLength(2);
});

it('when the one above is gone it goes, and its vassals stay', async () => {
  using subject = new Subject();
  subject.die();
  await subject.hasDone('leave');
  expect(subject.troubles).toEqual([expect.stringContaining('is gone')]);
});
