import type { Report } from '../event.ts';
import { failed } from '../failure.ts';
import { withPlaces, type Taken } from '../generation.ts';
import { stateWith } from '../lifecycle.ts';
import { blame, verdict } from '../overlap.ts';
import type { Place, Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { apply } from './declared.ts';
import { loyalMs, put, type Standing } from './instance.ts';

/** What it is to reload was tried, and is good: from now on it has its time. */
export function rehearsed(before: Vassal, standing: Standing, turn: Turn): Vassal {
  const { place } = standing;
  if (place.phase !== 'refreshing') return before;
  return put(before, standing, { ...place, failAtMs: turn.now.ms + place.instance.runs.spec.startTimeoutMs });
}

/** What it was to reload is no good, and it was not told: it goes on as it is, and so do all of its generation that have not been told either. */
export function refused(before: Vassal, { code, message, output }: Report & { readonly kind: 'refused' }, { place }: Standing, turn: Turn): Vassal | null {
  const { state } = before;
  if (state.phase !== 'refreshing' || place.phase !== 'refreshing') return before;
  const { current } = state;
  const tried = current.runs.number;
  const runs = before.good ?? current.runs;
  const places = current.places.map((each) => (each.phase === 'refreshing' ? asBefore(each, turn) : each));
  const failure = { ...failed(tried, code, message, turn.now.at, place.instance.id), output };
  const after: Vassal = { ...before, ...verdict(before, tried), failure: blame(before, failure), state: stateWith(withPlaces({ ...current, runs, places }, places)) };
  note(turn, before, 'rejected', `${message}; the current instance goes on`, { after, revision: tried });
  return state.again ? apply({ ...after, rejected: false }, turn, 'it was touched during its reload') : after;

  function asBefore({ instance }: Taken, { now }: Turn): Place {
    const watchdog = runs.spec.health?.watchdogMs ?? null;
    return { phase: 'ready', instance: { ...instance, runs }, sinceMs: now.ms, watchdogMs: watchdog === null ? null : now.ms + watchdog, loyalMs: loyalMs(instance, now.ms) };
  }
}
