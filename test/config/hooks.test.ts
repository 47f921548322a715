import { describe, expect, it } from 'vitest';
import { generalHooksFor } from '../../src/config/hook-keys.ts';
import { generalHooksOf, parseSettings, parseStats } from '../../src/config/settings.ts';
import { parseVassal } from '../../src/config/vassal.ts';
import type { VassalId } from '../../src/core/listing.ts';
import { CONTEXT, faultsOf, specOf } from './context.ts';

const TOML = `[vassal]
command = "sleep 9"
[vassal.hooks]
before-start = ["./migrate", "--for", "%n"]
on-crash = "tell 'it crashed'"
timeout = "5s"`;

const BOTH = [
  { at: 'before-start', argv: ['./migrate', '--for', 'shop'], timeoutMs: 5_000, tolerated: false },
  { at: 'on-crash', argv: ['tell', 'it crashed'], timeoutMs: 5_000, tolerated: false },
];

describe('hooks of a vassal file', () => {
  it.each([
    ['shop.toml', TOML],
    ['shop.ini', "[vassal]\ncommand = sleep 9\nhooks.before-start = ./migrate --for %n\nhooks.on-crash = tell 'it crashed'\nhooks.timeout = 5s"],
    ['shop.yaml', "vassal:\n  command: sleep 9\n  hooks:\n    before-start: [./migrate, --for, '%n']\n    on-crash: tell 'it crashed'\n    timeout: 5s"],
  ])('are commands by the point at which they run (%s)', (file, text) => {
    expect(specOf(`/v/${file}`, text).hooks).toEqual(BOTH);
  });

  it.each([
    ['hooks = { after-raedy = "true" }', 'E_KEY_UNKNOWN unknown key "hooks.after-raedy" at /v/shop.toml:3; did you mean "after-ready"?'],
    ['hooks = { on-crash = "" }', 'E_VALUE "hooks.on-crash" is empty at /v/shop.toml:3; write ["program", "argument"], or one line in quotes'],
    ['hooks = { on-crash = "true", timeout = "0" }', 'E_VALUE "hooks.timeout" wants a duration of at least 1 ms, not "0" at /v/shop.toml:3; write "500ms", "30s", "5m" or "1h"'],
  ])('are faults where they cannot be read: %s', (line, fault) => {
    expect(faultsOf('/v/shop.toml', `[vassal]\ncommand = "a"\n${line}`)).toEqual([fault]);
  });
});

describe('hooks of all vassals', () => {
  const text = 'vassals-start-hook = "/bin/started now"\nvassals-stop-hook = "/bin/stopped"\n[hooks]\non-failure = "/bin/tell"\n';

  it('come before those of the file; those with the names of uWSGI get the name of the file, and may fail', () => {
    const read = parseSettings(text, '/etc/emperor.toml');
    const general = generalHooksOf(read.ok ? read.settings : {});
    const outcome = parseVassal({ id: '/v/shop.toml' as VassalId, text: TOML }, { ...CONTEXT, hooks: general });
    expect(outcome.ok && outcome.spec.hooks).toEqual([
      { at: 'on-failure', argv: ['/bin/tell'], timeoutMs: 30_000, tolerated: false },
      { at: 'before-start', argv: ['/bin/started', 'now', 'shop.toml'], timeoutMs: 30_000, tolerated: true },
      { at: 'after-exit', argv: ['/bin/stopped', 'shop.toml'], timeoutMs: 30_000, tolerated: true },
      ...BOTH,
    ]);
  });

  it('are none where nobody says so', () => {
    expect(generalHooksFor(generalHooksOf({}), 'shop.ini')).toEqual([]);
  });
});

describe('an address of statistics', () => {
  it.each([
    ['127.0.0.1:9191', { kind: 'tcp', host: '127.0.0.1', port: 9191, v6only: false }],
    ['/run/stats.sock', { kind: 'unix', path: '/run/stats.sock' }],
    ['unix:here', { kind: 'unix', path: '/w/here' }],
    ['stats', undefined],
  ])('%s', (written, address) => {
    expect(parseStats(written, '/w')).toEqual(address);
  });

  it.each([
    ['shop.ini', '[uwsgi]\nstats = 127.0.0.1:9191\r\n', { kind: 'tcp', host: '127.0.0.1', port: 9191, v6only: false }],
    ['shop.ini', '[uwsgi]\nmodule = a\nstats-server = /run/%n.sock', { kind: 'unix', path: '/run/shop.sock' }],
    ['shop.ini', '[uwsgi]\nstats = :9191', { kind: 'tcp', host: '127.0.0.1', port: 9191, v6only: false }],
    ['shop.yaml', 'uwsgi:\n  stats: "run/%n.sock"  # here\n', { kind: 'unix', path: '/v/run/shop.sock' }],
    ['shop.json', '{"uwsgi": {"stats": "0.0.0.0:1"}}', { kind: 'tcp', host: '127.0.0.1', port: 1, v6only: false }],
    ['shop.xml', '<uwsgi><stats>[::1]:1</stats></uwsgi>', { kind: 'tcp', host: '::1', port: 1, v6only: false }],
    ['shop.ini', '[uwsgi]\nstats = %(nothing)', null],
    ['shop.ini', '[uwsgi]\nmodule = a', null],
    ['shop.ini', '[uwsgi]\n; stats = :9191', null],
  ])('of uWSGI is found in %s: %j', (file, text, address) => {
    expect(specOf(`/v/${file}`, text).uwsgiStats).toEqual(address);
  });
});

describe('a number of instances that follows the need', () => {
  const spec = (lines: string): unknown => {
    const { instances, scaling } = specOf('/v/shop.toml', `[vassal]\ncommand = "a"\n${lines}`);
    return { instances, scaling };
  };

  it.each([
    ['instances = 3', { instances: 3, scaling: null }],
    ['instances = { min = 2 }', { instances: 2, scaling: null }],
    ['listen = "127.0.0.1:1"\ninstances = { max = 4 }', { instances: 1, scaling: { max: 4, backlog: { connections: 10, forMs: 1_000 }, coolDownMs: 10_000, idleMs: 60_000 } }],
    ['listen = "127.0.0.1:1"\ninstances = { min = 2, max = 4 }\nscale-up = { backlog = 3, for = "200ms", cool-down = "0" }\nscale-down = { idle = "5m" }', { instances: 2, scaling: { max: 4, backlog: { connections: 3, forMs: 200 }, coolDownMs: 0, idleMs: 300_000 } }],
    ['instances = { min = 1, max = 2 }', { instances: 1, scaling: { max: 2, backlog: null, coolDownMs: 10_000, idleMs: null } }],
  ])('%s', (lines, expected) => {
    expect(spec(lines)).toEqual(expected);
  });

  it.each([
    ['instances = { min = 3, max = 2 }', 'E_VALUE "instances.max" is less than "instances.min" at /v/shop.toml:3; write max = 3 or more'],
    ['scale-up = { backlog = 3 }', 'E_KEY_CONFLICT "scale-up" needs instances = { min = …, max = … } at /v/shop.toml:3; say how many there may be'],
    ['instances = { min = 1, max = "many" }', 'E_VALUE "instances.max" wants a whole number from 1 to 1000, not "many" at /v/shop.toml:3; for example 1'],
    ['instances = { max = 2 }\nscale-down = { idle = "1m" }', 'E_KEY_CONFLICT "scale-down" needs sockets that the emperor holds at /v/shop.toml:4; say in "listen" where connections come'],
  ])('is at fault: %s', (lines, fault) => {
    expect(faultsOf('/v/shop.toml', `[vassal]\ncommand = "a"\n${lines}`)).toEqual([fault]);
  });
});
