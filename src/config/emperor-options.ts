import type { Settings } from './settings.ts';

/** Where an option of uWSGI's Emperor lives here. */
export type Home =
  /** A source of vassals. */
  | { readonly kind: 'source' }
  /** A key of `emperor.toml`. `seconds`: a number of them; `list`: may come again, or have commas. */
  | { readonly kind: 'setting'; readonly key: keyof Settings; readonly form: 'flag' | 'text' | 'list' | 'names' | 'seconds' }
  /** A key of vassal files, or of the defaults of their folder: `%s` is the value. */
  | { readonly kind: 'vassal'; readonly write: string; readonly unit?: 's' | 'ms' }
  /** It is so always, or something else does it. */
  | { readonly kind: 'instead'; readonly what: string }
  /** There is no such thing, and why. */
  | { readonly kind: 'declined'; readonly why: string };

/** One option, with its other names. */
export interface EmperorOption {
  readonly names: readonly string[];
  /** The version of uWSGI that has it first; 2.1 was never released. */
  readonly since: '2.0' | '2.1';
  /** False: it is a flag. */
  readonly takesValue: boolean;
  readonly home: Home;
}

const HOOKS = "its actions are the language of uWSGI's own hooks; what one executes is a command of `hooks`, in the file or for all vassals in emperor.toml";
const CALLS = 'it calls a function in the C code of uWSGI and its plugins, which are not in this process';
const MOUNTS = 'mounts are the affair of the host; with `runner = "systemd"` properties such as `BindPaths` give an instance its own';
const ASLEEP = 'a vassal that sleeps has no process; `emperor events -f` tells of it (`idle`, `edited`)';
const FORK_SERVER = 'an instance that another one has forked is not a child of the emperor, and has its memory: `lazy-apps = false` shares it within one instance';

function option(names: string, takesValue: boolean, home: Home, since: EmperorOption['since'] = '2.0'): EmperorOption {
  return { names: names.split(' '), since, takesValue, home };
}

function setting(key: keyof Settings, form: Extract<Home, { kind: 'setting' }>['form'] = 'flag'): Home {
  return { kind: 'setting', key, form };
}

/** Every option of the Emperor of uWSGI 2.0 and 2.1. Source: uWSGI core/uwsgi.c, uwsgi_base_options. */
export const EMPEROR_OPTIONS: readonly EmperorOption[] = [
  option('emperor', true, { kind: 'source' }),
  option('early-emperor', false, { kind: 'instead', what: 'the emperor does nothing else before' }),
  option('emperor-broodlord', true, { kind: 'instead', what: '`instances = { min, max }` in each file, by its own need; `emperor scale NAME COUNT`' }),
  option('emperor-cap vassal-cap vassals-cap', true, setting('cap', 'names')),
  option('emperor-curse-tolerance', true, { kind: 'vassal', write: 'stop-timeout = "%s"', unit: 's' }),
  option('emperor-extra-extension emperor-extra-ext', true, setting('extra-extensions', 'list')),
  option('emperor-freq', true, setting('rescan', 'seconds')),
  option('emperor-graceful-shutdown', false, { kind: 'instead', what: 'every stop is graceful: `stop-signal`, then KILL after `stop-timeout`' }),
  option('emperor-magic-exec', false, setting('magic-exec')),
  option('emperor-throttle', true, { kind: 'vassal', write: 'backoff = { first = "%s" }', unit: 'ms' }),
  option('emperor-max-throttle', true, { kind: 'vassal', write: 'backoff = { max = "%s" }', unit: 'ms' }),
  option('emperor-no-blacklist', false, { kind: 'instead', what: 'nothing is given up: starts are tried again after `backoff`, and at once when the file changes' }),
  option('emperor-nofollow', false, setting('nofollow')),
  option('emperor-on-demand-directory emperor-on-demand-dir', true, setting('on-demand-directory', 'text')),
  option('emperor-on-demand-extension emperor-on-demand-ext', true, setting('on-demand-extension', 'text')),
  option('emperor-on-demand-exec', true, setting('on-demand-exec', 'text')),
  option('emperor-pidfile', true, { kind: 'instead', what: '`emperor status --json`, `.emperor.pid`; systemd knows it, too' }),
  option('emperor-procname', true, { kind: 'declined', why: 'a process is known by its program; units and `status` know it by its pid' }),
  option('emperor-proxy-socket', true, { kind: 'instead', what: 'an option of vassals, for other programs to speak to their Emperor: `channel = true` in the file of any `command`' }),
  option('emperor-required-heartbeat', true, { kind: 'vassal', write: 'health = { watchdog = "%s" }', unit: 's' }),
  option('emperor-stats emperor-stats-server', true, setting('stats', 'text')),
  option('emperor-tyrant', false, setting('tyrant')),
  option('emperor-tyrant-nofollow', false, setting('tyrant-nofollow')),
  option('emperor-use-clone', true, { kind: 'declined', why: 'namespaces are the affair of systemd, or of unshare(1) as `command`' }),
  option('emperor-wrapper emperor-wrapper-override emperor-wrapper-fallback', true, { kind: 'instead', what: '`command` in the file names any program; for files of uWSGI, a `uwsgi` that comes first in PATH' }),
  option('imperial-monitor-list imperial-monitors-list', false, { kind: 'instead', what: '`emperor help run`: `dir://`, `glob://`' }),
  option('heartbeat', true, setting('heartbeat', 'seconds')),
  option('vassal-sos vassal-sos-backlog', true, { kind: 'instead', what: '`instances = { min, max }` in the file: one more for each cry for help' }),
  option('vassal-set vassals-set', true, setting('vassal-set', 'list')),
  option('vassals-include', true, setting('vassals-include', 'list')),
  option('vassals-include-before', true, setting('vassals-include-before', 'list')),
  option('vassals-inherit', true, setting('vassals-inherit', 'list')),
  option('vassals-inherit-before', true, setting('vassals-inherit-before', 'list')),
  option('vassals-start-hook', true, setting('vassals-start-hook', 'text')),
  option('vassals-stop-hook', true, setting('vassals-stop-hook', 'text')),
  option('hook-as-vassal', true, { kind: 'declined', why: HOOKS }),
  option('exec-as-vassal', true, { kind: 'instead', what: '`hooks = { before-start = "…" }`: before the instance, as it' }),
  option('mount-as-vassal umount-as-vassal mount-as-emperor umount-as-emperor', true, { kind: 'declined', why: MOUNTS }),
  option('call-as-vassal call-as-vassal1 call-as-vassal3 call-as-emperor call-as-emperor1 call-as-emperor2 call-as-emperor4', true, { kind: 'declined', why: CALLS }),
  option('hook-as-emperor', true, { kind: 'declined', why: HOOKS }),
  option('exec-as-emperor', true, { kind: 'instead', what: '`hooks = { after-ready = "…" }`, in emperor.toml for all vassals: it runs as the instance does, and holds up nothing' }),
  option('hook-emperor-start hook-emperor-stop hook-emperor-reload hook-emperor-lost', true, { kind: 'instead', what: 'options of vassals: uWSGI does them by itself' }),
  option('emperor-chdir-attr', true, { kind: 'instead', what: '`directory` in the file' }, '2.1'),
  option('emperor-collect-attr emperor-collect-attribute', true, { kind: 'instead', what: 'the `vassal` section of the file' }, '2.1'),
  option('emperor-command-socket', true, setting('command-socket', 'text'), '2.1'),
  option('emperor-trigger-socket', true, { kind: 'instead', what: 'files are watched; `HUP` looks at all of them' }, '2.1'),
  option('emperor-subreaper', false, { kind: 'instead', what: 'instances are kept together by cgroups, sessions and marks' }, '2.1'),
  option('emperor-tyrant-initgroups', false, { kind: 'instead', what: 'with `tyrant` always' }, '2.1'),
  option('emperor-wait-for-command', false, setting('wait-for-command'), '2.1'),
  option('emperor-wait-for-command-ignore', true, setting('wait-for-command-ignore', 'list'), '2.1'),
  option('emperor-wrapper-attr', true, { kind: 'instead', what: '`command` in the file' }, '2.1'),
  option('emperor-use-fork-server emperor-fork-server-attr fork-server fork-socket vassal-fork-base', true, { kind: 'declined', why: FORK_SERVER }, '2.1'),
  option('hook-as-emperor-before-vassal', true, { kind: 'instead', what: '`hooks = { before-start = "…" }`: if it fails, so has the start' }, '2.1'),
  option('hook-as-vassal-before-drop', true, { kind: 'declined', why: 'nothing that is said for a vassal runs as root' }, '2.1'),
  option('hook-as-emperor-setns', true, { kind: 'declined', why: 'namespaces are the affair of systemd, or of nsenter(1)' }, '2.1'),
  option('hook-as-on-config-vassal hook-as-on-demand-vassal', true, { kind: 'declined', why: ASLEEP }, '2.1'),
  option('zeus', true, { kind: 'declined', why: 'it is a stub in uWSGI: with it stop and reload do nothing' }, '2.1'),
  option('else', false, { kind: 'instead', what: 'a word of files of uWSGI, which it reads itself' }, '2.1'),
];

/** Options that real files of Emperors have beside those of the Emperor. */
export const NEIGHBOURS: Readonly<Record<string, string>> = {
  uid: 'start the emperor as that user (`User=` of a unit), or use `tyrant`', gid: 'start the emperor with that group (`Group=` of a unit), or use `tyrant`',
  logto: 'the emperor logs to its output, and systemd keeps that', logto2: 'the emperor logs to its output, and systemd keeps that',
  daemonize: 'the emperor stays in the foreground; systemd, or `&`, does it', daemonize2: 'the emperor stays in the foreground; systemd, or `&`, does it',
  pidfile: '`emperor status --json`, `.emperor.pid`', pidfile2: '`emperor status --json`, `.emperor.pid`', stats: '`emperor status --json`',
  master: 'the emperor needs none', 'die-on-term': 'TERM ends the emperor', 'cap': '`cap` in emperor.toml is for vassals; for the emperor itself, `CapabilityBoundingSet=` of a unit',
  'log-date': 'each line of its log has the time', 'disable-logging': '`--log-level`',
};

/** The home of an option in words. */
export function printHome(home: Home): string {
  switch (home.kind) {
    case 'source':
      return '`emperor run SOURCE…`, `sources`';
    case 'setting':
      return `\`${home.key}\` in emperor.toml`;
    case 'vassal':
      return `\`${home.write.replaceAll('%s', '…')}\` in the file, or in \`_defaults.toml\` of its folder`;
    case 'instead':
      return home.what;
    case 'declined':
      return `none: ${home.why}`;
    default:
      return home satisfies never;
  }
}

/** All of them as a markdown table, for README. Ends in a newline. */
export function emperorOptionsTable(): string {
  const rows = EMPEROR_OPTIONS.map(({ names, since, home }) => `| ${names.map((name) => `\`${name}\``).join(', ')}${since === '2.1' ? ' (2.1)' : ''} | ${printHome(home)} |\n`);
  return `| option of uWSGI's Emperor | here |\n|---|---|\n${rows.join('')}`;
}
