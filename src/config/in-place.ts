import type { ForeignOption } from './foreign-options.ts';
import { extensionOf } from './path.ts';

/** A part of a text, and what is to be there instead. */
interface Patch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** How a value is written behind its name, and alone, as an item of a list: the value is between the two groups. */
const WRITTEN: Readonly<Record<string, (name: string, value: string) => readonly RegExp[]>> = {
  xml: (name, value) => [new RegExp(`(<${name}>\\s*)${value}(?=\\s*</${name}>)`, 'g')],
  json: (name, value) => [new RegExp(`("${name}"\\s*:\\s*")${value}(?=")`, 'g'), new RegExp(`((?:^|[[,])\\s*")${value}(?=")`, 'g')],
  yaml: (name, value) => [new RegExp(`((?:^|[\\s{,"'])${name}["']?\\s*:\\s+["']?)${value}(?=["'\\s,}]|$)`, 'g'), new RegExp(`((?:^|[\\s[,])["']?)${value}(?=["'\\s,\\]]|$)`, 'g')],
};

/**
 * Puts other values in the place of some, where they stand. What comes out has to be read again: whether each was the right one is not looked at here.
 * @returns the new text; or the first option whose value is not found in its line, or more than once
 */
export function replaceValues(text: string, file: string, wanted: readonly { readonly option: ForeignOption; readonly value: string }[]): string | ForeignOption {
  const starts = startsOf(text);
  const patches: Patch[] = [];
  for (const { option, value } of wanted) {
    const from = starts[option.line - 1] ?? text.length;
    const line = text.slice(from, (starts[option.line] ?? text.length + 1) - 1);
    const place = placeIn(line, option, extensionOf(file));
    if (place === null) return option;
    patches.push({ from: from + place.from, to: from + place.to, text: value });
  }
  return patches.toSorted((a, b) => b.from - a.from).reduce((left, patch) => left.slice(0, patch.from) + patch.text + left.slice(patch.to), text);
}

function placeIn(line: string, { name, value }: ForeignOption, extension: string): Omit<Patch, 'text'> | null {
  const written = WRITTEN[extension === '.yml' ? 'yaml' : extension.slice(1)];
  if (written === undefined) return behindSign(line, value);
  const inside = extension === '.json' ? JSON.stringify(value).slice(1, -1) : value;
  for (const pattern of written(quoted(name), quoted(inside))) {
    const [found, another] = [...line.matchAll(pattern)];
    if (found === undefined || another !== undefined) continue;
    const from = found.index + (found[1] ?? '').length;
    return { from, to: from + inside.length };
  }
  return null;
}

/** Means itself in a regular expression. */
function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** As ini has it: all that is behind the first sign. */
function behindSign(line: string, value: string): Omit<Patch, 'text'> | null {
  const sign = line.indexOf('=');
  const from = line.indexOf(value, sign + 1);
  return sign < 0 || from < 0 ? null : { from, to: from + value.length };
}

function startsOf(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}
