import type { VassalSpec } from '../core/spec.ts';

/** What is executed, to the last word. */
export interface LaunchPlan {
  /** Path of what is executed first. */
  readonly file: string;
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly directory: string;
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
  /** Path of setpriv(1). */
  readonly setpriv: string;
}

/** Path of a shell; POSIX promises it. */
const SHELL = '/bin/sh';

/**
 * Plans a launch. The ordinary one executes the program itself. Another user is left to setpriv(1) of util-linux, which takes the
 * groups of that user along; a umask, and LISTEN_PID, to sh(1); all end in an exec, so the pid stays that of the instance.
 */
export function launchPlan(spec: Pick<VassalSpec, 'argv' | 'directory' | 'umask' | 'passing'>, facts: LaunchFacts): LaunchPlan {
  const prefix: string[] = [];
  if (facts.become !== null) {
    prefix.push(facts.setpriv, '--reuid', String(facts.become.uid), '--regid', String(facts.become.gid), '--init-groups', '--');
  }
  const first: string[] = [];
  if (spec.umask !== null) first.push(`umask ${spec.umask.toString(8).padStart(4, '0')};`);
  // The pid that LISTEN_PID has to be is known to nobody before the process is there: sd_listen_fds(3).
  if (facts.sockets > 0 && spec.passing === 'listen-fds') first.push('LISTEN_PID=$$');
  if (first.length > 0) prefix.push(SHELL, '-c', `${first.join(' ')} exec "$@"`, 'sh');
  const [name, ...rest] = spec.argv;
  // Who executes directly can keep the name as it was written; the tools in between take a path for both.
  const argv = prefix.length === 0 ? [name, ...rest] : [...prefix, facts.program, ...rest];
  return {
    file: prefix[0] ?? facts.program,
    argv,
    environment: Object.entries(facts.environment).map(([key, value]) => `${key}=${value}`),
    directory: spec.directory,
  };
}
