import { deadlineOf, nextDeadline, turnDeadline } from '../core/deadline.ts';
import type { Effect } from '../core/effect.ts';
import type { Event, Now } from '../core/event.ts';
import type { Change } from '../core/history.ts';
import type { EmperorState } from '../core/state.ts';
import { steps } from '../core/step.ts';
import type { Clock } from '../world/clock.ts';

/** The emperor as others see it. */
export interface Emperor {
  /** The state as of now; never changed in place. */
  snapshot(): EmperorState;
  /** The time by which the rules go, and all times in the state: monotonic, but it stands still while the emperor does. */
  now(): Now;
  /** Puts an event into the mailbox. It is handled after the caller has returned. */
  post(event: Event): void;
  /** Tells of every change after it was stored. Ends when the returned function is called. */
  subscribe(observer: (change: Change, state: EmperorState) => void): () => void;
}

/** What the loop drives. */
export interface Parts {
  readonly clock: Clock;
  /** Writes a change down before it is acted upon. Must not throw: what cannot be stored is kept for later. */
  readonly remember: (change: Change) => void;
  /** Hands an effect to its adapter. The answer comes later, as an event. */
  readonly perform: (effect: Effect) => void;
}

/** Deadlines that are closer together than this are met together. */
const SHORTEST_WAIT_MS = 5;
/** An alarm that rings so late was not rung by a busy host: the emperor did not run, as after SIGSTOP, or with a virtual machine that was paused. */
const ABSENT_MS = 1_000;
/** Then nothing becomes due for so long: what came meanwhile is taken in first. */
const TAKING_IN_MS = 1_000;

/**
 * The loop: one mailbox, one event at a time to its end, one alarm. Nothing else changes the state.
 *
 * What came together is taken together, in order: step, store in one transaction, swap the state, perform the effects,
 * tell the observers, arm the alarm for the earliest deadline. Disposed, it handles what has come by then, and nothing after.
 *
 * An emperor that was not there cannot say that an instance was silent or late: deadlines that passed meanwhile are moved by that time.
 */
export function createEmperor(initial: EmperorState, { clock, remember, perform }: Parts): Emperor & Disposable {
  let state = initial;
  let mailbox: Event[] = [];
  let scheduled = false;
  let over = false;
  let missedMs = 0;
  let lastMs = -Infinity;
  let alarm: { readonly atMs: number; readonly cancel: () => void } | null = null;
  const observers = new Set<(change: Change, state: EmperorState) => void>();

  function now(): Now {
    const { ms, at } = clock.now();
    if (alarm !== null && ms - missedMs - alarm.atMs > ABSENT_MS) {
      lastMs = Math.max(lastMs, alarm.atMs - 1);
      missedMs = ms + TAKING_IN_MS - lastMs;
      const { atMs } = alarm;
      alarm.cancel();
      alarm = null;
      arm(atMs);
    }
    lastMs = Math.max(lastMs, ms - missedMs);
    return { ms: lastMs, at };
  }

  function post(event: Event): void {
    if (over) return;
    mailbox.push(event);
    if (scheduled) return;
    scheduled = true;
    clock.soon(drain);
  }

  function drain(): void {
    scheduled = false;
    if (mailbox.length === 0) return;
    const events = mailbox;
    mailbox = [];
    const step = steps(state, events, now());
    const { change } = step;
    const news = change.history.length > 0 || change.vassals.size > 0;
    if (news) remember(change);
    state = step.state;
    for (const effect of step.effects) perform(effect);
    if (news) for (const observer of observers) observer(change, state);
    const earliest = events.some((event) => event.type === 'alarm') ? nextDeadline(state) : earliestOf(change);
    arm(Math.min(earliest, turnDeadline(state, lastMs)));
  }

  /**
   * Sees to it that the alarm rings by then. An alarm that was set for a deadline that is no more rings for nothing, which
   * costs less than to look through all vassals after each event.
   */
  function arm(atMs: number): void {
    if (atMs === Infinity || (alarm !== null && alarm.atMs <= atMs)) return;
    alarm?.cancel();
    const ring = (): void => {
      now();
      // It may have been set anew.
      if (alarm !== armed) return;
      alarm = null;
      post({ type: 'alarm' });
    };
    const armed = { atMs, cancel: clock.after(Math.max(atMs + missedMs - clock.now().ms, SHORTEST_WAIT_MS), ring) };
    alarm = armed;
  }

  return {
    snapshot: () => state,
    now,
    post,
    subscribe(observer) {
      observers.add(observer);
      return () => observers.delete(observer);
    },
    [Symbol.dispose]() {
      drain();
      over = true;
      mailbox = [];
      alarm?.cancel();
    },
  };
}

function earliestOf(change: Change): number {
  let earliest = Infinity;
  for (const vassal of change.vassals.values()) if (vassal !== null) earliest = Math.min(earliest, deadlineOf(vassal));
  return earliest;
}
