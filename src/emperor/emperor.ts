import { deadlineOf, nextDeadline, turnDeadline } from '../core/deadline.ts';
import type { Effect } from '../core/effect.ts';
import type { Event } from '../core/event.ts';
import type { Change } from '../core/history.ts';
import type { EmperorState } from '../core/state.ts';
import { steps } from '../core/step.ts';
import type { Clock } from '../world/clock.ts';

/** The emperor as others see it. */
export interface Emperor {
  /** The state as of now; never changed in place. */
  snapshot(): EmperorState;
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

/**
 * The loop: one mailbox, one event at a time to its end, one alarm. Nothing else changes the state.
 *
 * What came together is taken together, in order: step, store in one transaction, swap the state, perform the effects,
 * tell the observers, arm the alarm for the earliest deadline. Disposed, it handles what has come by then, and nothing after.
 */
export function createEmperor(initial: EmperorState, { clock, remember, perform }: Parts): Emperor & Disposable {
  let state = initial;
  let mailbox: Event[] = [];
  let scheduled = false;
  let over = false;
  let alarm: { readonly atMs: number; readonly cancel: () => void } | null = null;
  const observers = new Set<(change: Change, state: EmperorState) => void>();

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
    const step = steps(state, events, clock.now());
    const { change } = step;
    const news = change.history.length > 0 || change.vassals.size > 0;
    if (news) remember(change);
    state = step.state;
    for (const effect of step.effects) perform(effect);
    if (news) for (const observer of observers) observer(change, state);
    const earliest = events.some((event) => event.type === 'alarm') ? nextDeadline(state) : earliestOf(change);
    arm(Math.min(earliest, turnDeadline(state, clock.now().ms)));
  }

  /**
   * Sees to it that the alarm rings by then. An alarm that was set for a deadline that is no more rings for nothing, which
   * costs less than to look through all vassals after each event.
   */
  function arm(atMs: number): void {
    if (atMs === Infinity || (alarm !== null && alarm.atMs <= atMs)) return;
    alarm?.cancel();
    const cancel = clock.after(Math.max(atMs - clock.now().ms, SHORTEST_WAIT_MS), () => {
      alarm = null;
      post({ type: 'alarm' });
    });
    alarm = { atMs, cancel };
  }

  return {
    snapshot: () => state,
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
