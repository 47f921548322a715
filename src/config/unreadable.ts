import { reasonOf } from '../errors.ts';
import type { Reading } from './tree.ts';

/** The answer of a reader whose parser gave up with something that is not its own error, such as a full stack. */
export function unreadable(thrown: unknown, file: string): Reading {
  const message = thrown instanceof RangeError ? 'the text is nested too deeply, or has a value that is too long' : `the text cannot be read: ${reasonOf(thrown)}`;
  return { ok: false, faults: [{ code: 'E_SYNTAX', message, file, line: null, key: null, hint: null }] };
}
