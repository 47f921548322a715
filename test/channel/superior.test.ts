import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { openSuperior, superiorDescriptors, type Superior } from '../../src/channel/superior.ts';
import { openCopyHigh } from '../../src/kernel/high-descriptor.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSocketPairs } from '../../src/kernel/socket-pair.ts';
import { HandClock } from '../fakes/clock.ts';
import { until } from '../until.ts';

const libc = openLibc();

/** Both ends: that of an Emperor, which is ours here, and that of its vassal. */
class Court implements Disposable {
  readonly clock: HandClock = new HandClock();
  readonly orders: string[] = [];
  readonly said: number[] = [];
  readonly superior: Superior;
  readonly fd: number;
  readonly #emperor: Socket;
  lost = 0;

  constructor() {
    const { ours, theirs } = openSocketPairs(libc).open(`test/superior ${process.pid} ${performance.now()}`);
    this.fd = theirs;
    this.#emperor = new Socket({ fd: ours, readable: true, writable: true });
    this.#emperor.on('data', (bytes: Buffer) => this.said.push(...bytes));
    this.superior = openSuperior({
      libc, clock: this.clock, environment: { UWSGI_EMPEROR_FD: String(theirs) }, onOrder: (order) => this.orders.push(order), onLost: () => (this.lost += 1),
    })!;
  }

  tell(...bytes: readonly number[]): void {
    this.#emperor.write(Uint8Array.from(bytes));
  }

  die(): void {
    this.#emperor.destroy();
  }

  [Symbol.dispose](): void {
    this.superior[Symbol.dispose]();
    this.die();
    closeSync(this.fd);
  }
}

it.each([
  [[0], ['hurry']],
  [[1], ['reload']],
  [[2], ['stop']],
  [[1, 1, 1, 2], ['reload', 'stop']],
  [[3, 255, 17, 1], ['reload']],
])('being told %j means %j', async (bytes, orders) => {
  using court = new Court();
  court.tell(...bytes);
  await until(() => expect(court.orders).toEqual(orders));
  expect(court.lost).toBe(0);
});

it('a flood of bytes that mean nothing is taken in, and the order behind it obeyed', async () => {
  using court = new Court();
  court.tell(...Array.from({ length: 100_000 }, () => 99), 2);
  await until(() => expect(court.orders).toEqual(['stop']));
});

it('says what it has to say, one byte each', async () => {
  using court = new Court();
  for (const word of ['started', 'accepting', 'loyal'] as const) court.superior.say(word);
  await until(() => expect(court.said).toEqual([1, 5, 17]));
});

it('beats as often as it is asked to, until the end', async () => {
  using court = new Court();
  court.superior.beat(1_000);
  court.clock.advance(1_000);
  court.clock.advance(1_000);
  await until(() => expect(court.said).toEqual([26, 26, 26]));
  court.superior[Symbol.dispose]();
  expect(court.clock.waiting).toBe(0);
});

it('is told once that nobody is above it any more; then there is nobody to beat for', async () => {
  using court = new Court();
  court.superior.beat(1_000);
  court.die();
  await until(() => expect(court.lost).toBe(1));
  expect(court.clock.waiting).toBe(0);
  court.superior.say('heartbeat');
});

it('an Emperor that reads nothing holds up nobody', () => {
  const { ours, theirs } = openSocketPairs(libc).open(`test/deaf ${process.pid}`);
  const superior = openSuperior({ libc, clock: new HandClock(), environment: { UWSGI_EMPEROR_FD: String(theirs) }, onOrder: () => {}, onLost: () => {} })!;
  for (let count = 0; count < 50_000; count += 1) superior.say('heartbeat');
  const one = new Uint8Array(1);
  expect([readSync(ours, one), one[0]]).toEqual([1, 26]);
  superior[Symbol.dispose]();
  closeSync(ours);
  closeSync(theirs);
});

it.each([[{}], [{ UWSGI_EMPEROR_FD: '' }], [{ UWSGI_EMPEROR_FD: '0' }], [{ UWSGI_EMPEROR_FD: '99999999' }], [{ UWSGI_EMPEROR_FD: '-3' }], [{ UWSGI_EMPEROR_FD: '3; rm' }]])('%j names no Emperor', (environment) => {
  expect(openSuperior({ libc, clock: new HandClock(), environment, onOrder: () => {}, onLost: () => {} })).toBeNull();
  expect(superiorDescriptors(environment)).toEqual([]);
});

it('what stays open for the next program is the channel and, under one of our kind, the copy of its end that comes after it', () => {
  const copy = openCopyHigh(libc);
  const { ours, theirs } = openSocketPairs(libc).open(`test/kept ${process.pid}`);
  const [first, second] = [copy(theirs), copy(ours)].sort((a, b) => a - b) as [number, number];
  expect(second).toBe(first + 1);
  expect(superiorDescriptors({ UWSGI_EMPEROR_FD: String(first) })).toEqual([first]);
  expect(superiorDescriptors({ UWSGI_EMPEROR_FD: String(first), EMPEROR_INSTANCE: 'sub#1' })).toEqual([first, second]);
  for (const fd of [ours, theirs, first, second]) closeSync(fd);
});
