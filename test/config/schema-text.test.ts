import { expect, it } from 'vitest';
import { schemaHelp, schemaTable, settingsTable } from '../../src/config/schema-text.ts';
import { VASSAL_KEYS } from '../../src/config/schema.ts';
import { parseSettings, SETTINGS_KEYS } from '../../src/config/settings.ts';
import { parse } from './context.ts';

it('lists each key that works, and those of its tables', () => {
  for (const name of ['command', 'stop-timeout', 'ready.after', 'backoff.reset-after', 'log.format']) {
    expect(schemaTable()).toContain(`| \`${name}\` |`);
    expect(schemaHelp()).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
});

it('names the keys of later versions only as refused', () => {
  expect(schemaTable()).toMatch(/^Known, and refused until a later version: `listen`, .*`hooks`\.$/m);
  expect(schemaHelp()).not.toContain('listen');
});

it('makes a table whose rows have the same columns', () => {
  const rows = schemaTable().split('\n').filter((line) => line.startsWith('|'));
  expect(rows.map((row) => row.split('|').length)).toEqual(rows.map(() => 6));
});

it.each(Object.entries(VASSAL_KEYS).filter(([, key]) => key.since === 'now').map(([name, key]) => [name, key.example]))('the example of %s is right', (name, example) => {
  const needs: Record<string, string> = { server: 'app = "a"', app: 'server = "gunicorn"', workers: 'server = "gunicorn"\napp = "a"', command: '', 'reload-signal': 'command = "a"\nreload = "signal"' };
  const outcome = parse('/v/shop.toml', `[vassal]\n${name} = ${example}\n${needs[name] ?? 'command = "a"'}`);
  expect(outcome).toMatchObject({ ok: true });
});

it.each(Object.entries(SETTINGS_KEYS).map(([name, key]) => [name, key.example]))('the setting %s is in its table, and its example is right', (name, example) => {
  expect(settingsTable()).toContain(`| \`${name}\` |`);
  expect(parseSettings(`${name} = ${example}`, '/etc/emperor/emperor.toml')).toMatchObject({ ok: true });
});
