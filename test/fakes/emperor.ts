import type { Event, Now } from '../../src/core/event.ts';
import type { Change } from '../../src/core/history.ts';
import { living } from '../../src/core/lifecycle.ts';
import type { Declaration, VassalId } from '../../src/core/listing.ts';
import type { EmperorState, ExitStatus, Instance, Vassal } from '../../src/core/state.ts';
import { firstState, step } from '../../src/core/step.ts';
import type { Emperor } from '../../src/emperor/emperor.ts';
import type { Clock } from '../../src/world/clock.ts';
import { FakeStore } from './store.ts';

type Observer = (change: Change, state: EmperorState) => void;

/**
 * An emperor with the real rules and no world. What is posted is handled in a later turn, stored, then told to the
 * observers. Effects are not performed: a test tells itself what became of them. It is a clock, too, moved by hand.
 */
export class FakeEmperor implements Emperor, Clock {
  /** Everything that was posted, in order. */
  readonly posted: Event[] = [];
  readonly store: FakeStore = new FakeStore();
  /** Monotonic and wall time at once. */
  ms = 1_700_000_000_000;
  /** While true, the mailbox is not emptied. */
  asleep = false;

  #state: EmperorState;
  #pid = 100;
  readonly #source: string;
  readonly #mailbox: Event[] = [];
  readonly #observers = new Set<Observer>();
  readonly #timers = new Map<symbol, { readonly dueMs: number; readonly callback: () => void }>();

  constructor(source = 'dir:///v') {
    this.#source = source;
    this.#state = firstState([source], [], new Map(), 1);
  }

  snapshot(): EmperorState {
    return this.#state;
  }

  post(event: Event): void {
    this.posted.push(event);
    this.#mailbox.push(event);
    setImmediate(() => this.#empty());
  }

  subscribe(observer: Observer): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  now(): Now {
    return { ms: this.ms, at: this.ms };
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = Symbol('timer');
    this.#timers.set(timer, { dueMs: this.ms + delayMs, callback });
    return () => this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  /** Who is told of changes now. */
  get observers(): number {
    return this.#observers.size;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Handles one event now. */
  play(event: Event): void {
    const { state, change } = step(this.#state, event, this.now());
    this.#state = state;
    this.store.record(change);
    for (const observer of this.#observers) observer(change, this.#state);
  }

  /** Wakes up, and handles what was posted meanwhile. */
  wake(): void {
    this.asleep = false;
    this.#empty();
  }

  list(...declarations: readonly Declaration[]): void {
    this.play({ type: 'listed', source: this.#source, declarations });
  }

  /** Lets time pass: timers that are due, then the alarm of the rules. */
  wait(ms: number): void {
    this.ms += ms;
    for (const [timer, { dueMs, callback }] of this.#timers) {
      if (dueMs > this.ms) continue;
      this.#timers.delete(timer);
      callback();
    }
    this.play({ type: 'alarm' });
  }

  spawn(name: string, pid: number = (this.#pid += 1)): void {
    const instance = this.instances(name).find((each) => each.process === null);
    if (instance === undefined) throw new Error(`nothing of ${name} waits to be spawned`);
    this.play({ type: 'spawned', instance: instance.id, process: { pid, startTicks: pid, bootId: 'boot' } });
  }

  /** The oldest living instance ends. */
  exit(name: string, status: ExitStatus = { kind: 'exited', code: 1 }): void {
    const instance = this.instances(name).toSorted((a, b) => a.serial - b.serial)[0];
    if (instance === undefined) throw new Error(`nothing of ${name} lives`);
    this.play({ type: 'exited', instance: instance.id, status });
  }

  /** What was told to start becomes ready. */
  rise(name: string): void {
    this.spawn(name);
    this.wait(1_000);
  }

  vassal(name: string): Vassal | undefined {
    return [...this.#state.vassals.values()].find((each) => each.name === name);
  }

  instances(name: string): readonly Instance[] {
    const vassal = this.vassal(name);
    return vassal === undefined ? [] : living(vassal);
  }

  #empty(): void {
    if (this.asleep) return;
    for (const event of this.#mailbox.splice(0)) this.play(event);
  }
}

/** The identity of `/v/NAME.toml`. */
export function fileOf(name: string): VassalId {
  return `/v/${name}.toml` as VassalId;
}
