import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Where a program is, or why there is none. */
export type Found =
  | { readonly kind: 'found'; readonly path: string }
  /** None of these exists. */
  | { readonly kind: 'missing'; readonly candidates: readonly string[] }
  /** It exists and cannot be executed. */
  | { readonly kind: 'denied'; readonly path: string; readonly reason: 'is a directory' | 'is no regular file' | 'is not executable' };

/** Folders of a PATH that are looked in. A PATH comes from the vassal file, and each folder costs a question to the kernel. */
const MOST_FOLDERS = 200;

/** Where programs are looked for. */
export interface SearchPlace {
  /** What relative paths are relative to. Absolute. */
  readonly directory: string;
  /** The PATH. */
  readonly path: string;
}

/**
 * Finds a program as execvp(3) would: absolute; relative to the directory if it has a slash; else in PATH, where one that cannot be
 * executed is passed over for a later one that can. Of a PATH the first 200 folders count. `anyUser`: executable for anybody will do, for a program that is run as
 * another user.
 */
export function findProgram(name: string, place: SearchPlace, anyUser = false): Found {
  const candidates = name.includes('/')
    ? [isAbsolute(name) ? name : join(place.directory, name)]
    : place.path.split(':', MOST_FOLDERS).map((entry) => join(isAbsolute(entry) ? entry : join(place.directory, entry), name));
  let denied: Found | null = null;
  for (const path of candidates) {
    const reason = denial(path, anyUser);
    if (reason === null) return { kind: 'found', path };
    if (reason !== 'is missing') denied ??= { kind: 'denied', path, reason };
  }
  return denied ?? { kind: 'missing', candidates };
}

function denial(path: string, anyUser: boolean): 'is missing' | 'is a directory' | 'is no regular file' | 'is not executable' | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'is missing';
    if (stat.isDirectory()) return 'is a directory';
    if (!stat.isFile()) return 'is no regular file';
    if (anyUser) return (stat.mode & 0o111) === 0 ? 'is not executable' : null;
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return errnoOf(error) === 'EACCES' ? 'is not executable' : 'is missing';
  }
}

/** What a script's first line asks for. */
export interface Interpreter {
  /** As written after `#!`. */
  readonly name: string;
  /** The program that env(1) is to find in PATH; null where the interpreter is another one. */
  readonly viaEnv: string | null;
}

/** The kernel looks no further for the end of the line: execve(2). */
const LONGEST_LINE = 256;

/** Reads the `#!` of a script. null: it has none, or may not be read, and then the kernel knows better. */
export function readInterpreter(path: string): Interpreter | null {
  const head = Buffer.alloc(LONGEST_LINE);
  let length: number;
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      length = readSync(fd, head, 0, LONGEST_LINE, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
  return parseInterpreter(head.toString('latin1', 0, length));
}

/** Understands the first line of a script: `#!interpreter [one argument]`, execve(2). A carriage return belongs to the name, as it does for the kernel. */
export function parseInterpreter(head: string): Interpreter | null {
  if (!head.startsWith('#!')) return null;
  const [line = ''] = head.slice(2).split('\n');
  const [name = '', ...words] = line.trim().split(/[ \t]+/);
  const lineEnd = line.endsWith('\r') ? '\r' : '';
  if (name === '') return null;
  if (name !== 'env' && !name.endsWith('/env')) return { name: words.length === 0 ? name + lineEnd : name, viaEnv: null };
  const program = words.find((word) => !word.startsWith('-') && !word.includes('='));
  return { name, viaEnv: program === undefined ? null : program + (program === words.at(-1) ? lineEnd : '') };
}
