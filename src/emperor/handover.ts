import type { Handed } from '../sockets/sockets.ts';

/** What an emperor that executes its successor in the same process leaves open for it. All else the successor finds as after a crash. */
export interface Handover {
  /** Sockets behind which nobody lives: those of others can be had from their instances. */
  readonly sockets: readonly Handed[];
  /** The notify socket, with what instances have said meanwhile. */
  readonly notify: number | null;
}

/** The environment variable in which it is told. */
export const HANDOVER_VARIABLE = 'EMPEROR_HANDOVER';

/** As after a crash. */
const NO_HANDOVER: Handover = { sockets: [], notify: null };

/** What has to stay open for it. */
export function descriptorsOf({ sockets, notify }: Handover): readonly number[] {
  return [...sockets.map(({ fd }) => fd), ...(notify === null ? [] : [notify])];
}

/** For {@link HANDOVER_VARIABLE}. */
export function printHandover(handover: Handover): string {
  return JSON.stringify(handover);
}

/** Only a predecessor of ours writes it: one of another version may write other things, which are then left alone. */
export function parseHandover(text: string | undefined): Handover {
  if (text === undefined || text === '') return NO_HANDOVER;
  try {
    const { sockets, notify } = JSON.parse(text) as Partial<Handover>;
    return { sockets: Array.isArray(sockets) ? sockets : [], notify: typeof notify === 'number' ? notify : null };
  } catch {
    return NO_HANDOVER;
  }
}
