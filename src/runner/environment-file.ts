import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** What an environment file says, and what in it cannot be understood. A mistake quotes nothing but the names of variables: the rest may be part of a secret. */
export interface EnvironmentFile {
  readonly environment: Readonly<Record<string, string>>;
  readonly mistakes: readonly { readonly line: number; readonly message: string }[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LARGEST_BYTES = 1024 * 1024;

/**
 * Reads an environment file. Only a regular file of at most 1 MiB: a FIFO would hold up the emperor.
 * @param uid whose it has to be, as it is read with the rights of the emperor; null: anybody's
 * @returns the error in words if it cannot be read
 */
export function readEnvironmentFile(path: string, uid: number | null = null): EnvironmentFile | { readonly unreadable: string } {
  try {
    // To open a device may do something already.
    if (!statSync(path).isFile()) return { unreadable: 'it is no regular file' };
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return { unreadable: 'it is no regular file' };
      if (uid !== null && stat.uid !== uid) return { unreadable: `it belongs to uid ${stat.uid}, and not to the owner of the vassal file` };
      if (stat.size > LARGEST_BYTES) return { unreadable: 'it is larger than 1 MiB' };
      return parseEnvironmentFile(readFileSync(fd, 'utf8'));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { unreadable: errnoOf(error) || String(error) };
  }
}

/**
 * Understands lines of `NAME=value`, as EnvironmentFile= of systemd.exec(5) does, a little simplified: empty lines and those that
 * start with `#` or `;` are left out; a value in single quotes is taken as it is; in double quotes a backslash protects
 * `" \ $` and the backtick; outside of quotes blanks at both ends go and a backslash protects anything; a backslash at the end of a line joins it with the
 * next. Nothing is expanded. The later of two lines with one name counts.
 */
export function parseEnvironmentFile(text: string): EnvironmentFile {
  // A Map: a name may be `__proto__`.
  const environment = new Map<string, string>();
  const mistakes: { line: number; message: string }[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let part = (lines[index] ?? '').trimStart();
    if (part === '' || part.startsWith('#') || part.startsWith(';')) continue;
    // What was joined is not looked at again: there may be as many lines as the file has room for.
    let statement = '';
    for (; endsInBackslash(part) && index + 1 < lines.length; part = lines[++index] ?? '') statement += part.slice(0, -1);
    statement += part;
    const equals = statement.indexOf('=');
    const name = statement.slice(0, Math.max(0, equals)).trim();
    if (!NAME.test(name)) {
      mistakes.push({ line, message: equals < 0 ? 'expected NAME=value' : 'what stands before the = is no name of a variable' });
      continue;
    }
    const value = parseValue(statement.slice(equals + 1).trim());
    if (value === null) mistakes.push({ line, message: `the quotes of ${name} are not closed` });
    else if (value.includes('\0')) mistakes.push({ line, message: `the value of ${name} holds a NUL byte` });
    else environment.set(name, value);
  }
  return { environment: Object.fromEntries(environment), mistakes };
}

/** In one that no other backslash protects. */
function endsInBackslash(line: string): boolean {
  let at = line.length;
  while (at > 0 && line[at - 1] === '\\') at -= 1;
  return (line.length - at) % 2 === 1;
}

/** null: a quote is open at the end. */
function parseValue(raw: string): string | null {
  let value = '';
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < raw.length; at++) {
    const char = raw.charAt(at);
    const next = raw.charAt(at + 1);
    if (char === quote) quote = null;
    else if (quote === null && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'" && next !== '' && (quote === null || '"\\$`'.includes(next))) {
      value += next;
      at++;
    } else value += char;
  }
  return quote === null ? value : null;
}
