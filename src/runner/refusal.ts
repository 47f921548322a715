import type { Code } from '../errors.ts';

/** Why an instance was not started. `lasting`: trying again is of no use before something is mended. */
export interface Refusal {
  readonly code: Code;
  readonly reason: string;
  readonly lasting: boolean;
}

const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);
const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ENOEXEC', 'EISDIR', 'ELIBBAD']);
/** The arguments are to blame: too long, or with a NUL byte in them. */
const ARGUMENTS: ReadonlySet<string> = new Set(['E2BIG', 'EINVAL']);

/** Judges an error of posix_spawn(3), i.e. of fork(2), chdir(2) or execve(2). */
export function judgeErrno(errno: string): Pick<Refusal, 'code' | 'lasting'> {
  if (MISSING.has(errno)) return { code: 'E_PROGRAM_MISSING', lasting: true };
  if (DENIED.has(errno)) return { code: 'E_PROGRAM_DENIED', lasting: true };
  return { code: 'E_SPAWN', lasting: ARGUMENTS.has(errno) };
}

/** The sentence for people: `cannot start /x/y for vassal "shop": ENOENT`. */
export function cannotStart(program: string, vassalName: string, why: string): string {
  return `cannot start ${program} for vassal "${vassalName}": ${why}`;
}
