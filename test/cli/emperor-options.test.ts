import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/cli/resolve-settings.ts';
import { readEmperorLine } from '../../src/config/emperor-line.ts';
import { EMPEROR_OPTIONS, printHome, type EmperorOption } from '../../src/config/emperor-options.ts';
import { VASSAL_KEYS } from '../../src/config/schema.ts';
import { SETTINGS_KEYS } from '../../src/config/settings.ts';
import { CONTEXT, faultsOf } from '../config/context.ts';

/** Every option of the Emperor in uWSGI 2.0 and in its master branch. Source: core/uwsgi.c of both. */
const INVENTORY = `emperor early-emperor emperor-broodlord emperor-cap vassal-cap vassals-cap emperor-curse-tolerance emperor-extra-ext emperor-extra-extension emperor-freq
emperor-graceful-shutdown emperor-magic-exec emperor-max-throttle emperor-no-blacklist emperor-nofollow emperor-on-demand-dir emperor-on-demand-directory emperor-on-demand-exec
emperor-on-demand-ext emperor-on-demand-extension emperor-pidfile emperor-procname emperor-proxy-socket emperor-required-heartbeat emperor-stats emperor-stats-server emperor-throttle
emperor-tyrant emperor-tyrant-nofollow emperor-use-clone emperor-wrapper emperor-wrapper-fallback emperor-wrapper-override imperial-monitor-list imperial-monitors-list heartbeat
vassal-sos vassal-sos-backlog vassal-set vassals-set vassals-include vassals-include-before vassals-inherit vassals-inherit-before vassals-start-hook vassals-stop-hook hook-as-vassal
exec-as-vassal mount-as-vassal umount-as-vassal call-as-vassal call-as-vassal1 call-as-vassal3 hook-as-emperor exec-as-emperor mount-as-emperor umount-as-emperor call-as-emperor
call-as-emperor1 call-as-emperor2 call-as-emperor4 hook-emperor-start hook-emperor-stop hook-emperor-reload hook-emperor-lost emperor-chdir-attr emperor-collect-attr
emperor-collect-attribute emperor-command-socket emperor-fork-server-attr emperor-subreaper emperor-trigger-socket emperor-tyrant-initgroups emperor-use-fork-server
emperor-wait-for-command emperor-wait-for-command-ignore emperor-wrapper-attr fork-server fork-socket hook-as-emperor-before-vassal hook-as-emperor-setns hook-as-on-config-vassal
hook-as-on-demand-vassal hook-as-vassal-before-drop vassal-fork-base zeus else`.split(/\s+/);

/** A value that each of them takes. */
const VALUES: Readonly<Record<string, string>> = {
  'emperor-cap': 'setgid', 'emperor-extra-extension': '.conf', 'emperor-stats': '127.0.0.1:9191', 'vassal-set': 'harakiri=30', 'emperor-on-demand-extension': '.on', 'emperor-command-socket': '/run/commands',
};

/** Flags that mean nothing by themselves. */
const WITH: Readonly<Record<string, readonly string[]>> = {
  'emperor-tyrant-nofollow': ['--emperor-tyrant'],
  'emperor-wait-for-command-ignore': ['--emperor-wait-for-command'],
};

const rows = EMPEROR_OPTIONS.map((option): [string, EmperorOption] => [option.names[0] ?? '', option]);

function line(words: readonly string[]): ReturnType<typeof readEmperorLine> {
  return readEmperorLine(words, { folder: '/w', host: CONTEXT.host, environment: CONTEXT.environment, read: () => null });
}

/** The words for an option by one of its names. */
function words({ takesValue, names }: EmperorOption, name: string = names[0] ?? ''): readonly string[] {
  return takesValue ? [`--${name}`, VALUES[names[0] ?? ''] ?? '7'] : [`--${name}`];
}

function resolved(given: readonly string[]): unknown {
  const process = { startedBy: 'me', readable: false, program: { file: 'node', args: [], rehearsal: [] }, cores: 3 };
  return resolveSettings([], {}, line(given).settings, { root: true, home: '/root', environment: {} }, process);
}

it('the table has every option there is, and no other', () => {
  expect(EMPEROR_OPTIONS.flatMap(({ names }) => names).toSorted()).toEqual(INVENTORY.toSorted());
});

describe('the row of', () => {
  it.each(rows)('%s says what there is now, and of what is declined why', (_name, { home }) => {
    const text = printHome(home);
    expect(text).not.toMatch(/\b(?:later|soon|yet|planned|todo|not supported|unsupported)\b/i);
    if (home.kind === 'declined') expect(text.length).toBeGreaterThan('none: '.length + 20);
  });

  it.each(rows)('%s is taken by --emperor-compat under each of its names, and said', (_name, option) => {
    for (const name of option.names) {
      const { faults, said } = line(words(option, name));
      expect(faults).toEqual([]);
      expect(said).toEqual([expect.stringMatching(/ → (?!nothing:)./)]);
    }
  });

  it.each(rows.filter(([, { home }]) => home.kind === 'setting' || home.kind === 'source'))('%s leads to a setting that the emperor is run with', (name, option) => {
    const before = WITH[name] ?? [];
    expect(resolved([...before, ...words(option)])).not.toEqual(resolved(before));
  });

  it.each(rows.flatMap(([name, { home }]) => (home.kind === 'vassal' ? [[name, home.write.replaceAll('%s', `30${home.unit ?? ''}`)] as const] : [])))('%s is said by a key that a file may have: %s', (_name, text) => {
    expect(faultsOf('/v/shop.toml', `[vassal]\ncommand = "a"\n${text.replace(', on-demand', '\non-demand')}`)).toEqual([]);
  });

  it.each(rows.flatMap(([name, { home }]) => (home.kind === 'instead' || home.kind === 'declined' ? [[name, printHome(home)] as const] : [])))('%s names keys, verbs and words that there are: %s', (_name, text) => {
    const verbs = new Set(readdirSync(new URL('../../src/cli/commands', import.meta.url)).map((file) => file.replace('.ts', '')));
    const others = new Set(['uwsgi', 'lazy-apps', 'HUP', 'BindPaths', 'idle', 'edited', 'dir://', 'glob://', 'vassal', 'hook-…', 'exec-…']);
    for (const [, quoted = ''] of text.matchAll(/`([^`]+)`/g)) {
      const verb = /^emperor (\w+)/.exec(quoted)?.[1];
      const first = /^[^\s=]+/.exec(quoted)?.[0] ?? '';
      const known = verb === undefined ? Object.hasOwn(VASSAL_KEYS, first) || Object.hasOwn(SETTINGS_KEYS, first) || others.has(first) || verbs.has(first) || first.startsWith('.emperor') : verbs.has(verb) || ['help', 'scale'].includes(verb);
      expect([quoted, known]).toEqual([quoted, true]);
    }
  });
});
