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

/** What no program of an instance can gain: prctl(2), PR_SET_NO_NEW_PRIVS; capabilities(7), the bounding set. */
export interface Confinement {
  readonly noNewPrivileges: boolean;
  /** Capabilities that are kept, e.g. `net_bind_service`; null: all. */
  readonly capabilities: readonly string[] | null;
}

/** What the plan needs to know beyond the spec. */
export interface LaunchFacts {
  /** Where the program was found. */
  readonly program: string;
  /** Whom it has to become; null: it stays what the emperor is. */
  readonly become: Identity | null;
  /** What it can never have again. Absent: whatever the emperor can. */
  readonly confinement?: Confinement;
  /** Variables that it gets only when it is who it has to become: see {@link handedLater}. null: it has all of them at once, and its directory. */
  readonly later?: readonly string[] | null;
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
 * then another user to setpriv(1) of util-linux, which takes the groups of that user along. What a user may choose (variables such as LD_PRELOAD, the directory)
 * reaches only what runs as that user: another sh(1) behind setpriv. All end in an exec, so the pid stays that of the instance.
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
  const privileges = [...becoming(facts.become), ...confining(facts.confinement)];
  if (privileges.length > 0) prefix.push(facts.setpriv, ...privileges, '--');
  const later = facts.later ?? null;
  if (later !== null) prefix.push(SHELL, '-c', handing(later), 'sh', spec.directory);
  const [name, ...rest] = spec.argv;
  // Who executes directly can keep the name as it was written; the tools in between take a path for both.
  const argv = prefix.length === 0 ? [name, ...rest] : [...prefix, facts.program, ...rest];
  return {
    file: prefix[0] ?? facts.program,
    argv,
    environment: Object.entries(facts.environment).map(([key, value]) => `${key}=${value}`),
    directory: later === null ? spec.directory : '/',
    cgroup: enters ? null : cgroup,
  };
}

/**
 * An environment of which a part is handed over late: until then it is kept under names that mean nothing to the programs in between, which run as root.
 * @param names those of the part; each has to be one that sh(1) can set
 */
export function handedLater(environment: Readonly<Record<string, string>>, names: readonly string[]): Readonly<Record<string, string>> {
  const late = new Set(names);
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [late.has(name) ? `${KEPT}${names.indexOf(name)}` : name, value]));
}

const KEPT = 'EMPEROR_KEPT_';

function handing(names: readonly string[]): string {
  const given = names.map((name, at) => `export ${name}="$${KEPT}${at}"; unset ${KEPT}${at};`);
  return ['cd -- "$1" || exit 126; shift; unset OLDPWD;', ...given, 'exec "$@"'].join(' ');
}

function becoming(become: Identity | null): readonly string[] {
  return become === null ? [] : ['--reuid', String(become.uid), '--regid', String(become.gid), '--init-groups'];
}

function confining(confinement: Confinement | undefined): readonly string[] {
  if (confinement === undefined) return [];
  const { noNewPrivileges, capabilities } = confinement;
  return [...(noNewPrivileges ? ['--no-new-privs'] : []), ...(capabilities === null ? [] : ['--bounding-set', ['-all', ...capabilities.map((name) => `+${name}`)].join(',')])];
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
