import { refuse, single, type Form, type Place } from './form.ts';
import type { Node } from './tree.ts';

/** Text that may be empty, or a number or a truth value as it is written. */
const VALUE: Form<string> = single({
  label: 'text',
  hint: 'write "" for an empty value',
  parse: (text, written) => (written === 'other' && text !== 'true' && text !== 'false' ? undefined : text),
});

/** Variables for the instance: a table, or lines `NAME=value`. The last one of a name counts, as in a shell. */
export const ENVIRONMENT: Form<Readonly<Record<string, string>>> = {
  label: 'a table of names and values',
  hint: 'write { NAME = "value" }, or "NAME=value"',
  read(node, place) {
    const variables: (readonly [string, string])[] = [];
    const refused = (node.kind === 'list' ? node.items : [node]).filter((part) => !readPart(part, place, variables));
    return refused.length === 0 ? Object.fromEntries(variables) : undefined;
  },
};

/** Adds what one part says; false: it was refused. */
function readPart(part: Node, place: Place, variables: (readonly [string, string])[]): boolean {
  if (part.kind === 'table') {
    let good = true;
    for (const [name, entry] of part.entries) {
      const inner = { ...place, key: `${place.key}.${name}`, line: entry.line };
      const value = isName(name, inner) ? VALUE.read(entry.value, inner) : undefined;
      if (value === undefined) good = false;
      else variables.push([name, value]);
    }
    return good;
  }
  const here = { ...place, line: part.line };
  if (part.kind !== 'scalar' || typeof part.value !== 'string' || !part.value.includes('=')) {
    refuse(here, `"${place.key}" wants ${ENVIRONMENT.label}`, ENVIRONMENT.hint);
    return false;
  }
  const sign = part.value.indexOf('=');
  const name = part.value.slice(0, sign).trim();
  // Not quoted: in a list that is split at the wrong place it is part of a value.
  const value = isName(name, here, 'what stands before the =') ? VALUE.read({ ...part, source: part.value.slice(sign + 1) }, here) : undefined;
  if (value === undefined) return false;
  variables.push([name, value]);
  return true;
}

/** environ(7) forbids only `=` and NUL; blanks in a name are always a mistake. */
function isName(name: string, place: Place, shown: string = JSON.stringify(name)): boolean {
  if (/^[^=\s\0]+$/.test(name)) return true;
  refuse(place, `${shown} cannot be the name of a variable`, 'a name has letters, digits and _');
  return false;
}
