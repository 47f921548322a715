import type { Generation, Instance, InstanceId, Place, Runnable, Vassal } from './state.ts';

/** A place that has an instance. */
export type Taken = Extract<Place, { readonly instance: Instance }>;

/** The instances of a generation, in the order of their places. */
export function instancesIn({ places }: Generation): readonly Instance[] {
  return places.flatMap((place) => (isTaken(place) ? [place.instance] : []));
}

/** Whether an instance has this place. */
export function isTaken(place: Place): place is Taken {
  return 'instance' in place;
}

/** The place of an instance, or null. */
export function placeOf({ places }: Generation, id: InstanceId): Taken | null {
  return places.filter(isTaken).find((place) => place.instance.id === id) ?? null;
}

/** How many of its instances are ready. */
export function readyCount({ places }: Generation): number {
  return places.filter((place) => place.phase === 'ready').length;
}

/** The generation with another set of places. Once all of them are ready it is proven. */
export function withPlaces(generation: Generation, places: readonly Place[]): Generation {
  const proven = generation.proven || (places.length > 0 && places.every((place) => place.phase === 'ready'));
  return { ...generation, places, proven };
}

/** The generation with something else in a place; null takes the place away. */
export function withPlace(generation: Generation, old: Place, place: Place | null): Generation {
  return withPlaces(generation, generation.places.flatMap((each) => (each !== old ? [each] : place === null ? [] : [place])));
}

/** The vassal with something else in the place of one of its generations. What it is doing stays. */
export function exchange(vassal: Vassal, old: Generation, other: Generation): Vassal {
  const { state } = vassal;
  if (state.phase === 'reloading') return { ...vassal, state: old.number === state.next.number ? { ...state, next: other } : { ...state, current: other } };
  return 'current' in state ? { ...vassal, state: { ...state, current: other } } : vassal;
}

/** The generations of a vassal that start or serve, the current one first. */
export function generationsOf({ state }: Vassal): readonly Generation[] {
  if (state.phase === 'reloading') return [state.current, state.next];
  return 'current' in state ? [state.current] : [];
}

/** Whether the emperor holds sockets for it. */
export function holdsSockets({ spec }: Runnable): boolean {
  return spec.listen.length > 0 && spec.passing !== 'port';
}
