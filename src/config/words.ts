/** A command line as a list of words, or what speaks against it. */
export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** What only a shell can do. A single `$` is left alone where no name follows it. */
const SHELL = /[|&;<>]+|[()`]|\$(?:\w+|\{\w*\}?)/y;

/** Placeholders are one part of a word, whatever stands in their parentheses. */
const PLACEHOLDER = /[%$]\([^()]*\)/y;

/**
 * Splits a command line as sh(1) would: quotes, backslashes, blanks. Nothing is expanded (placeholders stay as they are, for
 * later), and what needs a shell is refused. Source: POSIX, Shell Command Language, 2.2 Quoting.
 */
export function splitWords(text: string): Words {
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const placeholder = matchAt(PLACEHOLDER, text, at);
    if (placeholder !== null) {
      word = (word ?? '') + placeholder;
      at += placeholder.length;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
    } else if (char === '\\') {
      if (at + 1 === text.length) return refused('the command ends in a backslash', 'remove it, or write two');
      if (text[at + 1] !== '\n') word = (word ?? '') + text.charAt(at + 1);
      at += 2;
    } else if (char === "'" || char === '"') {
      const quoted = char === "'" ? singleQuoted(text, at) : doubleQuoted(text, at);
      if (quoted === null) return refused(`a quote (${char}) is not closed`, 'close it, or write the command as a list');
      word = (word ?? '') + quoted.value;
      at = quoted.end;
    } else {
      const shell = matchAt(SHELL, text, at);
      if (shell !== null) return refused(`"${shell}" means something to a shell only`, 'commands run without a shell; write sh -c "…", or quote it');
      word = (word ?? '') + char;
      at += 1;
    }
  }
  if (word !== null) words.push(word);
  return { ok: true, words };
}

interface Quoted {
  readonly value: string;
  /** Behind the closing quote. */
  readonly end: number;
}

function singleQuoted(text: string, start: number): Quoted | null {
  const end = text.indexOf("'", start + 1);
  return end === -1 ? null : { value: text.slice(start + 1, end), end: end + 1 };
}

/** Between double quotes a backslash only counts before `$`, a backquote, `"`, another one, and the end of a line. */
function doubleQuoted(text: string, start: number): Quoted | null {
  let value = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (char === '"') return { value, end: at + 1 };
    if (char !== '\\' || !'$`"\\\n'.includes(next)) {
      value += char;
    } else {
      if (next !== '\n') value += next;
      at += 1;
    }
  }
  return null;
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function refused(message: string, hint: string): Words {
  return { ok: false, message, hint };
}
