import { openSuperior } from '../channel/superior.ts';
import { reasonOf } from '../errors.ts';
import { openLibc } from '../kernel/libc.ts';
import type { Clock } from '../world/clock.ts';
import type { RunningEmperor } from './boot.ts';
import { HANDOVER_VARIABLE } from './handover.ts';
import type { Settings } from './settings.ts';

/** An emperor that may be a vassal itself. */
export interface Subject {
  readonly emperor: Pick<RunningEmperor, 'post' | 'life' | 'upgrade'>;
  readonly settings: Pick<Settings, 'environment' | 'heartbeatMs'>;
  /** Rereads the configuration, and looks at all sources again. */
  readonly reread: () => Promise<void>;
  readonly clock: Pick<Clock, 'after'>;
  readonly onTrouble: (message: string) => void;
}

/** One that was told to stop at once, and has not ended by then, kills what is left: the mercy that uWSGI's own sub-Emperor has from its master, core/master_utils.c. */
const HURRY_MS = 5_000;

/** For the history. */
const ABOVE = 'the Emperor above';

/**
 * Lets an emperor that governs all of its vassals be a good vassal of the Emperor that has started it, if one has: it says that it accepts and is loyal, and obeys.
 *
 *   stop (2)     as TERM: all vassals end, then it does
 *   at once (0)  the same, and what has not ended after 5 s is killed
 *   reload (1)   the program on the disk takes over in this process, with its configuration read anew, and says that it accepts; no vassal feels it
 *   lost         it goes, and its vassals stay, for who is started in its place
 *
 * Source: uWSGI core/master_checks.c (uwsgi_master_manage_emperor), core/emperor.c (emperor_loop: a sub-Emperor is loyal).
 */
export function serveSuperior({ emperor, settings: { environment, heartbeatMs }, reread, clock, onTrouble }: Subject): Disposable {
  let reloading = false;
  let cancelHurry = (): void => {};
  const superior = openSuperior({
    libc: openLibc(), clock, environment,
    onOrder: (order) => {
      if (order === 'reload') {
        reload().catch((error: unknown) => onTrouble(`cannot reload: ${reasonOf(error)}`));
        return;
      }
      // Who has sent a signal to all, and then tells each, means one end.
      if (emperor.life() === 'running') stop();
      if (order === 'hurry') cancelHurry = clock.after(HURRY_MS, stop);
    },
    onLost: () => {
      if (emperor.life() !== 'running') return;
      onTrouble(`${ABOVE} is gone: this one goes, too, and its vassals stay for the next`);
      emperor.post({ type: 'shutdown', keep: true, actor: `${ABOVE}, which is gone` });
    },
  });
  if (superior === null) return { [Symbol.dispose]: () => {} };

  function stop(): void {
    emperor.post({ type: 'shutdown', keep: false, actor: ABOVE });
  }

  /** Whatever becomes of it, it accepts then: one that only could not be replaced goes on as it is. */
  async function reload(): Promise<void> {
    if (reloading || emperor.life() !== 'running') return;
    reloading = true;
    try {
      await emperor.upgrade(ABOVE);
    } catch (error) {
      reloading = false;
      if (emperor.life() !== 'running') return;
      onTrouble(`cannot reload as a whole, and so rereads its configuration only: ${reasonOf(error)}`);
      await reread().finally(() => superior?.say('accepting'));
    }
  }

  if (environment[HANDOVER_VARIABLE] === undefined) superior.say('started');
  superior.say('accepting');
  superior.say('loyal');
  if (heartbeatMs !== null) superior.beat(heartbeatMs);
  return {
    [Symbol.dispose]() {
      cancelHurry();
      superior[Symbol.dispose]();
    },
  };
}
