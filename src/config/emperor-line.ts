import type { Fault } from '../core/fault.ts';
import { EMPEROR_OPTIONS, NEIGHBOURS, printHome, type EmperorOption } from './emperor-options.ts';
import { readIni } from './ini.ts';
import { readJson } from './json.ts';
import type { Given } from './keys.ts';
import { didYouMean } from './nearest.ts';
import { extensionOf, folderOf, resolveFrom } from './path.ts';
import { expander, magicLetters, type Environment, type Host } from './placeholders.ts';
import { reportOn, type Report } from './report.ts';
import { parseSettings, type Settings } from './settings.ts';
import { FOREIGN, table, type Entry, type Node, type Reading, type Table } from './tree.ts';
import { readXml } from './xml.ts';
import { readYaml } from './yaml.ts';

/** What an Emperor's command line needs of the world. */
export interface LineContext {
  /** Absolute. */
  readonly folder: string;
  readonly host: Host;
  readonly environment: Environment;
  /** The text of a file; null: it cannot be read. */
  readonly read: (path: string) => string | null;
}

/** What it means here. */
export interface LineReading {
  readonly settings: Given<Settings>;
  /** One line for each option, in their order: what it became. */
  readonly said: readonly string[];
  readonly faults: readonly Fault[];
}

/** An option as it was given. */
interface Mention {
  readonly name: string;
  readonly value: string;
  readonly file: string | null;
  readonly line: number | null;
}

/** Files that name files: uWSGI itself goes on until it has no memory left. */
const MOST_FILES = 32;

/** Options that name further files of options. */
const LOADERS: ReadonlySet<string> = new Set(['ini', 'xml', 'yaml', 'yml', 'json', 'js', 'include', 'inherit', 'config']);

const COMMAND_LINE = 'command line';

/**
 * Reads the command line of a uWSGI Emperor, with the files that it names: `--emperor DIR --emperor-tyrant`, `--ini emperor.ini:section`, `emperor.ini`. Pure.
 * What is no affair of an Emperor is told, and means nothing.
 */
export function readEmperorLine(words: readonly string[], context: LineContext): LineReading {
  const report = reportOn(COMMAND_LINE);
  const faults: Fault[] = [];
  const mentions = mentionsIn(words, report).flatMap((mention) => loaded(mention, [], context, faults, context.folder));
  const lists = new Map<string, string[]>();
  const said = mentions.map((mention) => `${placed(mention)} → ${take(mention, lists)}`);
  // What the values are worth is decided where those of emperor.toml are.
  const text = [...lists].map(([key, values]) => `${key} = ${values.length === 1 && /^(?:true|"[^]*")$/.test(values[0] ?? '') ? values[0] : `[${values.map((value) => JSON.stringify(value)).join(', ')}]`}`).join('\n');
  const outcome = parseSettings(text, `${context.folder}/${COMMAND_LINE}`);
  if (!outcome.ok) faults.push(...outcome.faults.map((fault) => ({ ...fault, file: COMMAND_LINE, line: null })));
  return { settings: outcome.ok ? outcome.settings : {}, said, faults: [...report.faults(), ...faults] };
}

function mentionsIn(words: readonly string[], report: Report): readonly Mention[] {
  const mentions: Mention[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, name, inline] = /^--?([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    if (name === undefined) {
      if (/\.(?:ini|xml|ya?ml|json)(?::[^/]*)?$/.test(word)) mentions.push({ name: 'config', value: word, file: null, line: null });
      else report.tell('E_SETTINGS', `${JSON.stringify(word)} is no option, and no file of options`, { hint: 'an option begins with --' });
      continue;
    }
    if (inline !== undefined || !takesValue(name, words[at + 1])) {
      mentions.push({ name, value: inline ?? '', file: null, line: null });
      continue;
    }
    at += 1;
    const value = words[at];
    if (value === undefined) report.tell('E_SETTINGS', `--${name} wants a value`, { key: name });
    else mentions.push({ name, value, file: null, line: null });
  }
  return mentions;
}

/** Of an option that is not the Emperor's nobody knows here: what is behind it is its value, unless it is an option, too. */
function takesValue(name: string, next: string | undefined): boolean {
  const known = optionOf(name);
  return known?.takesValue ?? (LOADERS.has(name) || (next !== undefined && !next.startsWith('-') && name !== 'master' && name !== 'M'));
}

function optionOf(name: string): EmperorOption | undefined {
  return EMPEROR_OPTIONS.find(({ names }) => names.includes(name));
}

/** The mention; or, where it names a file, those in that. @param chain the files that lead there */
function loaded(mention: Mention, chain: readonly string[], context: LineContext, faults: Fault[], folder: string): readonly Mention[] {
  if (!LOADERS.has(mention.name)) return [mention];
  const [, path = '', section = FOREIGN] = /^([^]*?)(?::([^/:]*))?$/.exec(mention.value) ?? [];
  const file = resolveFrom(folder, path);
  const tell = (message: string, hint: string | null): readonly Mention[] => {
    faults.push({ code: 'E_SETTINGS', message, file: mention.file ?? COMMAND_LINE, line: mention.line, key: mention.name, hint });
    return [];
  };
  if (chain.includes(file)) return tell(`files name each other in a circle: ${[...chain, file].join(' → ')}`, 'remove one of them');
  if (chain.length >= MOST_FILES) return tell(`more than ${MOST_FILES} files name each other`, null);
  const text = context.read(file);
  if (text === null) return tell(`${file} cannot be read`, 'look whether it is there');
  if (text.includes('\0')) return tell(`${file} holds NUL bytes: it is no text`, null);
  const reading = read(text, file);
  if (!reading.ok) {
    faults.push(...reading.faults);
    return [];
  }
  const found = reading.tree.entries.get(section)?.value;
  if (found?.kind !== 'table') return tell(`${file} has no section ${JSON.stringify(section)}`, 'name it behind a ":"');
  const report = reportOn(file);
  const flat = flatten(found);
  const values = table(new Map(flat.map(([name, entry]) => [name, entry])), found.line);
  const expand = expander(values, () => magicLetters(file, context.host), context.environment, report);
  const mentions = flat.flatMap(([name, { line, value }]): readonly Mention[] => {
    const known = optionOf(name);
    // What means nothing here need not be understood.
    if (known === undefined && !LOADERS.has(name)) return [{ name, value: '', file, line }];
    const text = value.kind === 'scalar' ? expand(value.source, name, line) : '';
    if (text === undefined || (known?.takesValue === false && /^(?:false|off|no|0)$/i.test(text))) return [];
    return loaded({ name, value: text, file, line }, [...chain, file], context, faults, folderOf(file));
  });
  faults.push(...report.faults());
  return mentions;
}

function read(text: string, file: string): Reading {
  switch (extensionOf(file)) {
    case '.json':
      return readJson(text, file);
    case '.yaml':
    case '.yml':
      return readYaml(text, file, true);
    case '.xml':
      return readXml(text, file, true);
    default:
      return readIni(text, file, true);
  }
}

/** Each mention of each key; what came again is a list to us. */
function flatten({ entries }: Table): readonly (readonly [string, Entry])[] {
  return [...entries].flatMap(([name, { line, value }]) => (value.kind === 'list' ? value.items.map((item: Node) => [name, { line: item.line, value: item }] as const) : [[name, { line, value }] as const]));
}

function placed({ name, value, file, line }: Mention): string {
  const shown = `--${name}${value === '' ? '' : ` ${value}`}`;
  return file === null ? shown : `${shown} (${file}:${line})`;
}

/** Takes an option over, and says what it became. */
function take({ name, value }: Mention, lists: Map<string, string[]>): string {
  const home = optionOf(name)?.home;
  if (home === undefined) {
    const meant = didYouMean(name, EMPEROR_OPTIONS.flatMap(({ names }) => names).filter((each) => each.startsWith('emperor') || each.startsWith('vassal')));
    return `nothing: ${(Object.hasOwn(NEIGHBOURS, name) ? NEIGHBOURS[name] : undefined) ?? meant ?? 'it is no option of an Emperor'}`;
  }
  const add = (key: string, ...values: readonly string[]): void => void lists.set(key, [...(lists.get(key) ?? []), ...values]);
  switch (home.kind) {
    case 'source':
      add('sources', value);
      return `sources = ${JSON.stringify(value)}`;
    case 'setting': {
      if (home.form === 'flag') lists.set(home.key, ['true']);
      else if (home.form === 'text') lists.set(home.key, [JSON.stringify(value)]);
      else if (home.form === 'seconds') lists.set(home.key, [`"${Math.max(1, Number.parseInt(value, 10) || 1)}s"`]);
      else add(home.key, ...(home.form === 'names' ? value.split(/[\s,]+/).filter((each) => each !== '') : [value]));
      return `${home.key} in emperor.toml${home.key === 'tyrant' ? ': no-new-privileges is set, and uWSGI options beyond those of README need tyrant-options' : ''}`;
    }
    case 'vassal':
      return `${home.write.replaceAll('%s', `${value}${home.unit ?? ''}`)} in each file, or in _defaults.toml of its folder: it is not taken over`;
    case 'instead':
    case 'declined':
      return printHome(home);
    default:
      return home satisfies never;
  }
}
