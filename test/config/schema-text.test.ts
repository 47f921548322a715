import { expect, it } from 'vitest';
import type { Key } from '../../src/config/keys.ts';
import { schemaHelp, schemaTable, settingsTable } from '../../src/config/schema-text.ts';
import { VASSAL_KEYS } from '../../src/config/schema.ts';
import { parseSettings, SETTINGS_KEYS } from '../../src/config/settings.ts';
import { faultsOf } from './context.ts';

it('lists each key that works, and those of its tables', () => {
  for (const name of ['command', 'stop-timeout', 'listen.address', 'ready.after', 'ready.http', 'health.watchdog', 'canary.share', 'backoff.reset-after', 'log.format', 'limits.memory', 'hooks.before-start', 'instances.max', 'scale-up.backlog', 'scale-down.idle']) {
    expect(schemaTable()).toContain(`| \`${name}\` |`);
    expect(schemaHelp()).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
});

it('makes a table whose rows have the same columns', () => {
  const rows = schemaTable().split('\n').filter((line) => line.startsWith('|'));
  expect(rows.map((row) => row.split('|').length)).toEqual(rows.map(() => 6));
});

const COMMAND = 'command = "a"';
const LISTEN = `${COMMAND}\nlisten = ":80"`;

/** What has to stand beside a key; the others need a command only. */
const NEEDS: Readonly<Record<string, string>> = {
  server: 'app = "a"',
  app: 'server = "gunicorn"',
  workers: 'server = "gunicorn"\napp = "a"',
  command: '',
  pass: LISTEN,
  'reload-signal': `${COMMAND}\nreload = "signal"`,
  roll: LISTEN,
  canary: LISTEN,
  health: LISTEN,
  'on-demand': LISTEN,
  'scale-up': `${LISTEN}\ninstances = { max = 2 }`,
  'scale-down': `${LISTEN}\ninstances = { max = 2 }`,
  systemd: `${COMMAND}\nrunner = "systemd"`,
  'idle-timeout': `${LISTEN}\non-demand = true`,
};

it.each(Object.entries(VASSAL_KEYS).map(([name, key]) => [name, key.example]))('the example of %s is right', (name, example) => {
  // TOML is not for uWSGI.
  const text = name === 'adopt-sockets' ? `[uwsgi]\nsocket = :80\n[vassal]\n${name} = ${example}` : `[vassal]\n${name} = ${example}\n${NEEDS[name] ?? COMMAND}`;
  expect(faultsOf(name === 'adopt-sockets' ? '/v/shop.ini' : '/v/shop.toml', text)).toEqual([]);
});

/** What has to stand beside a key of a table. */
const INNER_NEEDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['mode', 'user', 'group', 'backlog'].map((key) => [`listen.${key}`, 'listen.address = "unix:/run/shop.sock"'])),
  ...Object.fromEntries(['scale-up.backlog', 'scale-up.for', 'scale-up.cool-down', 'scale-down.idle'].map((key) => [key, 'listen = ":80"\ninstances = { max = 2 }'])),
  'listen.v6only': 'listen.address = ":80"',
  ...Object.fromEntries(['ready.', 'health.'].flatMap((table) => ['status', 'body', 'interval', 'timeout', 'failures', 'grace'].map((key) => [`${table}${key}`, `${table}http = "/"\nlisten = ":80"`]))),
  ...Object.fromEntries(['ready.http', 'ready.tcp', 'health.http', 'health.tcp', 'canary.share', 'canary.for'].map((key) => [key, 'listen = ":80"'])),
};

it.each(Object.entries(VASSAL_KEYS).flatMap(([table, { inner }]: [string, Key<unknown>]) => Object.entries<Key<unknown>>({ ...inner }).map(([name, key]) => [`${table}.${name}`, key.example])))('the example of %s is right', (name, example) => {
  expect(faultsOf('/v/shop.toml', `[vassal]\n${COMMAND}\n${name} = ${example}\n${INNER_NEEDS[name] ?? ''}`)).toEqual([]);
});

it.each(Object.entries(SETTINGS_KEYS).map(([name, key]) => [name, key.example]))('the setting %s is in its table, and its example is right', (name, example) => {
  expect(settingsTable()).toContain(`| \`${name}\` |`);
  expect(parseSettings(`${name} = ${example}`, '/etc/emperor/emperor.toml')).toMatchObject({ ok: true });
});
