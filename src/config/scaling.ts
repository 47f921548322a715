import type { Scaling } from '../core/spec.ts';
import { lineOf, tellConflict, type Asked } from './asked.ts';
import { refuse, type Form } from './form.ts';
import { key, tableOf, type Given, type Keys } from './keys.ts';
import type { Listening } from './listening.ts';
import { integer } from './single-forms.ts';
import { duration } from './units.ts';

/** The keys of `instances` where it is a table. */
export interface InstancesKeys {
  readonly min: number;
  readonly max: number;
}

/** The keys of `scale-up`. */
export interface ScaleUpKeys {
  readonly backlog: number;
  readonly for: number;
  readonly 'cool-down': number;
}

/** The keys of `scale-down`. */
export interface ScaleDownKeys {
  readonly idle: number;
}

const MOST = 1_000;
const DEFAULT_BACKLOG = 10;
const DEFAULT_FOR_MS = 1_000;
const DEFAULT_COOL_DOWN_MS = 10_000;
const DEFAULT_IDLE_MS = 60_000;

export const INSTANCES_KEYS: Keys<InstancesKeys> = {
  min: key(integer(1, MOST), '1', '1', 'instances that there are at least'),
  max: key(integer(1, MOST), 'as `min`', '4', 'instances that the need can lead to'),
};

export const SCALE_UP: Keys<ScaleUpKeys> = {
  backlog: key(integer(1, 65_535), String(DEFAULT_BACKLOG), '10', 'one more when so many connections wait to be accepted'),
  for: key(duration(100), '1s', '"1s"', 'at each look for so long'),
  'cool-down': key(duration(), '10s', '"10s"', 'after one was added, no other is for so long'),
};

export const SCALE_DOWN: Keys<ScaleDownKeys> = {
  idle: key(duration(1), '60s', '"60s"', 'back to `instances.min` when nobody has connected for so long'),
};

const COUNT: Form<number> = integer(1, MOST);
const TABLE: Form<Given<InstancesKeys>> = tableOf(INSTANCES_KEYS);

/** A number, or the least and the most. */
export const INSTANCES: Form<InstancesKeys> = {
  label: COUNT.label,
  hint: COUNT.hint,
  read(node, place) {
    if (node.kind !== 'table') {
      const count = COUNT.read(node, place);
      return count === undefined ? undefined : { min: count, max: count };
    }
    const given = TABLE.read(node, place);
    if (given === undefined || [...node.entries.keys()].some((name) => name !== 'min' && name !== 'max')) return undefined;
    // One that could not be read was told of.
    if ((node.entries.has('min') && given.min === undefined) || (node.entries.has('max') && given.max === undefined)) return undefined;
    const { min = 1 } = given;
    const { max = min } = given;
    if (max < min) return refuse(place, `"${place.key}.max" is less than "${place.key}.min"`, `write max = ${min} or more`);
    return { min, max };
  },
};

/** How many instances there are to be, and by what that changes. */
export function scalingOf(asked: Asked, { sockets }: Listening): { readonly instances: number; readonly scaling: Scaling | null } {
  const { given, section } = asked;
  const { min, max } = given.instances ?? { min: 1, max: 1 };
  const unread = section.entries.has('instances') && given.instances === undefined;
  if (min === max && !unread) {
    for (const name of ['scale-up', 'scale-down'] as const) {
      if (section.entries.has(name)) tellConflict(asked, name, `"${name}" needs instances = { min = …, max = … }`, 'say how many there may be');
    }
    return { instances: min, scaling: null };
  }
  const held = sockets === 'held' || sockets === 'unknown';
  if (!held && lineOf(asked, 'scale-down') !== null) tellConflict(asked, 'scale-down', '"scale-down" needs sockets that the emperor holds', 'say in "listen" where connections come');
  if (!held && given['scale-up']?.backlog !== undefined) tellConflict(asked, 'scale-up.backlog', '"scale-up.backlog" needs sockets that the emperor holds', 'say in "listen" where connections come');
  const { backlog = DEFAULT_BACKLOG, for: forMs = DEFAULT_FOR_MS, 'cool-down': coolDownMs = DEFAULT_COOL_DOWN_MS } = given['scale-up'] ?? {};
  return {
    instances: min,
    scaling: {
      max,
      backlog: held ? { connections: backlog, forMs } : null,
      coolDownMs,
      idleMs: held ? (given['scale-down']?.idle ?? DEFAULT_IDLE_MS) : null,
    },
  };
}
