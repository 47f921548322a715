import { HOOK_NAMES, type Hook, type HookName } from '../core/hook.ts';
import { COMMAND, type Argv } from './command-form.ts';
import { key, type Given, type Keys } from './keys.ts';
import { duration } from './units.ts';

/** The keys of `hooks`, in a vassal file and in `emperor.toml`. */
export type HookKeys = { readonly [Name in HookName]: Argv } & {
  /** ms */
  readonly timeout: number;
};

const DEFAULT_TIMEOUT_MS = 30_000;

export const HOOKS: Keys<HookKeys> = {
  'before-start': key(COMMAND, '', '["./migrate", "--now"]', 'before an instance is started, which waits for its end; if it fails, so has the start, as a launch that failed (`E_HOOK`)'),
  'after-ready': key(COMMAND, '', '"./warm-up"', 'an instance is ready; again after a reload by signal'),
  'after-loyal': key(COMMAND, '', '"./tell loyal"', 'an instance has been ready for `backoff.reset-after`'),
  'after-reload': key(COMMAND, '', '"./tell reloaded"', 'a reload by overlap or by signal has come to its good end'),
  'before-stop': key(COMMAND, '', '"./leave-the-pool"', 'before the stop signal, which waits for its end, at most for `stop-timeout`, and comes whatever it does'),
  'after-exit': key(COMMAND, '', '"./clean-up"', 'an instance has ended, for whatever reason'),
  'on-crash': key(COMMAND, '', '"./tell crash"', 'an instance has ended that nobody had told to'),
  'on-backoff': key(COMMAND, '', '"./tell backoff"', 'the next start has to wait'),
  'on-refusal': key(COMMAND, '', '"./tell refused"', 'a new revision failed, and an older one goes on'),
  'on-failure': key(COMMAND, '', '"./tell failure"', 'there is a failure to be told that there was not before: whatever `failure` of `status` shows'),
  timeout: key(duration(1), '30s', '"30s"', 'one that takes longer gets TERM, and 5 s later KILL, with its process group'),
};

/** The commands of a table of hooks, in the order of its points. */
export function hooksOf(given: Given<HookKeys> | undefined): readonly Hook[] {
  if (given === undefined) return [];
  return HOOK_NAMES.flatMap((at) => {
    const argv = given[at];
    return argv === undefined ? [] : [{ at, argv, timeoutMs: given.timeout ?? DEFAULT_TIMEOUT_MS, tolerated: false }];
  });
}

/** The hooks of all vassals. */
export interface GeneralHooks {
  readonly own: readonly Hook[];
  /** What a uWSGI Emperor calls `vassals-start-hook` and `vassals-stop-hook`; null: none. */
  readonly vassalsStart: Argv | null;
  readonly vassalsStop: Argv | null;
}

/**
 * The hooks of all vassals, for one of them. Those of a uWSGI Emperor get the name of the file as argument, and it makes no difference how they end.
 * Source: uWSGI core/emperor.c, uwsgi_emperor_vassal_start and emperor_del.
 *
 * @param fileName without its folder, as uWSGI names a vassal
 */
export function generalHooksFor({ own, vassalsStart, vassalsStop }: GeneralHooks, fileName: string): readonly Hook[] {
  const hook = (at: HookName, argv: Argv | null): readonly Hook[] => (argv === null ? [] : [{ at, argv: [...argv, fileName], timeoutMs: DEFAULT_TIMEOUT_MS, tolerated: true }]);
  return [...own, ...hook('before-start', vassalsStart), ...hook('after-exit', vassalsStop)];
}
