import type { Basis, Owner } from '../core/basis.ts';
import type { Probe, VassalSpec, Writing } from '../core/spec.ts';
import { canBeExported } from '../core/tyrant.ts';
import { didYouMean } from './nearest.ts';
import type { ForeignOption } from './foreign-options.ts';
import type { Environment, Host } from './placeholders.ts';
import type { Report } from './report.ts';
import { VASSAL_KEYS } from './schema.ts';
import { WRITING_OPTIONS } from './tyrant-options.ts';
import type { Entry, Table } from './tree.ts';

/** What holds for files that run as their owners: tyrant mode. */
export interface TyrantRules {
  /** Keys of the vassal section that an owner may use. */
  readonly keys: ReadonlySet<string>;
  /** Options of uWSGI that an owner may use. */
  readonly options: ReadonlySet<string>;
  /** Of a symlink its own owner counts. */
  readonly nofollow: boolean;
  /** Names of a user and a group, for placeholders; null: there is none. */
  readonly personOf: (owner: Owner) => Pick<Host, 'user' | 'group'> | null;
}

/**
 * The keys of a vassal section that do nothing to others: what runs, runs as the owner. Left out is what says as whom (`user`, `group`), and what lifts limits that
 * are there for everybody's sake (`limits`, `log`, `backoff`). A key that is not here has to be allowed by root.
 */
export const TYRANT_KEYS: readonly string[] = [
  'server', 'app', 'workers', 'command', 'directory', 'environment', 'environment-file', 'umask', 'listen', 'adopt-sockets', 'pass', 'channel', 'instances', 'reload', 'reload-signal', 'roll',
  'canary', 'linger', 'rollback', 'stop-signal', 'stop-timeout', 'ready', 'start-timeout', 'health', 'on-demand', 'idle-timeout', 'after', 'restart',
];

/** Ports below are those of the host: ip(7), ip_local_port_range and its neighbours. */
const FIRST_PORT = 1024;

/** For whom a file runs. Undefined: for nobody, which was told. */
export function ownerOf(basis: Basis | undefined, report: Report): Owner | undefined {
  const owner = basis?.owner;
  if (owner === undefined) return report.tell('E_TYRANT', 'nobody knows whose this text was: it is from before tyrant mode', { hint: 'touch the file' });
  if (owner.uid !== 0 && owner.gid !== 0) return owner;
  const [what, mend] = owner.uid === 0 ? ['root', 'chown USER:GROUP'] : ['the group root', 'chgrp GROUP'];
  return report.tell('E_TYRANT', `the file belongs to ${what}, and in tyrant mode each instance runs as the owner of its file`, { hint: `${mend} it, to whom it is to run as; for a symlink see tyrant-nofollow` });
}

/** What placeholders tell: of the owner, who may not read the emperor's environment. */
export function hostOf(owner: Owner, host: Host, { personOf }: TyrantRules): Host {
  const person = personOf(owner) ?? { user: String(owner.uid), group: String(owner.gid) };
  return { ...host, uid: owner.uid, gid: owner.gid, ...person };
}

/** Of the emperor's environment, what every instance gets anyway. */
export function publicPart(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => /^(?:PATH|LANG|LC_.*|TZ)$/.test(name)));
}

/** Tells of the keys that an owner may not use. */
export function tellKeys(section: Table, { keys }: TyrantRules, report: Report): void {
  for (const [name, { line, value }] of section.entries) {
    if (Object.hasOwn(VASSAL_KEYS, name) && !keys.has(name)) {
      const hint = name === 'user' || name === 'group' ? 'remove it: the instance runs as the owner of the file' : `remove it, or have root allow it: tyrant-keys = ["${name}"]`;
      report.tell('E_TYRANT', `"${name}" is not for a file that runs as its owner`, { line, key: name, hint });
    }
    if (name === 'listen') for (const [key, entry] of socketOwners(value)) report.tell('E_TYRANT', `"${key}" is not for a file that runs as its owner`, { line: entry.line, key, hint: 'remove it: a socket belongs to the owner of the file' });
  }
}

function socketOwners(value: Entry['value']): readonly (readonly [string, Entry])[] {
  const tables = value.kind === 'list' ? value.items : [value];
  return tables.flatMap((each) => (each.kind === 'table' ? [...each.entries].filter(([name]) => name === 'user' || name === 'group').map(([name, entry]) => [`listen.${name}`, entry] as const) : []));
}

const MOST_TOLD = 100;

/** Tells of the options of uWSGI that an owner may not use. Undefined options: they cannot be told apart, and so none is allowed. */
export function tellOptions(found: readonly ForeignOption[] | undefined, { options }: TyrantRules, report: Report): void {
  // A placeholder in a name would be another name to uWSGI. Of thousands the first will do: what was meant takes time to find.
  for (const { name, line } of (found ?? []).filter((each) => !options.has(each.name)).slice(0, MOST_TOLD)) {
    const known = didYouMean(name, [...options]);
    const hint = name === 'uid' || name === 'gid' ? 'remove it: the instance runs as the owner of the file' : (known ?? `remove it, or have root allow it: tyrant-options = ["${name}"]`);
    report.tell('E_TYRANT', `uWSGI's option "${name}" is not for a file that runs as its owner`, { line, key: name, hint });
  }
}

/** Where the options of uWSGI want to write, of those that name a path: where it goes is looked at on this host. */
export function writingsOf(found: readonly ForeignOption[], expand: (option: ForeignOption) => string | undefined, resolve: (path: string) => string): readonly Writing[] {
  return found.flatMap((option): Writing[] => {
    if (!WRITING_OPTIONS.has(option.name)) return [];
    const value = expand(option)?.replace(/^(?:file|redirectfile|fifo):/, '');
    // Addresses of hosts, descriptors, and the names of kinds of loggers are no paths.
    if (value === undefined || value === '' || value.startsWith('@') || /^[\w.*[\]:-]*:\d+$/.test(value) || /^(?:fd:\/\/|fd:|stdio|syslog|rsyslog:|socket:|udp:|[a-z0-9]+:\/\/)/.test(value)) return [];
    return [{ path: resolve(value), key: option.name, line: option.line }];
  });
}

/** Tells what a spec asks of the emperor itself, who is root, that its owner could not do. */
export function tellSpec(spec: VassalSpec, lines: (key: string) => number | null, report: Report): void {
  for (const { address } of spec.listen) {
    if (address.kind === 'tcp' && address.port < FIRST_PORT) {
      report.tell('E_TYRANT', `port ${address.port} is not for a file that runs as its owner`, { line: lines('listen'), key: 'listen', hint: `use a port from ${FIRST_PORT} on` });
    }
  }
  for (const [key, probe] of [['ready', spec.ready.kind === 'probe' ? spec.ready.probe : null], ['health', spec.health?.probe ?? null]] as const) {
    if (probe !== null && asksForeignFile(probe)) {
      report.tell('E_TYRANT', `"${key}" asks a unix socket by its path, as root`, { line: lines(key), key, hint: 'ask the first address of "listen", or a port' });
    }
  }
  for (const name of Object.keys(spec.environment)) {
    if (!canBeExported(name)) report.tell('E_TYRANT', 'a variable has a name that cannot be handed on to another user', { line: lines('environment'), key: 'environment', hint: 'use letters, digits and _' });
  }
}

function asksForeignFile(probe: Probe): boolean {
  return probe.kind !== 'command' && probe.target.kind === 'address' && probe.target.address.kind === 'unix';
}
