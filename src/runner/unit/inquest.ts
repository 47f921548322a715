import type { Clock } from '../../world/clock.ts';
import type { SystemdPrograms, UnitState } from './systemd-programs.ts';

/** What it takes to ask how units have ended. */
export interface InquestOptions {
  readonly systemd: Pick<SystemdPrograms, 'show' | 'kill'>;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Told, for people, when systemd does not say. */
  readonly onTrouble: (message: string) => void;
}

/** What systemd knows. */
export interface Inquest {
  /** Asks until systemd answers, as it does not while it executes itself anew. @returns null: it never did */
  look(unit: string): Promise<readonly UnitState[] | null>;
  /**
   * Asks until systemd knows how the first process of a unit has ended, and nothing is left in it: what is, is killed.
   * @param pid that process; null: it is not the one that systemd has started, so nobody knows how it ended
   * @returns null: nobody knows
   */
  howEnded(unit: string, pid: number | null): Promise<UnitState | null>;
}

/** systemd may hear of an end a moment after us, and is asked again. */
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 1_000;
const GIVE_UP_MS = 30_000;

/** Makes what asks. */
export function openInquest({ systemd, clock, onTrouble }: InquestOptions): Inquest {
  /** Asks, after ever longer pauses, until what it knows is enough. @returns null: it was not, for too long */
  async function ask<T>(unit: string, enough: (found: readonly UnitState[]) => Promise<T | undefined>): Promise<T | null> {
    const untilMs = clock.now().ms + GIVE_UP_MS;
    for (let retryMs = FIRST_RETRY_MS; clock.now().ms < untilMs; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      const found = await systemd.show(unit);
      const answer = found === null ? undefined : await enough(found);
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => void clock.after(retryMs, resolve));
    }
    onTrouble(`systemd does not tell what it knows of ${unit}`);
    return null;
  }

  return {
    look: (unit) => ask(unit, (found) => Promise.resolve(found)),
    howEnded: (unit, pid) =>
      ask(unit, async (found) => {
        const how = found.find((each) => each.pid === pid || pid === null);
        // One that is not loaded (any more) tells nothing later, either.
        if (how === undefined) return null;
        if (how.ended === null && pid !== null) return undefined;
        // While it is in `stop-post` the witness of its memory is at work.
        if (how.sub !== 'stop-post' && how.cgroup !== '') await systemd.kill(unit);
        if (pid === null) return null;
        return how.sub === 'exited' || how.sub === 'failed' ? how : undefined;
      }),
  };
}
