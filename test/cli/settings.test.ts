import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultPaths, type Whereabouts } from '../../src/cli/paths.ts';
import { readConfig } from '../../src/cli/read-config.ts';
import { configFile, resolveSettings, type RunFlags } from '../../src/cli/resolve-settings.ts';
import { controlPath } from '../../src/cli/verb.ts';

function user(environment: Record<string, string> = {}): Whereabouts {
  return { root: false, home: '/home/me', environment };
}

const ROOT: Whereabouts = { root: true, home: '/root', environment: { XDG_STATE_HOME: '/elsewhere' } };

describe('the defaults', () => {
  it('of root are those of the system', () => {
    expect(defaultPaths(ROOT)).toEqual({
      source: '/etc/emperor/vassals', state: '/var/lib/emperor', control: '/run/emperor/control.sock', logs: '/var/log/emperor', config: '/etc/emperor/emperor.toml',
    });
  });

  it('of a user are in the home folder', () => {
    expect(defaultPaths(user())).toEqual({
      source: '/home/me/.config/emperor/vassals', state: '/home/me/.local/state/emperor', control: '/home/me/.local/state/emperor/control.sock',
      logs: '/home/me/.local/state/emperor/logs', config: '/home/me/.config/emperor/emperor.toml',
    });
  });

  it('of a user follow the XDG folders, if absolute', () => {
    const { source, state, control } = defaultPaths(user({ XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: 'relative', XDG_RUNTIME_DIR: '/run/user/7' }));
    expect([source, state, control]).toEqual(['/c/emperor/vassals', '/home/me/.local/state/emperor', '/run/user/7/emperor/control.sock']);
  });
});

it.each([
  [{ control: '/flag' }, { EMPEROR_CONTROL: '/env' }, '/flag'],
  [{}, { EMPEROR_CONTROL: '/env' }, '/env'],
  [{}, { EMPEROR_CONTROL: '' }, '/home/me/.local/state/emperor/control.sock'],
  [{ control: 'here.sock' }, {}, join(process.cwd(), 'here.sock')],
])('a client with the flags %j and the environment %j asks at %s', (flags, environment, path) => {
  expect(controlPath(flags, user(environment))).toBe(path);
});

describe('settings', () => {
  const process = { startedBy: 'me', readable: false, program: { file: 'node', args: [], rehearsal: [] }, cores: 3 };
  const configured = { sources: ['/c/v'], state: '/c/state', logs: '/c/logs', control: '/c/control', 'control-group': 'adm', 'log-level': 'warn', rescan: 5_000, 'max-starting': 1, cgroup: 'none' } as const;

  it('are the defaults where nobody says anything', () => {
    expect(resolveSettings([], {}, {}, ROOT, process)).toEqual({
      sources: ['/etc/emperor/vassals'], state: '/var/lib/emperor', control: '/run/emperor/control.sock', controlGroup: null, logs: '/var/log/emperor', allowWritable: false,
      logLevel: 'info', rescanMs: 60_000, maxStarting: 6, cgroup: 'auto', files: null, environment: ROOT.environment, startedBy: 'me', readable: false, program: process.program,
      hooks: { own: [], vassalsStart: null, vassalsStop: null }, stats: null, statsHttp: false, heartbeatMs: null, commandSocket: null,
    });
  });

  it.each([
    [{ 'on-demand-exec': 'c', 'on-demand-directory': '/d', 'on-demand-extension': '.e' }, {}, { kind: 'extension', end: '.e' }],
    [{ 'on-demand-exec': 'c', 'on-demand-directory': '/d' }, {}, { kind: 'directory', folder: '/d' }],
    [{ 'on-demand-exec': 'c' }, {}, { kind: 'exec', command: 'c' }],
    [{ 'on-demand-exec': 'c' }, { onDemandDirectory: '/flag' }, { kind: 'directory', folder: '/flag' }],
    [{}, { onDemandExec: 'flag' }, { kind: 'exec', command: 'flag' }],
  ])('of %j and the flags %j take the first way to be on demand, as uWSGI has their order', (said, flags, demand) => {
    expect(resolveSettings([], flags, said, ROOT, process).treatment?.demand).toEqual(demand);
  });

  it('of an emperor that is itself an instance are not the marks of that', () => {
    const where = user({ EMPEROR_STATE: '/outer/state', EMPEROR_INSTANCE: 'inner#1', EMPEROR_VASSAL: 'inner' });
    expect(resolveSettings([], {}, {}, where, process).state).toBe(resolveSettings([], {}, {}, user({}), process).state);
  });

  it('are what the configuration file says', () => {
    expect(resolveSettings([], {}, configured, ROOT, process)).toMatchObject({
      sources: ['/c/v'], state: '/c/state', control: '/c/control', controlGroup: 'adm', logs: '/c/logs', logLevel: 'warn', rescanMs: 5_000, maxStarting: 1, cgroup: 'none',
    });
  });

  it('come from the environment before the configuration file', () => {
    const where = user({ EMPEROR_STATE: '/e/state', EMPEROR_LOGS: '/e/logs', EMPEROR_CONTROL: '/e/control', EMPEROR_CGROUP: '/e/cgroup', EMPEROR_NOFILE: '1024' });
    expect(resolveSettings([], {}, configured, where, process)).toMatchObject({ state: '/e/state', control: '/e/control', logs: '/e/logs', logLevel: 'warn', cgroup: '/e/cgroup', files: 1024 });
  });

  it('come from flags before anything else', () => {
    const where = user({ EMPEROR_STATE: '/e/state', EMPEROR_LOGS: '/e/logs', EMPEROR_CONTROL: '/e/control' });
    const flags: RunFlags = { state: '/f/state', control: '/f/control', logs: '/f/logs', logLevel: 'debug', rescan: 0 };
    expect(resolveSettings(['/f/v', 'glob:///x/*'], flags, configured, where, process)).toMatchObject({
      sources: ['/f/v', 'glob:///x/*'], state: '/f/state', control: '/f/control', logs: '/f/logs', logLevel: 'debug', rescanMs: 0,
    });
  });
});

describe('the configuration file', () => {
  function fileOf(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'emperor.toml');
    writeFileSync(path, text);
    return path;
  }

  it.each([
    [{ config: '/flag.toml' }, { EMPEROR_CONFIG: '/env.toml' }, { path: '/flag.toml', named: true }],
    [{}, { EMPEROR_CONFIG: '/env.toml' }, { path: '/env.toml', named: true }],
    [{}, {}, { path: '/home/me/.config/emperor/emperor.toml', named: false }],
  ])('with the flags %j and the environment %j is %j', (flags, environment, file) => {
    expect(configFile(flags, user(environment))).toEqual(file);
  });

  it('need not be there, unless it was named', () => {
    expect(readConfig({ path: '/nowhere/emperor.toml', named: false })).toEqual({});
    expect(() => readConfig({ path: '/nowhere/emperor.toml', named: true })).toThrow(expect.objectContaining({ code: 'E_SETTINGS' }));
  });

  it('is read', () => {
    expect(readConfig({ path: fileOf('sources = ["/srv/vassals"]\nrescan = "5s"\n'), named: true })).toEqual({ sources: ['/srv/vassals'], rescan: 5_000 });
  });

  it('tells all of its faults, with their lines', () => {
    expect(() => readConfig({ path: fileOf('colour = 1\nrescan = "soon"\n'), named: false })).toThrow(expect.objectContaining({
      code: 'E_SETTINGS', message: expect.stringMatching(/emperor\.toml:\n.*colour.*:1.*\n.*rescan.*:2/),
    }));
  });
});
