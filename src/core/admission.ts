import { failed } from './failure.ts';
import { exchange, generationsOf, withPlace } from './generation.ts';
import { chosen, launch, raise } from './lifecycle.ts';
import type { VassalId } from './listing.ts';
import type { EmperorState, Generation, InstanceId, Vassal } from './state.ts';
import { note, type Turn } from './turn.ts';

/** A start that is judged for longer than this does not keep others from starting. */
export const TURN_MS = 10_000;

/** Whether it waits for its turn to start something, or for another vassal. */
export function isQueued(vassal: Vassal): boolean {
  return vassal.state.phase === 'waiting' || generationsOf(vassal).some(({ places }) => places.some((place) => place.phase === 'queued'));
}

/**
 * The instances of a vassal whose start is being judged, and until when each counts against `maxStarting`. One that has to prove
 * nothing but that it stays alive does not count: it says nothing of how busy the host is.
 */
export function turnsTaken(vassal: Vassal): readonly (readonly [InstanceId, number])[] {
  return generationsOf(vassal).flatMap(({ places }) => places).flatMap((place) => {
    if (place.phase !== 'starting' || place.instance.runs.spec.ready.kind === 'after') return [];
    return [[place.instance.id, place.instance.bornMs + TURN_MS] as const];
  });
}

/** Who may start now: those whose dependencies are ready, first come first, as long as not too many starts are being judged. */
export function admit(state: EmperorState, turn: Turn): ReadonlyMap<VassalId, Vassal> {
  const changed = new Map<VassalId, Vassal>();
  if (state.life !== 'running') return changed;
  let free = state.maxStarting;
  for (const untilMs of state.starting.values()) if (untilMs > turn.now.ms) free -= 1;
  for (const id of state.queue) {
    const before = state.vassals.get(id);
    if (before === undefined) continue;
    const risen = before.state.phase === 'waiting' ? release(before, state, turn) : before;
    const [after, taken] = fill(risen, free, turn);
    free -= taken;
    if (after !== before) changed.set(id, after);
  }
  return changed;
}

/** Launches what is queued, as far as there is room. */
function fill(before: Vassal, free: number, turn: Turn): readonly [Vassal, number] {
  let vassal = before;
  let taken = 0;
  for (const generation of generationsOf(before)) {
    let filled: Generation = generation;
    for (const place of generation.places) {
      if (place.phase !== 'queued') continue;
      const counts = generation.runs.spec.ready.kind !== 'after';
      if (counts && taken >= free) break;
      if (counts) taken += 1;
      filled = withPlace(filled, place, launch(vassal, generation, turn, place.why));
    }
    if (filled !== generation) vassal = exchange(vassal, generation, filled);
  }
  return [vassal, taken];
}

/** A vassal that waits for others: it is raised when all of them are ready, and at fault when they wait for it, too. */
function release(vassal: Vassal, state: EmperorState, turn: Turn): Vassal {
  const runs = chosen(vassal);
  if (runs === null || vassal.state.phase !== 'waiting') return vassal;
  if (runs.spec.after.every((name) => serves(find(state, name)))) return raise(vassal, runs, 'what it waited for is ready');
  const cycle = cycleOf(vassal, state);
  if (JSON.stringify(cycle) === JSON.stringify(vassal.state.cycle)) return vassal;
  if (cycle === null) return { ...vassal, failure: vassal.failure?.code === 'E_CYCLE' ? null : vassal.failure, state: { phase: 'waiting', cycle } };
  const message = `it waits for itself: ${cycle.join(' → ')}; take one of them out of "after"`;
  note(turn, vassal, 'fault', message);
  return { ...vassal, failure: failed(runs.number, 'E_CYCLE', message, turn.now.at), state: { phase: 'waiting', cycle } };
}

function serves(vassal: Vassal | undefined): boolean {
  const phase = vassal?.state.phase;
  return phase === 'ready' || phase === 'reloading' || phase === 'refreshing' || phase === 'idle';
}

function find(state: EmperorState, name: string): Vassal | undefined {
  for (const id of state.names.get(name) ?? []) {
    const vassal = state.vassals.get(id);
    if (vassal?.newest?.outcome.ok === true || vassal?.good != null) return vassal;
  }
  return undefined;
}

/** The way from a vassal back to itself over vassals that wait, by name; null: there is none. */
function cycleOf(vassal: Vassal, state: EmperorState): readonly string[] | null {
  const seen = new Set<string>();
  const walk = (name: string, path: readonly string[]): readonly string[] | null => {
    if (name === vassal.name && path.length > 0) return [...path, name];
    if (seen.has(name)) return null;
    seen.add(name);
    const each = name === vassal.name ? vassal : find(state, name);
    if (each === undefined || each.state.phase !== 'waiting') return null;
    for (const other of chosen(each)?.spec.after ?? []) {
      const found = walk(other, [...path, name]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(vassal.name, []);
}
