/**
 * Every code that a fault, a failure or an operational error can carry, with its meaning for people.
 * README lists the same codes (a test compares the two). A code is never reused for another meaning.
 */
export const CODES = {
  E_FILE_EMPTY: 'the vassal file is empty',
  E_FILE_TOO_LARGE: 'the vassal file is larger than 1 MiB',
  E_FILE_BINARY: 'the vassal file holds NUL bytes: it is no text',
  E_FILE_ENCODING: 'the vassal file is not valid UTF-8',
  E_FILE_UNREADABLE: 'the vassal file cannot be read',
  E_FILE_KIND: 'what has the name of a vassal file is no regular file (a FIFO, socket, device, or a folder that took the place of one)',
  E_FILE_WRITABLE: 'others than root can write the vassal file, or the folder that it is in, and the emperor is root',
  E_FILE_PROGRAM: 'the vassal file is a program (`magic-exec`) that does not do what is needed: print a text of at most 1 MiB within 10 s, and end with code 0; or the same of what says where it is on demand',
  E_FILE_LINK: 'the vassal file is a symlink that leads nowhere or in a circle',
  E_NAME: 'the name of the vassal file cannot be used',
  E_NAME_CLASH: 'another file has the same vassal name already',
  E_SYNTAX: 'the text does not follow the format that its extension says',
  E_NO_SECTION: 'the file has neither a vassal nor a uwsgi section',
  E_KEY_UNKNOWN: 'the vassal section has a key that does not exist',
  E_KEY_DUPLICATE: 'a key is given twice where it can be given once',
  E_KEY_MISSING: 'a key that is needed is not there',
  E_KEY_CONFLICT: 'two keys contradict each other',
  E_VALUE: 'the value of a key has the wrong type, form or range',
  E_PLACEHOLDER: 'a placeholder is unknown, refers to itself or never ends',
  E_SERVER_UNKNOWN: 'there is no preset for that server',
  E_PROGRAM_MISSING: 'the program, or the interpreter in its first line, does not exist',
  E_PROGRAM_DENIED: 'the program, or the interpreter in its first line, may not be executed',
  E_DIRECTORY: 'the directory does not exist or cannot be entered',
  E_TYRANT: 'in tyrant mode: the owner of the vassal file may not have what it asks for, or is nobody that it could run as',
  E_USER: 'the user or group does not exist, or only root can become it',
  E_ENVIRONMENT_FILE: 'the environment file cannot be read or understood',
  E_HOOK: 'the hook `before-start` failed, so the instance was not started',
  E_SPAWN: 'the operating system refused to start the process',
  E_UNIT: 'systemd does not start the unit of an instance, or there is no systemd',
  E_EXITED: 'the instance ended by itself',
  E_KILLED: 'the instance was ended by a signal',
  E_OUT_OF_MEMORY: 'the instance was killed because memory ran out: its limit, or that of the host',
  E_NOT_READY: 'the instance was not ready in time',
  E_SICK: 'the instance did not pass its health probe, or missed its watchdog',
  E_ADDRESS_IN_USE: 'an address of `listen` is held by another vassal or program',
  E_ADDRESS: 'an address of `listen` cannot be opened',
  E_CYCLE: 'vassals wait for each other in a circle',
  E_VANISHED: 'the instance is gone and nobody knows how it ended',
  E_NO_VASSAL: 'there is no vassal of that name',
  E_REQUEST: 'the control request is malformed',
  E_TIMEOUT: 'the outcome did not come in time',
  E_NO_EMPEROR: 'no emperor answers on the control socket',
  E_EMPEROR_RUNS: 'another emperor is at work on the same control socket or state folder',
  E_SETTINGS: 'the configuration of the emperor is at fault',
  E_STORE: 'the database cannot be opened, read or written',
  E_STORE_DAMAGED: 'the database was damaged and has been moved aside',
  E_LOG: 'output of instances could not be written and was lost',
  E_UPGRADE: 'the program on the disk cannot take the place of the emperor',
  E_BLIND: 'a source of vassals cannot be looked at',
  E_KERNEL: 'a system call failed',
  E_BUG: 'the emperor met a bug of its own',
} as const;

/** A stable name for one kind of trouble; see {@link CODES}. */
export type Code = keyof typeof CODES;

/** An operational error: something in the world refused. Bugs are plain errors, faults of files are values. */
export class EmperorError extends Error {
  readonly code: Code;

  /** @param message what failed, on what, why, and what happens next */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmperorError';
    this.code = code;
  }
}

/** Ends a switch over a union: a variant that nobody handled does not compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** The text of whatever was thrown, for a message to people. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The name of the error of a system call, as in errno(3), e.g. `ENOENT`; empty for anything else that was thrown. */
export function errnoOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
