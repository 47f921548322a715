import type { Clock } from '../../world/clock.ts';
import type { SystemdPrograms, UnitState } from './systemd-programs.ts';
import { isOurs } from './unit-name.ts';

/** What it takes to find what is left of units. */
export interface LeftoversOptions {
  readonly systemd: Pick<SystemdPrograms, 'show' | 'showNow' | 'discard' | 'kill'>;
  readonly clock: Pick<Clock, 'after'>;
  /** The state folder of the emperor: whose units they are. */
  readonly state: string;
  /** Units of instances that are known now. */
  readonly claimed: () => ReadonlySet<string>;
}

/** Units that systemd keeps for us after their end, until somebody has asked how that was. Disposing waits for what is under way. */
export interface Leftovers extends AsyncDisposable {
  /** What there is of that unit since before this emperor. systemd is asked once, and everything waits for it. undefined: nothing, or it does not tell. */
  find(unit: string): UnitState | undefined;
  /** Ends what is left of it, and has systemd forget how it ended; if systemd does not answer, again later. */
  discard(unit: string): Promise<void>;
  /** SIGKILL to all that is in it. */
  kill(unit: string): void;
}

/** All names of units of instances, of whichever emperor. */
const PATTERN = 'emperor-*.service';
/** systemd is asked again after this. */
const AGAIN_MS = 5_000;

/** Opens it. */
export function openLeftovers({ systemd, clock, state, claimed }: LeftoversOptions): Leftovers {
  const errands = new Set<Promise<void>>();
  let known: ReadonlyMap<string, UnitState> | null = null;
  let cancel: (() => void) | null = null;
  let disposed = false;

  /** A program that is not waited for would stay a zombie of the next emperor in this process. */
  function track(errand: Promise<void>): Promise<void> {
    const tracked = errand.finally(() => errands.delete(tracked));
    errands.add(tracked);
    return tracked;
  }

  function later(): void {
    if (!disposed) cancel ??= clock.after(AGAIN_MS, () => {
      cancel = null;
      void track(sweep());
    });
  }

  async function sweep(): Promise<void> {
    const found = await systemd.show(PATTERN);
    if (found === null) later();
    else await discardAll(found);
  }

  /** Those that have ended and belong to nobody. Not one that somebody else has called so: ours are transient. */
  async function discardAll(found: readonly UnitState[]): Promise<void> {
    const living = claimed();
    const ended = found.filter(({ unit, sub, transient }) => transient && isOurs(unit, state) && !living.has(unit) && (sub === 'exited' || sub === 'failed'));
    for (const { unit } of ended) if (!disposed) await discard(unit);
  }

  async function discard(unit: string): Promise<void> {
    if (!(await systemd.discard(unit))) later();
  }

  return {
    find(unit) {
      if (known === null) {
        const found = systemd.showNow(PATTERN);
        known = new Map((found ?? []).map((each) => [each.unit, each]));
        setImmediate(() => {
          if (found === null) later();
          else void track(discardAll(found));
        });
      }
      return known.get(unit);
    },
    discard: (unit) => track(discard(unit)),
    kill: (unit) => void track(systemd.kill(unit)),
    async [Symbol.asyncDispose]() {
      disposed = true;
      cancel?.();
      await Promise.all(errands);
    },
  };
}
