import type { Clock } from '../world/clock.ts';
import type { Speech } from './notify.ts';

/** A variable of the environment that is a whole number, in µs. */
const MICROSECONDS = /^[1-9]\d{0,15}$/;

/**
 * How often the service manager wants to hear of us, in ms: half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises. null: it does not, or it is
 * another process that it wants to hear of.
 */
export function watchdogPeriodMs(environment: Readonly<Record<string, string | undefined>>, pid: number): number | null {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: whose } = environment;
  if (microseconds === undefined || !MICROSECONDS.test(microseconds)) return null;
  if (whose !== undefined && whose !== String(pid)) return null;
  return Number(microseconds) / 2_000;
}

/** Says that the main loop goes round, again and again: it is said from within the loop, so one that hangs says nothing. Disposing says it once more. */
export function keepAlive({ say }: Pick<Speech, 'say'>, clock: Pick<Clock, 'after'>, periodMs: number | null): Disposable {
  if (periodMs === null) return { [Symbol.dispose]: () => {} };
  const ping = (): void => say(['WATCHDOG=1']);
  let cancel = (): void => {};
  const round = (): void => {
    ping();
    cancel = clock.after(periodMs, round);
  };
  round();
  return {
    [Symbol.dispose]() {
      cancel();
      ping();
    },
  };
}
