import { sameAddress, type Listen } from '../core/address.ts';
import { FIRST_DESCRIPTOR } from '../core/descriptor.ts';
import type { Asked } from './asked.ts';
import { SOCKETS } from './adopted-sockets.ts';
import { replaceValues } from './in-place.ts';
import { DEFAULT_BACKLOG } from './listen-form.ts';
import { reportOn } from './report.ts';
import { parseUwsgiAddress } from './uwsgi-address.ts';
import { permissionsOf } from './uwsgi-permissions.ts';
import { readUwsgiSection, type UwsgiFile } from './uwsgi-section.ts';
import type { Adoption } from './adoption.ts';

/** Who connects to an on-demand vassal of uWSGI's Emperor need not be its user: core/emperor.c, on_demand_bind. */
const MODE = 0o666;

/**
 * A file of uWSGI that one of the three ways of its Emperor has on demand: the emperor listens at that address, and starts it at the first connection. A file that says itself
 * where it listens means that. `chmod-socket`, `chown-socket` and `listen` of the file count; where it names the same address itself, it finds the descriptor there.
 * @param address as it was said
 */
export function wakingOf(asked: Asked, address: string, file: UwsgiFile): Adoption {
  const { given, section, report } = asked;
  if (['listen', 'adopt-sockets', 'on-demand'].some((key) => section.entries.has(key))) return { asked, text: null };
  const read = parseUwsgiAddress(address, file.directory);
  if (!read.ok) {
    report.tell('E_VALUE', `it is to wait for its first connection at ${JSON.stringify(address)}: ${read.message}`, { hint: read.hint });
    return { asked, text: null };
  }
  // What uWSGI can make of its own section is not ours to judge here.
  const found = readUwsgiSection(file, reportOn(file.file), () => undefined);
  const { backlog, ...permissions } = found === undefined ? { backlog: DEFAULT_BACKLOG, mode: MODE, user: null, group: null } : permissionsOf(found, MODE);
  const listen: Listen = { address: read.address, backlog: Number.isNaN(backlog) ? DEFAULT_BACKLOG : backlog, ...(read.address.kind === 'unix' ? permissions : { mode: null, user: null, group: null }) };
  const same = (found?.options ?? []).filter((option) => {
    const value = SOCKETS.has(option.name) ? found?.expand(option) : undefined;
    const own = value === undefined ? null : parseUwsgiAddress(value, file.directory);
    return own?.ok === true && sameAddress(own.address, read.address);
  });
  const text = same.length === 0 ? null : replaceValues(file.text, file.file, same.map((option) => ({ option, value: `fd://${FIRST_DESCRIPTOR}` })));
  return { asked: { ...asked, given: { ...given, listen: [listen], 'on-demand': true } }, text: typeof text === 'string' ? text : null };
}
