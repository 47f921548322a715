import { reckon } from './arithmetic.ts';
import { fileNameOf, folderOf } from './path.ts';
import type { Report } from './report.ts';
import type { Table } from './tree.ts';

/** What placeholders tell of this machine and of who runs the emperor. */
export interface Host {
  /** `%h` */
  readonly hostname: string;
  /** `%k`: processors that may be used. */
  readonly cpus: number;
  /** `%u` and `%U` */
  readonly uid: number;
  readonly user: string;
  /** `%g` and `%G` */
  readonly gid: number;
  readonly group: string;
}

/** Environment of the emperor, for `$(NAME)`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Puts values in the place of placeholders. Undefined: it cannot, and a fault was told. */
export type Expand = (text: string, key: string, line: number) => string | undefined;

/** Longest text, in UTF-16 units, that placeholders may grow into. */
const LONGEST = 64 * 1024;

/** Longest chain of keys that refer to each other. */
const DEEPEST = 32;

/** `%(key)`, `%(a + 1)`, `%x`, `$(NAME)`, `$(NAME:-default)`; a `%` at the very end is itself (uWSGI core/utils.c, magic_sub). The limit keeps the search for a missing `)` short. */
const PLACEHOLDER = /%(?:\(([^()]{0,256})\)|([\s\S]))|\$\(([^()]{0,256})\)/gu;

/**
 * The letters that stand behind a `%`, as uWSGI has them; upper case `O P S D E N C X` is the same, as no template is included
 * here. Left out: what changes from start to start (`%t %T %i`) and what is of uWSGI itself (`%V %b`).
 * Source: uWSGI core/uwsgi.c, config_magic_table_fill.
 *
 * @param file absolute path, links not resolved, so that each link to a template has its own name
 */
export function magicLetters(file: string, host: Host): ReadonlyMap<string, string> {
  const name = fileNameOf(file);
  const folder = folderOf(file);
  const dot = name.lastIndexOf('.');
  const letters = new Map<string, string>([
    ['%', '%'],
    ['[', '\u001B'],
    ['h', host.hostname],
    ['k', String(host.cpus)],
    ['u', String(host.uid)],
    ['U', host.user],
    ['g', String(host.gid)],
    ['G', host.group],
    ['v', folder],
  ]);
  const ofFile = { j: pathHash(file), o: file, p: file, s: name, d: folder === '/' ? '/' : `${folder}/`, e: dot < 0 ? '' : name.slice(dot + 1), n: dot < 0 ? name : name.slice(0, dot), c: fileNameOf(folder), x: 'vassal' };
  for (const [letter, value] of Object.entries(ofFile)) letters.set(letter, value).set(letter.toUpperCase(), value);
  const parts = folder.split('/').slice(1);
  for (let digit = 0; digit <= 9; digit += 1) letters.set(String(digit), parts[digit] ?? '');
  return letters;
}

/** djb33x of a path, its bytes from the lowest on: core/utils.c, djb33x_hash, uwsgi_str_to_hex. */
function pathHash(path: string): string {
  let hash = 5381;
  for (const byte of new TextEncoder().encode(path)) hash = (Math.imul(hash, 33) ^ byte) >>> 0;
  return [0, 8, 16, 24].map((shift) => ((hash >>> shift) & 0xff).toString(16).padStart(2, '0').toUpperCase()).join('');
}

/**
 * Makes the expander of one section. `%(key)` is another single value of the section, with its own placeholders filled in.
 * What is put in is not looked at again. Faults have the code E_PLACEHOLDER.
 */
export function expander(section: Table, makeLetters: () => ReadonlyMap<string, string>, environment: Environment, report: Report): Expand {
  // Made when the first placeholder is met: most files have none, and with thousands of files it counts.
  let letters: ReadonlyMap<string, string> | null = null;
  const known = new Map<string, string | undefined>();
  const variableOf = (text: string) => {
    const [name = ''] = text.split(':-', 1);
    return Object.hasOwn(environment, name) ? environment[name] : undefined;
  };
  const defaultIn = (text: string) => (text.includes(':-') ? text.slice(text.indexOf(':-') + 2) : undefined);

  /** What an environment holds is quoted nowhere. */
  const careful = (key: string, message: string, withoutText: string): string => (/^environment(?:\.|$)/.test(key) ? withoutText : message);

  const fill = (text: string, key: string, line: number, chain: readonly string[]): string | undefined => {
    if (!text.includes('%') && !text.includes('$(')) return text;
    const tell = (message: string, hint: string | null = null) => report.tell('E_PLACEHOLDER', message, { line, key, hint });
    let filled = '';
    let from = 0;
    for (const match of text.matchAll(PLACEHOLDER)) {
      const [whole, name, letter, variable] = match;
      let value: string | undefined;
      if (name !== undefined) value = section.entries.has(name) || !name.includes(' ') ? follow(name, line, key, chain) : compute(name, line, key, chain);
      else if (variable !== undefined) value = variableOf(variable) ?? defaultIn(variable) ?? tell(careful(key, `the emperor has no environment variable ${JSON.stringify(variable)}`, 'the value names an environment variable that the emperor does not have'), 'write the $(…) of a shell with backquotes');
      else value = (letters ??= makeLetters()).get(letter ?? '') ?? tell(careful(key, `unknown placeholder "${whole}"`, 'the value has an unknown placeholder'), 'write %% for a percent sign');
      if (value === undefined) return undefined;
      filled += text.slice(from, match.index) + value;
      from = match.index + whole.length;
      if (filled.length > LONGEST) return tell(`the placeholders of "${key}" make a text of more than ${LONGEST / 1024} KiB`);
    }
    return filled + text.slice(from);
  };

  const follow = (name: string, line: number, key: string, chain: readonly string[]): string | undefined => {
    const tell = (message: string, hint: string | null = null) => report.tell('E_PLACEHOLDER', message, { line, key, hint });
    if (known.has(name)) return known.get(name);
    if (chain.includes(name)) return tell(`placeholders go in a circle: ${[...chain.slice(chain.indexOf(name)), name].join(' → ')}`);
    const entry = section.entries.get(name);
    if (entry?.value.kind !== 'scalar') {
      return tell(careful(key, entry === undefined ? `%(${name}) is no key of this section` : `%(${name}) is not a single value`, 'the value refers to what is no single value of this section'), 'write %% for a percent sign');
    }
    if (chain.length >= DEEPEST) return tell(`placeholders refer to each other more than ${DEEPEST} times`);
    const value = fill(entry.value.source, name, entry.line, [...chain, name]);
    known.set(name, value);
    return value;
  };

  const compute = (text: string, line: number, key: string, chain: readonly string[]): string | undefined => {
    const result = reckon(text, (word) => (/^\d{1,9}$/.test(word) && !section.entries.has(word) ? word : follow(word, line, key, chain)));
    return result ?? (result === null ? report.tell('E_PLACEHOLDER', careful(key, `%(${text}) cannot be reckoned`, 'the value has something to reckon that cannot be'), { line, key, hint: 'for example %(workers * 2)' }) : undefined);
  };

  return (text, key, line) => fill(text, key, line, [key]);
}
