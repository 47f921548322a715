/** What is wrong with a bad edition: its syntax; its program ends at once; it never gets ready. */
export type Flaw = 'syntax' | 'dies' | 'never-ready';

/** How an order is given. */
export type Voice = 'cli' | 'socket';

/** One thing that is done to the emperor, to a vassal, or to the host. `pick`, 0 to 1, chooses among the instances that there are then. */
export type Operation =
  | { readonly kind: 'kill-emperor'; readonly downMs: number }
  | { readonly kind: 'freeze-emperor'; readonly forMs: number }
  | { readonly kind: 'upgrade-emperor' }
  | { readonly kind: 'fill-disk'; readonly forMs: number }
  | { readonly kind: 'kill-instance'; readonly vassal: string; readonly pick: number }
  | { readonly kind: 'freeze-instance'; readonly vassal: string; readonly pick: number; readonly forMs: number }
  | { readonly kind: 'touch'; readonly vassal: string }
  | { readonly kind: 'edit'; readonly vassal: string }
  | { readonly kind: 'spoil'; readonly vassal: string; readonly flaw: Flaw }
  | { readonly kind: 'remove'; readonly vassal: string; readonly forMs: number }
  | { readonly kind: 'flip'; readonly vassal: string }
  | { readonly kind: 'stop' | 'pause'; readonly vassal: string; readonly voice: Voice; readonly forMs: number }
  | { readonly kind: 'restart' | 'reload' | 'rollback'; readonly vassal: string; readonly voice: Voice }
  | { readonly kind: 'scale'; readonly vassal: string; readonly voice: Voice; readonly instances: number };

export type OperationKind = Operation['kind'];

/** An operation, and when it begins: ms after the beginning of its act. */
export interface Planned {
  readonly atMs: number;
  readonly operation: Operation;
}

/** A vassal as the plan knows it. */
export interface Role {
  readonly name: string;
  /** Its file is a symlink that can be moved to another target. */
  readonly linked: boolean;
  /** Instances that an operator may ask for; 1: it is not scaled. */
  readonly mostInstances: number;
}

/** An act lasts so long; then all becomes quiet, and is looked at. */
export const ACT_MS = 30_000;
/** Mean time between two operations. */
const MEAN_PAUSE_MS = 350;
/** In each of so many acts but the last the emperor is killed: what grows is seen in one that it outlives. */
const ACTS_OF_A_CYCLE = 3;

/** How often each kind occurs, as parts of their sum. The re-execution in place is not there yet: 0 keeps it out. */
const WEIGHTS: Readonly<Record<OperationKind, number>> = {
  'kill-emperor': 3, 'freeze-emperor': 2, 'upgrade-emperor': 2, 'fill-disk': 1.5,
  'kill-instance': 11, 'freeze-instance': 5,
  touch: 14, edit: 13, spoil: 9, remove: 6, flip: 4,
  stop: 4, pause: 4, restart: 5, reload: 8, rollback: 4, scale: 5,
};

/** The operations of one act, in order. Pure: the same seed, act and roles give the same. @param act counts from 0 */
export function planAct(seed: number, act: number, roles: readonly Role[]): readonly Planned[] {
  const random = generator(seed * 1_000 + act);
  const mortal = act % ACTS_OF_A_CYCLE < ACTS_OF_A_CYCLE - 1;
  const planned: Planned[] = [];
  for (let atMs = 0; ; ) {
    atMs += Math.round(-Math.log(1 - random()) * MEAN_PAUSE_MS);
    if (atMs >= ACT_MS) return planned;
    planned.push({ atMs, operation: operation(kindOf(random, mortal), roles, random) });
  }
}

function kindOf(random: () => number, mortal: boolean): OperationKind {
  const kinds = Object.entries(WEIGHTS).filter(([kind]) => mortal || kind !== 'kill-emperor') as [OperationKind, number][];
  let left = random() * kinds.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'touch';
}

function operation(kind: OperationKind, roles: readonly Role[], random: () => number): Operation {
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const among = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const { name: vassal } = among(kind === 'flip' ? roles.filter((role) => role.linked) : kind === 'scale' ? roles.filter((role) => role.mostInstances > 1) : roles);
  const voice: Voice = random() < 0.2 ? 'cli' : 'socket';
  switch (kind) {
    case 'kill-emperor':
      return { kind, downMs: between(0, 5_000) };
    case 'freeze-emperor':
      return { kind, forMs: between(200, 4_000) };
    case 'upgrade-emperor':
      return { kind };
    case 'fill-disk':
      return { kind, forMs: between(500, 4_000) };
    case 'kill-instance':
      return { kind, vassal, pick: random() };
    case 'freeze-instance':
      return { kind, vassal, pick: random(), forMs: between(100, 3_000) };
    case 'touch':
    case 'edit':
    case 'flip':
      return { kind, vassal };
    case 'spoil':
      return { kind, vassal, flaw: among<Flaw>(['syntax', 'dies', 'never-ready']) };
    case 'remove':
      return { kind, vassal, forMs: between(10, 4_000) };
    case 'stop':
    case 'pause':
      return { kind, vassal, voice, forMs: between(10, 4_000) };
    case 'restart':
    case 'reload':
    case 'rollback':
      return { kind, vassal, voice };
    case 'scale':
      return { kind, vassal, voice, instances: between(1, roles.find((role) => role.name === vassal)!.mostInstances) };
    default:
      return kind satisfies never;
  }
}

/** An operation in a line. */
export function printOperation({ kind, ...more }: Operation): string {
  return [kind, ...Object.entries(more).map(([key, value]) => (key === 'vassal' ? String(value) : `${key}=${typeof value === 'number' ? Number(value.toFixed(3)) : value}`))].join(' ');
}

/** Numbers from 0 to 1, always the same for a seed: mulberry32, by Tommy Ettinger, in the public domain. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
