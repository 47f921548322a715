/** Points in the life of a vassal at which its commands run, in the order in which README tells of them. */
export const HOOK_NAMES = [
  /** Awaited before an instance is launched: if it fails, so has the start. */
  'before-start',
  'after-ready',
  /** An instance has been ready for `backoff.reset-after`. */
  'after-loyal',
  /** An overlap, or a reload by signal, has come to its good end. */
  'after-reload',
  /** Awaited before the stop signal, which it cannot prevent. */
  'before-stop',
  'after-exit',
  /** An instance has ended that nobody had told to. */
  'on-crash',
  /** The next start has to wait. */
  'on-backoff',
  /** A new revision failed, and an older one goes on. */
  'on-refusal',
  /** The vassal has a failure to show that it had not before. */
  'on-failure',
] as const;

/** A point in the life of a vassal. */
export type HookName = (typeof HOOK_NAMES)[number];

/** A command that runs at such a point. A vassal may have several for one point; they run in order. */
export interface Hook {
  readonly at: HookName;
  readonly argv: readonly [string, ...string[]];
  /** From its start to TERM for its process group, ms. */
  readonly timeoutMs: number;
  /** Its failure is told and changes nothing, also where its end is waited for. */
  readonly tolerated: boolean;
}

/** The commands for a point. */
export function hooksAt(hooks: readonly Hook[], at: HookName): readonly Hook[] {
  return hooks.filter((hook) => hook.at === at);
}

/** Whether there is a command for a point. */
export function hasHook(hooks: readonly Hook[], at: HookName): boolean {
  return hooks.some((hook) => hook.at === at);
}

/** Whether something waits for the end of these commands. */
export function isAwaited(at: HookName): boolean {
  return at === 'before-start' || at === 'before-stop';
}
