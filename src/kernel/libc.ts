import { constants } from 'node:os';
import koffi, { type KoffiFunc } from 'koffi';
import { EmperorError } from '../errors.ts';

/** The C library of this process: the way to the system calls that Node has no door for. */
export interface Libc {
  /**
   * Binds one function. The prototype is C, e.g. `int mkfifo(const char *path, uint32_t mode)`; the type parameter says
   * the same in our words and is trusted. `.async` of the result runs on a thread of libuv's pool: never let it block there.
   */
  bind<F extends (...args: never[]) => unknown>(prototype: string): KoffiFunc<F>;
}

/**
 * Opens the C library that Node itself is linked with; costs about 0.3 ms.
 * @throws E_KERNEL where it cannot be loaded
 */
export function openLibc(): Libc {
  try {
    const library = koffi.load(null);
    return {
      // The border between C and our types: what the prototype says cannot be checked, only trusted.
      bind: <F extends (...args: never[]) => unknown>(prototype: string) => library.func(prototype) as KoffiFunc<F>,
    };
  } catch (cause) {
    throw new EmperorError('E_KERNEL', 'cannot load the C library', { cause });
  }
}

/** Several names for one number: the first one is the usual one, as EAGAIN before EWOULDBLOCK. */
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]).toReversed());

/** Name of an error number, e.g. `ENOENT`; see errno(3). */
export function errnoName(number: number): string {
  return ERRNO_NAMES.get(number) ?? `errno ${number}`;
}

/** Name of the error of the last synchronous call that failed. Ask at once: the next call overwrites it. */
export function lastErrno(): string {
  return errnoName(koffi.errno());
}

/** An error of a system call in our catalogue: `mkfifo /run/x: EEXIST`. The name of the error alone is in `cause`. */
export function kernelError(call: string, subject: string, errno: string): EmperorError {
  return new EmperorError('E_KERNEL', `${call} ${subject}: ${errno}`, { cause: errno });
}
