import { closeSync, readFileSync } from 'node:fs';
import type { Handed } from '../sockets/sockets.ts';

/** What an emperor that executes its successor in the same process leaves open for it. All else the successor finds as after a crash. */
export interface Handover {
  /** All addresses that are held. The sockets of instances could be had from those as well, but one may end meanwhile; and only here it is told which is whose. */
  readonly addresses: readonly Handed[];
  /** The notify socket, with what instances have said meanwhile. */
  readonly notify: number | null;
  /** The reading ends of FIFOs, by the serials of the instances that print into them: what is in the FIFO of one that ends meanwhile would go with it. */
  readonly fifos: readonly (readonly [serial: number, fd: number])[];
  /** Sockets of socket units of systemd, which are passed to the first program of a process only. */
  readonly lasting: readonly number[];
  /** The control socket, where that is one of them. */
  readonly control: number | null;
}

/** The environment variable that names the descriptor of a file in which it is told. */
export const HANDOVER_VARIABLE = 'EMPEROR_HANDOVER';

/** As after a crash. */
export const NO_HANDOVER: Handover = { addresses: [], notify: null, fifos: [], lasting: [], control: null };

/** What has to stay open for it. */
export function descriptorsOf({ addresses, notify, fifos, lasting, control }: Handover): readonly number[] {
  return [...addresses.flatMap(({ slots }) => slots.flatMap(({ fd }) => fd ?? [])), ...fifos.map(([, fd]) => fd), ...lasting, ...[notify, control].filter((fd) => fd !== null)];
}

/** For a file whose descriptor is the value of {@link HANDOVER_VARIABLE}: a variable takes 128 KiB at most, execve(2). */
export function printHandover(handover: Handover): string {
  return JSON.stringify(handover);
}

/** Only a predecessor of ours writes it: one of another version may write other things, which are then left alone. */
export function readHandover(descriptor: string | undefined): Handover {
  if (descriptor === undefined || !/^\d+$/.test(descriptor)) return NO_HANDOVER;
  try {
    const text = readFileSync(`/proc/self/fd/${descriptor}`, 'utf8');
    closeSync(Number(descriptor));
    const { addresses, notify, fifos, lasting, control } = JSON.parse(text) as Partial<Handover>;
    return {
      addresses: Array.isArray(addresses) ? addresses : [],
      notify: typeof notify === 'number' ? notify : null,
      fifos: Array.isArray(fifos) ? fifos : [],
      lasting: Array.isArray(lasting) ? lasting : [],
      control: typeof control === 'number' ? control : null,
    };
  } catch {
    return NO_HANDOVER;
  }
}
