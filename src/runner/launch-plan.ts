import type { VassalSpec } from '../core/spec.ts';
import type { Entrance } from './cage.ts';

/** What is executed, to the last word. */
export interface LaunchPlan {
  /** Path of what is executed first. */
  readonly file: string;
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly directory: string;
  /** Folder of the cgroup that it has to be started in; null: the emperor's own. */
  readonly cgroup: string | null;
}

/** User and group as numbers. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** What the plan needs to know beyond the spec. */
export interface LaunchFacts {
  /** Where the program was found. */
  readonly program: string;
  /** Whom it has to become; null: it stays what the emperor is. */
  readonly become: Identity | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Open sockets that it gets. */
  readonly sockets: number;
  /** How it gets to where it is kept together. */
  readonly entrance: Entrance;
  /** Whether whoever starts it can start it in a cgroup. */
  readonly startsInCgroups: boolean;
  /** Files that it may have open if its file does not say, as a soft limit: setrlimit(2); null: as many as the emperor itself. */
  readonly files: number | null;
  /** Path of setpriv(1). */
  readonly setpriv: string;
}

/** Path of a shell; POSIX promises it. */
const SHELL = '/bin/sh';

/**
 * Plans a launch. The ordinary one executes the program itself. Its cgroup, limits, a umask and LISTEN_PID are left to sh(1), as the emperor's user;
 * then another user to setpriv(1) of util-linux, which takes the groups of that user along. All end in an exec, so the pid stays that of the instance.
 */
export function launchPlan(spec: Pick<VassalSpec, 'argv' | 'directory' | 'umask' | 'passing' | 'limits'>, facts: LaunchFacts): LaunchPlan {
  const prefix: string[] = [];
  const { cgroup } = facts.entrance;
  const enters = cgroup !== null && !facts.startsInCgroups;
  // Before it can fork: so there is no moment at which a child of it could be outside. One that cannot get in runs all the same, and says so in its output.
  const first = enters ? ['echo 0 > "$1/cgroup.procs"; shift;'] : [];
  first.push(...limiting(spec.limits.files, facts));
  if (spec.umask !== null) first.push(`umask ${spec.umask.toString(8).padStart(4, '0')};`);
  // The pid that LISTEN_PID has to be is known to nobody before the process is there: sd_listen_fds(3).
  if (facts.sockets > 0 && spec.passing === 'listen-fds') first.push('LISTEN_PID=$$');
  if (first.length > 0) prefix.push(SHELL, '-c', `${first.join(' ')} exec "$@"`, 'sh', ...(enters ? [cgroup] : []));
  if (facts.become !== null) {
    prefix.push(facts.setpriv, '--reuid', String(facts.become.uid), '--regid', String(facts.become.gid), '--init-groups', '--');
  }
  const [name, ...rest] = spec.argv;
  // Who executes directly can keep the name as it was written; the tools in between take a path for both.
  const argv = prefix.length === 0 ? [name, ...rest] : [...prefix, facts.program, ...rest];
  return {
    file: prefix[0] ?? facts.program,
    argv,
    environment: Object.entries(facts.environment).map(([key, value]) => `${key}=${value}`),
    directory: spec.directory,
    cgroup: enters ? null : cgroup,
  };
}

/** Hard and soft for what its file asks for; then what cannot be had is no start. */
function limiting(files: number | null, facts: Pick<LaunchFacts, 'entrance' | 'files'>): readonly string[] {
  const { addressSpace } = facts.entrance;
  const steps: string[] = [];
  if (files !== null) steps.push(`ulimit -n ${files} || exit 126;`);
  else if (facts.files !== null) steps.push(`ulimit -S -n ${facts.files};`);
  if (addressSpace !== null) steps.push(`ulimit -v ${Math.max(1, Math.floor(addressSpace / 1024))} || exit 126;`);
  return steps;
}
