import { single, type Form } from './form.ts';
import { didYouMean } from './nearest.ts';
import { resolveFrom } from './path.ts';

/** Text that is not empty. */
export const TEXT: Form<string> = single({
  label: 'text',
  hint: 'write it in quotes',
  parse: (text, written) => (written === 'text' && text !== '' ? text : undefined),
});

/** A path, made absolute: relative ones start from the folder of the file. */
export const PATH: Form<string> = single({
  label: 'a path',
  hint: 'write an absolute path, or one relative to the folder of this file',
  parse: (text, written, place) => (written === 'text' && text !== '' ? resolveFrom(place.folder, text) : undefined),
});

/** A user or group by name or number, as text. */
export const ACCOUNT: Form<string> = single({
  label: 'a name or number',
  hint: 'write a name as in /etc/passwd or /etc/group, or a number',
  parse: (text, written) => (/^(?![-+])[^\s:,/]+$/.test(text) && (written === 'text' || /^\d+$/.test(text)) ? text : undefined),
});

/** A whole number, both ends included. */
export function integer(least: number, most: number): Form<number> {
  return single({
    label: `a whole number from ${least} to ${most}`,
    hint: `for example ${Math.max(least, 1)}`,
    parse: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
  });
}

/** A number, both ends included. */
export function decimal(least: number, most: number): Form<number> {
  return single({
    label: `a number from ${least} to ${most}`,
    hint: `for example ${least === 0 ? 0.5 * most : least}`,
    parse: (text) => (/^\d{1,15}(\.\d{1,15})?$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
  });
}

/** True or false. */
export const BOOLEAN: Form<boolean> = single({
  label: 'true or false',
  hint: 'write true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  advise: (text) => (/^(yes|on|1)$/i.test(text) ? 'write true' : /^(no|off|0)$/i.test(text) ? 'write false' : null),
});

/** One of some words. */
export function choice<T extends string>(...words: readonly T[]): Form<T> {
  return single({
    label: `one of ${words.join(', ')}`,
    hint: `write ${words.map((word) => `"${word}"`).join(' or ')}`,
    parse: (text) => words.find((word) => word === text),
    advise: (text) => didYouMean(text, words),
  });
}
