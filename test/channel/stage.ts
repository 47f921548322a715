import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { openChannels, type Channels, type ChannelsOptions } from '../../src/channel/channels.ts';
import type { ReportEvent } from '../../src/core/event.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { openCopyHigh } from '../../src/kernel/high-descriptor.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { HandClock } from '../fakes/clock.ts';

const libc = openLibc();
const copy = openCopyHigh(libc);

export const SHOP = 'shop#1' as InstanceId;

/** The room with real sockets, and the other ends of them in our hands. */
export class Stage implements Disposable {
  readonly clock: HandClock = new HandClock();
  readonly events: ReportEvent[] = [];
  readonly strange: { readonly instance: InstanceId; readonly bytes: number }[] = [];
  readonly channels: Channels;
  /** Whether all of the instance would hear what it is told. */
  attentive = true;
  /** Whether it knows no graceful stop. */
  old = false;
  readonly #open: Set<number> = new Set();

  constructor(state = `/state/${process.pid}`) {
    const options: ChannelsOptions = { libc, clock: this.clock, state, sink: (event) => this.events.push(event), attentive: () => this.attentive, listeningStill: () => this.old, onStrange: (strange) => this.strange.push(strange) };
    this.channels = openChannels(options);
  }

  /** Opens a channel, and does what a launch does: the instance has copies of both ends, as these numbers. */
  launch(instance: InstanceId = SHOP): Vassal {
    const [theirs = -1, lent = -1] = this.channels.open(instance).map((fd) => copy(fd));
    this.channels.follow({ type: 'spawned', instance, process: { pid: process.pid, startTicks: 1, bootId: 'boot' } });
    this.#open.add(lent);
    return new Vassal(theirs, lent);
  }

  /** What was reported, in short. */
  said(): readonly string[] {
    return this.events.map(({ instance, report }) => `${instance} ${report.kind}`);
  }

  [Symbol.dispose](): void {
    this.channels[Symbol.dispose]();
    for (const fd of this.#open) closeSync(fd);
  }
}

/** An instance, as far as its channel goes. */
export class Vassal implements Disposable {
  readonly lent: number;
  readonly socket: Socket;
  /** The bytes that it was told. */
  readonly heard: number[] = [];

  constructor(theirs: number, lent: number) {
    this.lent = lent;
    this.socket = new Socket({ fd: theirs, readable: true, writable: true });
    this.socket.on('data', (bytes: Buffer) => this.heard.push(...bytes));
    // A write after we have gone is no matter.
    this.socket.on('error', () => this.socket.destroy());
  }

  say(...bytes: readonly number[]): void {
    this.socket.write(Uint8Array.from(bytes));
  }

  /** Says a lot. @returns once it is all written, which may be never */
  async babble(bytes: Uint8Array): Promise<void> {
    if (!this.socket.write(bytes)) await once(this.socket, 'drain');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
