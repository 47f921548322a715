import { unreachable } from '../../errors.ts';
import { respite } from '../backoff.ts';
import type { Report, ReportEvent } from '../event.ts';
import type { Taken } from '../generation.ts';
import { bringDown } from '../lifecycle.ts';
import type { Vassal } from '../state.ts';
import { note, type Turn } from '../turn.ts';
import { find, put, ready, type Standing } from './instance.ts';
import { pressed } from './need.ts';
import { refused, rehearsed } from './rehearsed.ts';

/** How long one that has sent a heartbeat may be silent, if its file does not say: emperor-required-heartbeat of uWSGI. */
const HEARTBEAT_MS = 30_000;

/** What an instance of this vassal says on its channel. Of one that is leaving nothing is of interest. */
export function reported(before: Vassal, { instance: id, report }: ReportEvent, turn: Turn): Vassal | null {
  const standing = find(before, id);
  if (standing === null) return before;
  const { instance } = standing.place;
  switch (report.kind) {
    case 'accepting':
      return accepting(before, standing, turn);
    case 'heartbeat':
      return heartbeat(before, standing, turn);
    case 'idle':
      return standing.place.phase === 'ready' ? idle(before, standing, turn) : before;
    case 'loyal':
      note(turn, before, 'answered', `instance ${id} has answered its first request`, { instance });
      return before;
    case 'sos':
      note(turn, before, 'sos', cry(report, instance.id), { instance });
      return pressed(before, `instance ${id} asks for help`, turn);
    case 'rehearsed':
      return rehearsed(before, standing, turn);
    case 'refused':
      return refused(before, report, standing, turn);
    case 'deaf':
      return standing.place.phase === 'refreshing' ? bringDown(before, turn, 'restart', `instance ${id} cannot be told, or would not read what it is to run`) : before;
    default:
      return unreachable(report);
  }
}

/** After its start that is its readiness, if nothing else is. After a reload no other proof counts before it: what still answered was the old one. */
function accepting(before: Vassal, standing: Standing, turn: Turn): Vassal | null {
  const { place } = standing;
  if (place.phase !== 'starting' && place.phase !== 'refreshing') return before;
  const { ready: proof } = place.instance.runs.spec;
  if (proof.kind === 'channel') return ready(before, place.instance.id, 'it takes requests', turn);
  if (place.phase === 'starting' || !place.awaited) return before;
  // It says READY=1 of sd_notify(3) once in its life only.
  if (proof.kind === 'notify') return ready(before, place.instance.id, 'it takes requests again', turn);
  return put(before, standing, { ...place, awaited: false, dueMs: proof.kind === 'after' ? turn.now.ms + proof.ms : null });
}

/** The first one arms the deadline. Start and reload know none: they have their own. */
function heartbeat(before: Vassal, standing: Standing, turn: Turn): Vassal {
  const { place } = standing;
  if (place.phase !== 'ready') return before;
  return put(before, standing, { ...place, watchdogMs: turn.now.ms + (place.instance.runs.spec.health?.watchdogMs ?? HEARTBEAT_MS) });
}

/** It waits for our word. The vassal sleeps, if it is on demand; else it starts again, or stays down once it has ended, as its restart policy says. */
function idle(before: Vassal, { generation, place }: Standing, turn: Turn): Vassal | null {
  const why = `instance ${place.instance.id} has had nothing to do, and asks to be stopped`;
  const { onDemand, restart } = generation.runs.spec;
  const alone = before.state.phase === 'ready' && generation.places.length === 1;
  if (alone && onDemand) return bringDown(before, turn, 'sleep', why);
  if (alone && restart === 'always') {
    // One that asks for it again and again waits longer and longer, as one that dies.
    const { waitMs, deaths } = respite(generation.runs.spec.backoff, before.deaths, turn.now.ms - (place.instance.readyMs ?? turn.now.ms), before.id);
    return bringDown({ ...before, deaths, restarts: before.restarts + 1 }, turn, 'backoff', why, turn.now.ms + waitMs);
  }
  note(turn, before, 'idle', why, { instance: place.instance });
  turn.effects.push({ type: 'ask', instance: place.instance.id, what: 'stop' });
  return before;
}

function cry({ times }: Report & { kind: 'sos' }, id: Taken['instance']['id']): string {
  return `instance ${id} asks for help: it has more to do than it can${times === 1 ? '' : ` (${times} times by now)`}`;
}
