import type { Basis, Owner } from './basis.ts';
import type { Runnable } from './state.ts';

/**
 * In tyrant mode an instance runs as the owner of its vassal file. When that changes, what runs is stopped, and nothing that the former
 * owner wrote is started again; the new text starts as the new owner. What was started before there was tyrant mode has no owner, and is another one's, too. Source: uWSGI core/emperor.c, uwsgi_imperial_monitor_directory.
 */
export function changedHands(before: Owner | undefined, after: Owner | undefined): boolean {
  return after !== undefined && (before?.uid !== after.uid || before.gid !== after.gid);
}

/** The revision, if the owner of the file may have it run. Another one's is none of theirs; null: there is none. */
export function stillOwned(runs: Runnable | null, basis: Basis | undefined): Runnable | null {
  return runs !== null && changedHands(runs.spec.owned?.owner, basis?.owner) ? null : runs;
}

/** The change in a sentence. */
export function newHands(before: Owner | undefined, after: Owner | undefined): string {
  const now = `its file belongs to uid ${after?.uid}, gid ${after?.gid}`;
  return before === undefined ? `${now}, and it was not started as that` : `${now} now, and belonged to uid ${before.uid}, gid ${before.gid}`;
}

/** Variables that sh(1) keeps for itself, so that they cannot be handed on. */
const KEPT_BY_SHELL: ReadonlySet<string> = new Set(['OPTIND', 'PPID', 'UID', 'EUID', 'LINENO', 'SHELLOPTS', 'BASHOPTS']);

/** Whether a variable can be handed over late: by sh(1), under its name. */
export function canBeExported(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEPT_BY_SHELL.has(name);
}
