import { reasonOf } from '../errors.ts';
import { single, type Form } from './form.ts';

/** In UTF-16 units: who writes more has a program in mind. */
const LONGEST = 1000;

/** A regular expression of JavaScript; `^` and `$` match at each line. */
export const PATTERN: Form<string> = single({
  label: `a regular expression of at most ${LONGEST} characters`,
  hint: 'write one of JavaScript, without slashes around it',
  parse: (text, written) => (written === 'text' && isSized(text) && faultIn(text) === null ? text : undefined),
  advise: faultIn,
});

function isSized(pattern: string): boolean {
  return pattern !== '' && pattern.length <= LONGEST;
}

/** As a hint; null: there is none, or it is not even looked at. */
function faultIn(pattern: string): string | null {
  if (!isSized(pattern)) return null;
  try {
    void new RegExp(pattern, 'm');
    return null;
  } catch (thrown) {
    return reasonOf(thrown).replace(/^.*: (?=[^:]*$)/s, 'it has this fault: ');
  }
}
