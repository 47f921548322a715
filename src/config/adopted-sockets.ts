import { sameAddress, type Listen } from '../core/address.ts';
import { FIRST_DESCRIPTOR } from '../core/descriptor.ts';
import { ownOptions, readWhole, type ForeignOption } from './foreign-options.ts';
import { replaceValues } from './in-place.ts';
import { resolveFrom } from './path.ts';
import type { Report } from './report.ts';
import { parseUwsgiAddress } from './uwsgi-address.ts';
import { permissionsOf } from './uwsgi-permissions.ts';
import { readUwsgiSection, type UwsgiFile, type UwsgiSection } from './uwsgi-section.ts';

/** The sockets of a file of uWSGI, as the emperor is to open them. */
export interface Adopted {
  readonly listen: readonly Listen[];
  /** The file with descriptors in the place of its addresses. */
  readonly text: string;
}

/** What there is to take over from. */
export interface AdoptableFile extends UwsgiFile {
  /** Of the instances; null: nobody knows. */
  readonly umask: number | null;
  /** Where the file says that its sockets are to be taken over; null: elsewhere. */
  readonly line: number | null;
}

/** Options that name an address at which the workers themselves take requests; some have more behind a comma. Source: uWSGI core/uwsgi.c, uwsgi_base_options. */
export const SOCKETS: ReadonlySet<string> = new Set([
  's', 'socket', 'uwsgi-socket', 'suwsgi-socket', 'ssl-socket', 'puwsgi-socket', 'http-socket', 'http11-socket', 'https-socket', 'fastcgi-socket', 'fastcgi-nph-socket', 'scgi-socket',
  'scgi-nph-socket', 'raw-socket',
]);

/** The umask that hosts have: bind(2) leaves 0755. */
const USUAL_UMASK = 0o022;

const ROUTER = 'uWSGI opens that address in a process of its own, and of two at a time only one can';
const INSTEAD = 'name the address in "socket" or "http-socket"';

/** Options with which two of the same uWSGI cannot overlap, why, and what to do. */
const HINDERING: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ...Object.fromEntries(['http', 'https', 'https2', 'httprouter', 'fastrouter', 'rawrouter', 'sslrouter', 'sslrouter2', 'udp', 'upd'].map((name) => [name, [ROUTER, INSTEAD]])),
  ...Object.fromEntries(['shared-socket', 'undeferred-shared-socket'].map((name) => [name, ['a shared socket is opened by uWSGI before it reads any other', INSTEAD]])),
  ...Object.fromEntries(['zerg', 'zerg-server', 'zerg-pool', 'zergpool'].map((name) => [name, ['its sockets come from another uWSGI', INSTEAD]])),
  'abstract-socket': ['abstract sockets belong to nobody', 'remove it, and name a path'],
  'shutdown-sockets': ['it would end the socket for the next one, too', 'remove it'],
};

/**
 * Takes over the sockets of a file of uWSGI: `adopt-sockets`. The emperor opens them as uWSGI would, and uWSGI finds descriptors in their places, so that each keeps its protocol.
 * What stands in files that this one includes is not seen here.
 * @returns undefined: they cannot be taken over, and why was told
 */
export function adoptSockets(file: AdoptableFile, report: Report): Adopted | undefined {
  const tellAll = (message: string, hint: string | null, line = file.line): undefined => report.tell('E_KEY_CONFLICT', message, { line, key: 'adopt-sockets', hint });
  const section = readUwsgiSection(file, report, (line, reason) => tellAll('the sockets of a file that cannot be read as a whole cannot be taken over', reason, line));
  if (section === undefined) return undefined;
  const before = report.faults().length;
  tellHindrances(section);
  const sockets = section.options.filter(({ name }) => SOCKETS.has(name));
  if (sockets.length === 0 && report.faults().length === before) tellAll('there is no socket to take over', 'name one in the uwsgi section, e.g. "http-socket", or write adopt-sockets = false');
  const wanted = openable(section, sockets, file);
  if (report.faults().length > before) return undefined;
  const text = replaceValues(file.text, file.file, wanted);
  if (typeof text !== 'string') return section.tell(text, `the value of "${text.name}" cannot be told from what is beside it`, 'give it a line of its own');
  if (!says(text, file.file, wanted)) return tellAll('the addresses cannot be told from what is beside them', 'give each socket a line of its own');
  return { listen: wanted.map(({ listen }) => listen), text };
}

/** A socket, how it is to be opened, and what is to stand in its place. */
interface Wanted {
  readonly option: ForeignOption;
  readonly listen: Listen;
  readonly value: string;
}

function tellHindrances({ options, last, tell }: UwsgiSection): void {
  for (const option of options) {
    const hindrance = Object.hasOwn(HINDERING, option.name) ? HINDERING[option.name] : undefined;
    if (hindrance !== undefined) tell(option, `"${option.name}" does not go with adopt-sockets: ${hindrance[0]}`, hindrance[1]);
    const other = /%\(([^() ]+)/.exec(option.value)?.[1];
    if (other !== undefined && SOCKETS.has(other)) tell(option, `"${option.name}" refers to %(${other}), which will be a descriptor`, 'write the address itself');
  }
  const stats = last('stats', 'stats-server');
  if (stats?.value.includes(':') === true) tell(stats.option, `"${stats.option.name}" does not go with adopt-sockets: ${ROUTER}`, 'name the path of a unix socket');
}

function openable(section: UwsgiSection, sockets: readonly ForeignOption[], { file, directory, umask }: AdoptableFile): readonly Wanted[] {
  const { expand, last, tell } = section;
  const { backlog, ...permissions } = permissionsOf(section, 0o777 & ~(umask ?? USUAL_UMASK));
  const folder = resolveFrom(directory, last('chdir')?.value ?? '.');
  const inBlocks = blocksOf(section.options, /\.(?:xml|ya?ml|json)$/.test(file));
  const wanted: Wanted[] = [];
  for (const option of sockets) {
    const [, raw = '', more = ''] = /^([^,]*)(,[^]*)?$/.exec(option.value) ?? [];
    const value = inBlocks.has(option) ? tell(option, `whether "${option.name}" counts is known to nobody but uWSGI: it stands in a block`, 'take it out of the block of "if-…" or "for"') : expand(option, raw.trim());
    if (value === undefined) continue;
    const read = parseUwsgiAddress(value, folder);
    if (!read.ok) tell(option, `"${option.name}": ${read.message}`, read.hint);
    else if (wanted.some(({ listen }) => sameAddress(listen.address, read.address))) tell(option, `the address of "${option.name}" comes twice`, 'remove one of the two');
    else {
      const listen: Listen = { address: read.address, backlog, ...(read.address.kind === 'unix' ? permissions : { mode: null, user: null, group: null }) };
      wanted.push({ option, listen, value: `fd://${FIRST_DESCRIPTOR + wanted.length}${more}` });
    }
  }
  return wanted;
}

/** The options that stand between `if-…` or `for` and its end. @param anywhere the order of the lines tells nothing */
function blocksOf(options: readonly ForeignOption[], anywhere: boolean): ReadonlySet<ForeignOption> {
  const inside = new Set<ForeignOption>();
  let open = anywhere && options.some(({ name }) => isBeginning(name));
  for (const option of options) {
    if (isBeginning(option.name)) open = true;
    else if (/^end-?(?:if|for)$/.test(option.name) && !anywhere) open = false;
    else if (open) inside.add(option);
  }
  return inside;
}

function isBeginning(name: string): boolean {
  return /^(?:if-[a-z-]+|for|for-[a-z]+)$/.test(name) && name !== 'for-env';
}

/** Reads again what uWSGI will read. */
function says(text: string, file: string, wanted: readonly Wanted[]): boolean {
  const reading = readWhole(text, file);
  if (!reading.ok) return false;
  const values = ownOptions(reading.tree).filter(({ name }) => SOCKETS.has(name)).map(({ name, value }) => `${name}=${value}`);
  return values.join('\n') === wanted.map(({ option, value }) => `${option.name}=${value}`).join('\n');
}
