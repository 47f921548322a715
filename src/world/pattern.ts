import { constants, createContext, Script, type Context } from 'node:vm';
import { printable } from './printable.ts';

/** A regular expression that a stranger wrote: it may be one that takes for ever. */
export interface Pattern {
  /** For people: `/^ready/`, cut if it is long. */
  readonly text: string;
  /** Looks for the first of these that matches. All of them together may take 100 ms; whoever takes longer twice in a row is not asked again. */
  find(texts: readonly string[]): Found;
}

export type Found =
  /** Index of the first that matches. */
  | { readonly kind: 'found'; readonly index: number }
  | { readonly kind: 'none' }
  /** `why`: it takes too long, or is no regular expression. `lasting`: so it stays. */
  | { readonly kind: 'unusable'; readonly why: string; readonly lasting: boolean };

/** Makes patterns of JavaScript regular expressions; `^` and `$` match at each line. */
export type Patterns = (source: string) => Pattern;

const LONGEST_MS = 100;
/** One may be the fault of a busy host. */
const SLOW_ALLOWED = 2;
const LONGEST_TEXT = 80;

/**
 * Opens a place to match in. Why not an engine that is linear: its language is another one (no lookaround, no references), and it is linear in the text
 * times the pattern, so that a large pattern stalls, too. V8 gives up whatever it is at, compiling or matching, when the timeout of node:vm is
 * over. That costs 0.2 ms for each call (measured), so many texts go into one.
 */
export function openPatterns(): Patterns {
  // Made when it is needed first: most emperors have no patterns.
  let place: Context | null = null;
  const script = new Script('texts.findIndex((text) => regex.test(text))');

  return (source) => {
    const text = `/${printable(source.length > LONGEST_TEXT ? `${source.slice(0, LONGEST_TEXT)}…` : source)}/`;
    let regex: RegExp;
    try {
      regex = new RegExp(source, 'm');
    } catch {
      return { text, find: () => ({ kind: 'unusable', why: `${text} is no regular expression`, lasting: true }) };
    }
    let slow = 0;
    const unusable = (): Found => ({ kind: 'unusable', why: `${text} takes too long to match`, lasting: slow >= SLOW_ALLOWED });
    return {
      text,
      find(texts) {
        if (slow >= SLOW_ALLOWED) return unusable();
        place ??= createContext(constants.DONT_CONTEXTIFY);
        try {
          Object.assign(place, { regex, texts });
          const index: unknown = script.runInContext(place, { timeout: LONGEST_MS });
          slow = 0;
          return typeof index === 'number' && index >= 0 ? { kind: 'found', index } : { kind: 'none' };
        } catch {
          // The timeout; or only now, as it compiles at first use, V8 found it too large.
          slow += 1;
          return unusable();
        } finally {
          Object.assign(place, { regex: null, texts: null });
        }
      },
    };
  };
}
