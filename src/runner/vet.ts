import { accessSync, constants, statSync } from 'node:fs';
import { basename } from 'node:path';
import { errnoOf, unreachable, type Code } from '../errors.ts';
import type { Fault } from '../core/fault.ts';
import type { VassalSpec } from '../core/spec.ts';
import type { UserDatabase } from '../kernel/user.ts';
import { DEFAULT_PATH } from './environment.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { runsAs, type EmperorIdentity } from './identity.ts';
import { trespasses } from './owned.ts';
import { findProgram, readInterpreter, type SearchPlace } from './program.ts';

/** What this host is like, as far as a vassal file can be at odds with it. */
export interface VetHost {
  readonly users: UserDatabase;
  readonly own: EmperorIdentity;
  /** The emperor's PATH; undefined: it has none. A PATH in the vassal's environment goes before. */
  readonly path: string | undefined;
  /** It was booted with systemd. */
  readonly systemd: boolean;
  /** Debian package of a program, by the program's name, for hints. */
  readonly packages: ReadonlyMap<string, string>;
}

/** What this host lacks for a vassal, and the paths whose appearance or change could heal that. */
export interface Verdict {
  readonly faults: readonly Fault[];
  readonly missing: readonly string[];
}

/**
 * Checks a vassal against this host, without starting anything: its directory, program, interpreter, user, group and environment
 * file. Takes about 30 µs. What is well now may be gone when it is launched; the runner says so then, with the same words.
 * @param file the vassal file, to be named in the faults
 */
export function vet(file: string, spec: VassalSpec, host: VetHost): Verdict {
  const faults: Fault[] = [];
  const missing: string[] = [];
  const find = (complaint: Complaint): void => {
    faults.push({ file, line: null, code: complaint.code, message: complaint.message, key: complaint.key, hint: complaint.hint });
    missing.push(...complaint.missing);
  };

  const person = runsAs(spec, host.own, host.users);
  const becomes = !('refused' in person) && person.changes;
  if ('refused' in person) {
    const absent = person.refused.endsWith('does not exist');
    const hint = absent ? `create it, or name another ${person.key}` : `run the emperor as root, or leave out "${person.key}"`;
    find({ code: 'E_USER', message: person.refused, key: person.key, hint, missing: absent ? ['/etc/passwd', '/etc/group'] : [] });
  }

  if (!('refused' in person)) faults.push(...trespasses(file, spec, person.user.name));
  if (spec.unit !== null && spec.owned !== undefined) {
    find({ code: 'E_TYRANT', message: 'instances of an owner cannot be units: what they can never gain would have to be kept by systemd', key: 'runner', hint: 'remove the key "runner"', missing: [] });
  }
  if (spec.unit !== null && !host.systemd) {
    find({ code: 'E_UNIT', message: 'this host was not booted with systemd, so instances cannot be units', key: 'runner', hint: 'remove the key "runner"', missing: [] });
  }
  const trouble = directoryTrouble(spec.directory, becomes);
  if (trouble !== null) find(trouble);

  const variables = spec.environmentFile === null ? {} : vetEnvironmentFile(spec.environmentFile, spec.owned?.owner.uid ?? null, find);
  // Without its directory a relative program cannot be looked for, and would only be blamed for the same thing twice.
  if (trouble === null || !spec.argv[0].includes('/') || spec.argv[0].startsWith('/')) {
    const path = spec.environment['PATH'] ?? variables['PATH'] ?? host.path ?? DEFAULT_PATH;
    const programTrouble = vetProgram(spec, { directory: spec.directory, path }, becomes, host.packages);
    if (programTrouble !== null) find(programTrouble);
    const absent = absentPrograms(spec, { directory: spec.directory, path }, becomes, host.packages);
    if (absent !== null) find(absent);
  }
  return { faults, missing };
}

/** One thing that is wrong, without the vassal file. */
export interface Complaint {
  readonly code: Code;
  readonly message: string;
  readonly key: string | null;
  readonly hint: string | null;
  readonly missing: readonly string[];
}

/** What is wrong with a directory; null: nothing. */
export function directoryTrouble(directory: string, becomes: boolean): Complaint | null {
  const complain = (what: string, hint: string): Complaint => ({
    code: 'E_DIRECTORY',
    message: `the directory ${directory} ${what}`,
    key: 'directory',
    hint,
    missing: [directory],
  });
  try {
    const stat = statSync(directory, { throwIfNoEntry: false });
    if (stat === undefined) return complain('does not exist', 'create it');
    if (!stat.isDirectory()) return complain('is no directory', 'name a folder');
    if (!becomes) accessSync(directory, constants.X_OK);
    return null;
  } catch (error) {
    return complain(`cannot be entered (${errnoOf(error) || String(error)})`, 'check its permissions');
  }
}

function vetEnvironmentFile(path: string, uid: number | null, find: (complaint: Complaint) => void): Readonly<Record<string, string>> {
  const complain = (message: string, hint: string): void =>
    find({ code: 'E_ENVIRONMENT_FILE', message, key: 'environment-file', hint, missing: [path] });
  const file = readEnvironmentFile(path, uid);
  if ('unreadable' in file) {
    complain(`the environment file ${path} cannot be read: ${file.unreadable}`, 'create it, or check its permissions');
    return {};
  }
  for (const mistake of file.mistakes) complain(`${mistake.message} at ${path}:${mistake.line}`, 'lines are NAME=value, or start with #');
  return file.environment;
}

/** A server that is started by way of another program, and is not there. null: it is, or needs not be. */
function absentPrograms({ programs, server }: Pick<VassalSpec, 'programs' | 'server'>, place: SearchPlace, becomes: boolean, packages: ReadonlyMap<string, string>): Complaint | null {
  const [first] = programs;
  const found = programs.map((name) => findProgram(name, place, becomes));
  if (first === undefined || found.some(({ kind }) => kind === 'found')) return null;
  const pack = packages.get(server ?? first);
  return {
    code: 'E_PROGRAM_MISSING',
    message: `the program "${first}" is not in PATH`,
    key: 'server',
    hint: pack === undefined ? 'install it' : `install the Debian package ${pack}`,
    missing: found.flatMap((each) => (each.kind === 'missing' ? each.candidates : [])),
  };
}

/** What is wrong with the program or its interpreter; null: nothing. */
export function vetProgram(
  spec: Pick<VassalSpec, 'argv' | 'server'>,
  place: SearchPlace,
  becomes: boolean,
  packages: ReadonlyMap<string, string>,
): Complaint | null {
  const [name] = spec.argv;
  const key = spec.server === null ? 'command' : 'server';
  const found = findProgram(name, place, becomes);
  const pack = packages.get(basename(name));
  const install = pack === undefined ? null : `install the Debian package ${pack}`;
  switch (found.kind) {
    case 'denied':
      return { code: 'E_PROGRAM_DENIED', message: `${found.path} ${found.reason}`, key, hint: found.reason === 'is not executable' ? `chmod +x ${found.path}` : 'name a program', missing: [found.path] };
    case 'missing': {
      const [only] = found.candidates;
      const message = name.includes('/') && only !== undefined ? `the program ${only} does not exist` : `the program "${name}" is not in PATH`;
      return { code: 'E_PROGRAM_MISSING', message, key, hint: install ?? `install it, or check the spelling`, missing: found.candidates };
    }
    case 'found':
      return interpreterTrouble(found.path, key, place, becomes);
    default:
      return unreachable(found);
  }
}

/** How deep scripts are followed that are run by scripts: the kernel gives up after as many, execve(2). */
const DEEPEST = 4;

function interpreterTrouble(script: string, key: string, place: SearchPlace, becomes: boolean, depth = 0): Complaint | null {
  const interpreter = readInterpreter(script);
  if (interpreter === null || depth === DEEPEST) return null;
  // Only env(1) searches PATH; the kernel takes what is written, relative to the directory.
  const direct = interpreter.name.includes('/') ? interpreter.name : `./${interpreter.name}`;
  for (const name of interpreter.viaEnv === null ? [direct] : [direct, interpreter.viaEnv]) {
    const found = findProgram(name, place, becomes);
    const shown = JSON.stringify(name);
    if (found.kind === 'missing') {
      const hint = name.endsWith('\r') ? `save ${script} with Unix line ends: its first line ends in a carriage return` : `install it, or mend the first line of ${script}`;
      return { code: 'E_PROGRAM_MISSING', message: `${script} asks for ${shown} in its first line, which does not exist`, key, hint, missing: [script, ...found.candidates] };
    }
    if (found.kind === 'denied') {
      return { code: 'E_PROGRAM_DENIED', message: `${script} asks for ${shown} in its first line, and ${found.path} ${found.reason}`, key, hint: `mend the first line of ${script}`, missing: [script, found.path] };
    }
    const deeper = interpreterTrouble(found.path, key, place, becomes, depth + 1);
    if (deeper !== null) return deeper;
  }
  return null;
}
