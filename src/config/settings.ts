import type { Fault } from '../core/fault.ts';
import type { Address } from '../core/address.ts';
import { ADDRESS } from './address-form.ts';
import { COMMAND, type Argv } from './command-form.ts';
import { single, type Form } from './form.ts';
import { HOOKS, hooksOf, type GeneralHooks, type HookKeys } from './hook-keys.ts';
import { key, readKeys, tableOf, type Given, type Keys } from './keys.ts';
import { listOf } from './list-form.ts';
import { folderOf, resolveFrom } from './path.ts';
import { reportOn } from './report.ts';
import { BOOLEAN, choice, integer, PATH, TEXT } from './single-forms.ts';
import { scalar } from './tree.ts';
import { readToml } from './toml.ts';
import { duration } from './units.ts';

/** The emperor's own options, as `emperor.toml` names them. Paths absolute. */
export interface Settings {
  /** Folders, `dir://` and `glob://`, as written. */
  readonly sources: readonly string[];
  readonly state: string;
  readonly control: string;
  readonly logs: string;
  readonly 'control-group': string;
  readonly 'command-socket': string;
  readonly 'wait-for-command': boolean;
  readonly 'wait-for-command-ignore': readonly string[];
  readonly 'allow-writable': boolean;
  readonly 'log-level': 'trace' | 'debug' | 'info' | 'warn' | 'error';
  /** ms */
  readonly rescan: number;
  readonly 'max-starting': number;
  /** `auto`, `none`, or an absolute path. */
  readonly cgroup: string;
  readonly hooks: Given<HookKeys>;
  readonly 'vassals-start-hook': Argv;
  readonly 'vassals-stop-hook': Argv;
  readonly stats: Address;
  readonly 'stats-http': boolean;
  /** ms */
  readonly heartbeat: number;
  readonly tyrant: boolean;
  readonly 'tyrant-nofollow': boolean;
  readonly 'tyrant-keys': readonly string[];
  readonly 'tyrant-options': readonly string[];
  readonly 'no-new-privileges': boolean;
  readonly cap: readonly string[];
  readonly 'extra-extensions': readonly string[];
  readonly nofollow: boolean;
  readonly 'magic-exec': boolean;
  readonly 'on-demand-extension': string;
  readonly 'on-demand-directory': string;
  readonly 'on-demand-exec': string;
  readonly 'vassals-include': readonly string[];
  readonly 'vassals-include-before': readonly string[];
  readonly 'vassals-inherit': readonly string[];
  readonly 'vassals-inherit-before': readonly string[];
  readonly 'vassal-set': readonly string[];
}

/** capabilities(7), as setpriv(1) calls it. */
const CAPABILITY: Form<string> = single({
  label: 'the name or number of a capability',
  hint: 'write "net_bind_service", as in capabilities(7)',
  parse: (text) => {
    const name = text.toLowerCase().replace(/^cap_(?!\d)/, '');
    return /^\d{1,2}$/.test(name) ? `cap_${name}` : /^[a-z_]+$|^cap_\d{1,2}$/.test(name) ? name : undefined;
  },
});

const EXTENSION: Form<string> = single({
  label: 'the end of a name, with its dot',
  hint: 'write ".conf"',
  parse: (text) => (/^\.[\w.-]*\w$/.test(text) ? text : undefined),
});

/** What stands behind a name. */
const SIDE: Form<string> = single({
  label: 'the end of a name',
  hint: 'write ".socket"',
  parse: (text) => (/^[^/\0]+$/.test(text) ? text : undefined),
});

/** A file of options for uWSGI, `file:section` too, or something with a scheme. */
const TEMPLATE: Form<string> = single({
  label: 'a path',
  hint: 'write an absolute path, or one relative to the folder of this file',
  parse: (text, _written, place) => (text === '' ? undefined : /^[a-z]+:\/\//.test(text) ? text : resolveFrom(place.folder, text)),
});

const OPTION: Form<string> = single({
  label: 'an option with its value',
  hint: 'write "harakiri=30"',
  parse: (text) => (/^[^\s=]+(?:=[^]*)?$/.test(text) ? text : undefined),
});

const CGROUP: Form<string> = single({
  label: 'auto, none, or an absolute path',
  hint: 'write "auto", "none" or "/sys/fs/cgroup/emperor"',
  parse: (text) => (/^(?:auto|none|\/.*)$/.test(text) ? text : undefined),
});

/** By UDP, as uWSGI has it, too, nobody would know who gives orders. */
const COMMAND_SOCKET: Form<string> = single({
  label: 'the path of a unix socket',
  hint: 'write "/run/emperor/commands.sock"; by UDP nobody knows who sends',
  parse: (text, _written, place) => (text === '' || /^[^/]*:\d+$/.test(text) ? undefined : resolveFrom(place.folder, text)),
});

/** A bare path is a unix socket, as uWSGI has it. */
const STATS: Form<Address> = {
  ...ADDRESS,
  read: (node, place) => ADDRESS.read(node.kind === 'scalar' && node.source.startsWith('/') ? { ...node, source: `unix:${node.source}` } : node, place),
};

/** Every key of `emperor.toml`. Defaults of paths are those of root; others get the XDG folders. */
export const SETTINGS_KEYS: Keys<Settings> = {
  sources: key(listOf(TEXT), '/etc/emperor/vassals', '["/etc/emperor/vassals"]', 'where vassals come from: folders, `dir://…`, `glob://…`'),
  state: key(PATH, '/var/lib/emperor', '"/var/lib/emperor"', 'folder of the database and the FIFOs'),
  control: key(PATH, '/run/emperor/control.sock', '"/run/emperor/control.sock"', 'unix socket for the client verbs'),
  logs: key(PATH, '/var/log/emperor', '"/var/log/emperor"', 'folder of the output of the vassals'),
  'control-group': key(TEXT, 'none', '"adm"', 'group that may use the control socket'),
  'command-socket': key(COMMAND_SOCKET, 'none', '"/run/emperor/commands.sock"', "unix datagram socket for the commands of uWSGI's Emperor: `spawn`, `respawn`, `stop`, `log`"),
  'wait-for-command': key(BOOLEAN, 'false', 'true', 'a file alone starts nothing: `emperor start` does, or `spawn` on the command socket'),
  'wait-for-command-ignore': key(listOf(TEXT), 'none', '["shop"]', 'with `wait-for-command`: vassals that start by themselves, by their names or those of their files'),
  'allow-writable': key(BOOLEAN, 'false', 'true', 'as root: take vassal files, too, that others than root can write'),
  'log-level': key(choice('trace', 'debug', 'info', 'warn', 'error'), 'info', '"info"', 'least important message that is logged'),
  rescan: key(duration(1000), '60s', '"60s"', 'every source is looked at again after this time, hint or no hint'),
  'max-starting': key(integer(1, 10_000), 'cores × 2', '4', 'starts that are judged at one time; further ones wait for their turn'),
  cgroup: key(CGROUP, 'auto', '"/sys/fs/cgroup/emperor"', '`auto`: instances get cgroups where one was delegated to the emperor; `none`; or a cgroup (v2) that it may use'),
  hooks: { ...key(tableOf(HOOKS), 'none', '{ on-failure = "/usr/local/bin/tell" }', 'commands at points of the life of each vassal, before its own ones; they run as its instances do'), inner: HOOKS },
  'vassals-start-hook': key(COMMAND, 'none', '"/usr/local/bin/started"', "uWSGI's name for a `before-start` of all vassals, which gets the name of the file, and may fail"),
  'vassals-stop-hook': key(COMMAND, 'none', '"/usr/local/bin/stopped"', "uWSGI's name for an `after-exit` of all vassals, which gets the name of the file"),
  stats: key(STATS, 'none', '"127.0.0.1:9191"', "where the statistics of a uWSGI Emperor are told, to each who connects: a port, or a unix socket (`unix:/run/emperor/stats.sock`, or its path alone)"),
  'stats-http': key(BOOLEAN, 'false', 'true', 'they are told by HTTP'),
  heartbeat: key(duration(1), 'never', '"5s"', 'as a vassal of another Emperor: it says so often that it is well'),
  tyrant: key(BOOLEAN, 'false', 'true', 'each instance runs as the owner of its vassal file'),
  'tyrant-nofollow': key(BOOLEAN, 'false', 'true', 'with `tyrant`: of a symlink its own owner counts, not that of its target'),
  'tyrant-keys': key(listOf(TEXT), 'none', '["limits"]', 'with `tyrant`: further keys of the vassal section that owners may use'),
  'tyrant-options': key(listOf(TEXT), 'none', '["limit-post"]', "with `tyrant`: further options of uWSGI that owners may use"),
  'no-new-privileges': key(BOOLEAN, 'as `tyrant`', 'true', 'no program of an instance can gain rights, by setuid or otherwise: prctl(2)'),
  cap: key(listOf(CAPABILITY), 'all', '["net_bind_service"]', 'as root: the capabilities that instances can ever have, capabilities(7)'),
  'extra-extensions': key(listOf(EXTENSION), 'none', '[".conf"]', "further ends of names of vassal files, which are read as ini"),
  nofollow: key(BOOLEAN, 'false', 'true', 'a change behind a symlink is none until the symlink itself is touched'),
  'magic-exec': key(BOOLEAN, 'false', 'true', 'a vassal file that may be executed is run as its owner, and what it prints is what it says'),
  'on-demand-extension': key(SIDE, 'none', '".socket"', 'for uWSGI files: one with a file beside it, of this name behind its own, waits for its first connection at the address that stands in that'),
  'on-demand-directory': key(PATH, 'none', '"/run/vassals"', 'for uWSGI files: each waits for its first connection at `NAME.socket` in this folder'),
  'on-demand-exec': key(TEXT, 'none', '"/usr/local/bin/address-of"', 'for uWSGI files: a command line for a shell, which gets the path of the file and prints the address at which it waits for its first connection, or nothing'),
  'vassals-include': key(listOf(TEMPLATE), 'none', '["/etc/emperor/all.ini"]', 'for uWSGI files: options that come after those of the file, by `--include`'),
  'vassals-include-before': key(listOf(TEMPLATE), 'none', '["/etc/emperor/all.ini"]', 'the same, before those of the file'),
  'vassals-inherit': key(listOf(TEMPLATE), 'none', '["/etc/emperor/all.ini"]', 'for uWSGI files: options that come after those of the file, by `--inherit`'),
  'vassals-inherit-before': key(listOf(TEMPLATE), 'none', '["/etc/emperor/all.ini"]', 'the same, before those of the file'),
  'vassal-set': key(listOf(OPTION), 'none', '["harakiri=30"]', 'for uWSGI files: options by `--set`, before the file'),
};

/** The hooks that these settings give to all vassals. */
export function generalHooksOf(given: Given<Settings>): GeneralHooks {
  return { own: hooksOf(given.hooks), vassalsStart: given['vassals-start-hook'] ?? null, vassalsStop: given['vassals-stop-hook'] ?? null };
}

/** An address of `--stats`, as `stats` takes it; undefined: it is none. */
export function parseStats(text: string, folder: string): Address | undefined {
  const report = reportOn('');
  return STATS.read(scalar(text, 1), { key: 'stats', line: 1, report, expand: (value) => value, folder });
}

/** What `emperor.toml` says, or all of its faults. What it leaves out is not there. */
export type SettingsOutcome =
  | { readonly ok: true; readonly settings: Given<Settings> }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads the text of `emperor.toml`. Placeholders mean nothing here. @param file its absolute path */
export function parseSettings(text: string, file: string): SettingsOutcome {
  const reading = readToml(text.replace(/^\uFEFF/, ''), file);
  if (!reading.ok) return reading;
  const report = reportOn(file);
  const settings = readKeys(SETTINGS_KEYS, reading.tree, { report, expand: (text) => text, folder: folderOf(file) });
  const faults = report.faults();
  return faults.length === 0 ? { ok: true, settings } : { ok: false, faults };
}
