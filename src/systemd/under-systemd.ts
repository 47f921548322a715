import type { EmperorState } from '../core/state.ts';
import { errnoOf, EmperorError, reasonOf } from '../errors.ts';
import { openRaise } from '../kernel/high-descriptor.ts';
import type { Libc } from '../kernel/libc.ts';
import type { Clock } from '../world/clock.ts';
import type { Keeper } from '../world/keeper.ts';
import { openFdStore } from './fd-store.ts';
import { passedTo, type Passed } from './inherited.ts';
import { openSpeech } from './notify.ts';
import { statusLine } from './status-line.ts';
import { keepAlive, watchdogPeriodMs } from './watchdog.ts';

/** The service manager that has started this process, as the emperor knows it. Without one, nothing is passed and nobody hears. Disposing says what is unsaid. */
export interface ServiceManager extends Disposable {
  /** What it has passed to this process, with numbers far above those that children are given. */
  readonly passed: readonly Passed[];
  /** Keeps descriptors for the next process of this service. */
  readonly keeper: Keeper;
  /** Every vassal is governed. */
  ready(): void;
  /** Does some work, and lets it know while that is under way. */
  reloading(work: () => Promise<void>): Promise<void>;
  /** From now on another program is loaded in this process, which will be ready in its turn. */
  upgrading(): void;
  /** The emperor is like this now. */
  observe(state: EmperorState): void;
}

/** What it takes to speak with it. */
export interface ServiceManagerOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  /** CLOCK_MONOTONIC, µs. */
  readonly monotonicUs: () => bigint;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly onTrouble: (message: string) => void;
}

/** A status is said at most this often. */
const STATUS_MS = 1_000;
/** While we begin or end it is told this often that we are still about it, and that it may take so much longer. A loop that hangs tells nothing. */
const EXTEND_MS = 5_000;
const EXTENSION_US = 20_000_000;

/** Opens it, by the environment that systemd starts services with: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3). */
export function openServiceManager({ libc, clock, monotonicUs, environment, pid, onTrouble }: ServiceManagerOptions): ServiceManager {
  const speech = openSpeech({ libc, clock, socket: environment['NOTIFY_SOCKET'], onTrouble });
  const say = (lines: readonly string[]): void => speech.say(lines);
  const watchdog = keepAlive(speech, clock, watchdogPeriodMs(environment, pid));
  let phase: 'beginning' | 'ready' | 'upgrading' | 'ending' = 'beginning';
  let reloads = 0;
  let status = '';
  let latest: EmperorState | null = null;
  let cancelStatus: (() => void) | null = null;
  let cancelExtension = extend();

  function extend(): () => void {
    const more = (): void => say([`EXTEND_TIMEOUT_USEC=${EXTENSION_US}`]);
    more();
    let cancel = (): void => {};
    const again = (): void => {
      more();
      cancel = clock.after(EXTEND_MS, again);
    };
    cancel = clock.after(EXTEND_MS, again);
    return () => cancel();
  }

  function tellStatus(): void {
    cancelStatus = null;
    const line = latest === null ? status : statusLine(latest);
    if (line === status) return;
    status = line;
    say([`STATUS=${line}`]);
  }

  function tellReloading(): void {
    say(['RELOADING=1', `MONOTONIC_USEC=${monotonicUs()}`]);
  }

  return {
    passed: raised(passedTo(environment, pid), libc, onTrouble),
    keeper: openFdStore(speech),
    ready() {
      if (phase !== 'beginning') return;
      phase = 'ready';
      cancelExtension();
      tellStatus();
      say(['READY=1']);
    },
    async reloading(work) {
      reloads += 1;
      if (reloads === 1 && phase === 'ready') tellReloading();
      try {
        await work();
      } finally {
        reloads -= 1;
        if (reloads === 0 && phase === 'ready') say(['READY=1']);
      }
    },
    upgrading() {
      if (phase !== 'ready') return;
      phase = 'upgrading';
      tellReloading();
    },
    observe(state) {
      latest = state;
      if (state.life !== 'running' && (phase === 'beginning' || phase === 'ready')) {
        cancelExtension();
        phase = 'ending';
        say(['STOPPING=1']);
        cancelExtension = extend();
      }
      cancelStatus ??= clock.after(STATUS_MS, tellStatus);
    },
    [Symbol.dispose]() {
      cancelExtension();
      cancelStatus?.();
      watchdog[Symbol.dispose]();
      speech[Symbol.dispose]();
    },
  };
}

/** A child is given its descriptors from 3 on, where these are. */
function raised(passed: readonly Passed[], libc: Libc, onTrouble: (message: string) => void): readonly Passed[] {
  const raise = openRaise(libc);
  return passed.flatMap(({ name, fd }) => {
    try {
      return [{ name, fd: raise(fd) }];
    } catch (error) {
      if (!(error instanceof EmperorError) && errnoOf(error) === '') throw error;
      onTrouble(`descriptor ${fd}, which the service manager calls ${name}, cannot be used: ${reasonOf(error)}`);
      return [];
    }
  });
}
