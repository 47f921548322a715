import { matchesGlob } from 'node:path';
import { unreachable } from '../errors.ts';

/** One name of a path pattern. `any-depth` is `**`: any number of folders, or none. */
export type Segment =
  | { readonly kind: 'literal'; readonly name: string }
  | { readonly kind: 'pattern'; readonly glob: string }
  | { readonly kind: 'any-depth' };

const MAGIC = /[*?[\]{}]|[!+@]\(/;

/** True if a text means more than itself. */
export function hasMagic(text: string): boolean {
  return MAGIC.test(text);
}

/** The ways to read an absolute pattern, name by name. Braces may span slashes (`/srv/{a,b/c}/*.toml`), so there may be several. */
export function parseGlob(pattern: string): readonly (readonly Segment[])[] {
  return expandBraces(pattern).map((each) => {
    const segments = each.split('/').filter((name) => name !== '' && name !== '.').map(segment);
    // Files are meant in the end, and `**` alone stands for folders.
    return segments.at(-1)?.kind === 'any-depth' ? [...segments, segment('*')] : segments;
  });
}

/** An absolute path as a pattern that means only itself. */
export function literalPath(path: string): readonly Segment[] {
  return path.split('/').filter((name) => name !== '').map((name) => ({ kind: 'literal', name }));
}

function segment(name: string): Segment {
  if (name === '**') return { kind: 'any-depth' };
  return hasMagic(name) ? { kind: 'pattern', glob: name } : { kind: 'literal', name };
}

/** `a{b,c{d,e}}` → `ab`, `acd`, `ace`. Braces without a comma mean themselves, as in a shell. */
function expandBraces(pattern: string): readonly string[] {
  for (let open = pattern.indexOf('{'); open >= 0; open = pattern.indexOf('{', open + 1)) {
    const commas: number[] = [];
    let depth = 0;
    for (let at = open; at < pattern.length; at += 1) {
      const char = pattern[at];
      if (char === '{') depth += 1;
      if (char === ',' && depth === 1) commas.push(at);
      if (char !== '}') continue;
      depth -= 1;
      if (depth > 0) continue;
      if (commas.length === 0) break;
      const cuts = [open, ...commas, at];
      const before = pattern.slice(0, open);
      const after = pattern.slice(at + 1);
      return cuts.slice(1).flatMap((cut, index) => expandBraces(before + pattern.slice((cuts[index] ?? 0) + 1, cut) + after));
    }
  }
  return [pattern];
}

/** True if a name fits a segment. Hidden names have to be asked for by their dot. */
export function fits(name: string, part: Segment): boolean {
  switch (part.kind) {
    case 'literal':
      return name === part.name;
    case 'pattern':
      return matchesGlob(name, part.glob);
    case 'any-depth':
      return !name.startsWith('.');
    default:
      return unreachable(part);
  }
}

/** `whole`: the names are a path that the segments mean. `part`: they may be the beginning of one. */
export function fit(names: readonly string[], segments: readonly Segment[]): 'whole' | 'part' | 'none' {
  const [part, ...rest] = segments;
  const [name, ...others] = names;
  if (part === undefined) return name === undefined ? 'whole' : 'none';
  if (part.kind === 'any-depth') {
    const here = fit(names, rest);
    if (here === 'whole' || name === undefined) return here === 'none' ? 'part' : here;
    const deeper = fits(name, part) ? fit(others, segments) : 'none';
    return deeper === 'none' ? here : deeper;
  }
  if (name === undefined) return 'part';
  return fits(name, part) ? fit(others, rest) : 'none';
}
