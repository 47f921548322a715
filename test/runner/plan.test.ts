import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../src/core/state.ts';
import type { User } from '../../src/kernel/user.ts';
import { OUTSIDE } from '../../src/runner/cage.ts';
import { instanceEnvironment } from '../../src/runner/environment.ts';
import { exitStatus, looksKilled } from '../../src/runner/exit-status.ts';
import { runsAs } from '../../src/runner/identity.ts';
import { launchPlan } from '../../src/runner/launch-plan.ts';
import { channelEnvironment, lentDescriptor, notifyEnvironment, socketEnvironment } from '../../src/runner/protocol-environment.ts';
import { parseInterpreter } from '../../src/runner/program.ts';
import { judgeErrno } from '../../src/runner/refusal.ts';

const www: User = { uid: 33, gid: 33, name: 'www-data', home: '/var/www', shell: '/usr/sbin/nologin' };
const root: User = { uid: 0, gid: 0, name: 'root', home: '/root', shell: '/bin/bash' };

describe('the environment of an instance', () => {
  const sources = { emperor: {}, user: www, file: {}, spec: {}, sockets: {}, notify: {}, channel: {}, vassalName: 'shop', instance: 'shop#1' as InstanceId, state: '/s' };

  it('has PATH, the person and the marks, if nothing else is asked for', () => {
    expect(instanceEnvironment(sources)).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/var/www', USER: 'www-data', LOGNAME: 'www-data', SHELL: '/usr/sbin/nologin',
      EMPEROR_VASSAL: 'shop', EMPEROR_INSTANCE: 'shop#1', EMPEROR_STATE: '/s',
    });
  });

  it.each(['PATH', 'LANG', 'LC_ALL', 'LC_TIME', 'TZ'])('takes %s from the emperor', (name) => {
    expect(instanceEnvironment({ ...sources, emperor: { [name]: 'x' } })).toMatchObject({ [name]: 'x' });
  });

  it.each(['NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'UWSGI_EMPEROR_FD', 'WATCHDOG_USEC', 'HOME', 'SECRET', 'LANGUAGE_X', 'NODE_OPTIONS', 'XPATH'])(
    'does not take %s from the emperor',
    (name) => {
      expect(instanceEnvironment({ ...sources, emperor: { [name]: 'leaked' } })[name]).not.toBe('leaked');
    },
  );

  it.each([
    ['the file over the emperor', { emperor: { TZ: 'emperor' }, file: { TZ: 'file' } }, 'TZ', 'file'],
    ['the vassal over its file', { file: { A: 'file' }, spec: { A: 'spec' } }, 'A', 'spec'],
    ['the vassal over the person', { spec: { HOME: '/elsewhere' } }, 'HOME', '/elsewhere'],
    ['the place of its channel over the vassal', { spec: { UWSGI_EMPEROR_FD: '7' }, channel: { UWSGI_EMPEROR_FD: '3' } }, 'UWSGI_EMPEROR_FD', '3'],
    ['the marks over all', { spec: { EMPEROR_STATE: '/faked' } }, 'EMPEROR_STATE', '/s'],
  ])('puts %s', (_what, changes, name, value) => {
    expect(instanceEnvironment({ ...sources, ...changes })[name]).toBe(value);
  });
});

describe('the environment of an instance with a channel', () => {
  const given = (name: string, channel: Record<string, string>) => instanceEnvironment({
    emperor: {}, user: www, file: { [name]: 'file' }, spec: { [`${name}_`]: 'spec' }, sockets: {}, notify: {}, channel, vassalName: 'shop', instance: 'shop#1', state: '/s',
  })[name];

  it.each(['UWSGI_RELOADS', 'UWSGI_EMPEROR_FD_CONFIG', 'UWSGI_EMPEROR_PROXY', 'UWSGI_BROODLORD_NUM', 'NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'UPSTART_JOB'])('has no %s of anybody', (name) => {
    expect([given(name, channelEnvironment(0)), given(name, {})]).toEqual([undefined, 'file']);
  });

  it.each(['UWSGI_CHEAPER', 'UWSGI_RELOADS_MERCY', 'LISTENER', 'NOTIFY'])('has the %s of its file', (name) => {
    expect(given(name, channelEnvironment(0))).toBe('file');
  });

  it.each([[0, '3', 4], [2, '5', 6]])('says that after %i sockets its end is %s; ours is %i', (sockets, its, ours) => {
    expect([channelEnvironment(sockets), lentDescriptor(sockets)]).toEqual([{ UWSGI_EMPEROR_FD: its }, ours]);
  });
});

describe('what an instance is told of its sockets', () => {
  const listen = [8000, 8001].map((port) => ({ address: { kind: 'tcp', host: '127.0.0.1', port, v6only: false }, backlog: 1, mode: null, user: null, group: null }) as const);

  it.each([
    ['listen-fds', 2, { LISTEN_FDS: '2', LISTEN_FDNAMES: 'my_shop:my_shop' }],
    ['fds', 2, {}],
    ['port', 0, { HOST: '127.0.0.1', PORT: '8000' }],
    ['listen-fds', 0, {}],
  ] as const)('by pass = "%s" with %i sockets', (passing, sockets, environment) => {
    expect(socketEnvironment('my:shop', { listen, passing }, sockets)).toEqual(environment);
  });

  it.each([
    ['nothing, if its file does not ask', { kind: 'after', ms: 1 }, null, {}],
    ['where to say READY=1', { kind: 'notify' }, null, { NOTIFY_SOCKET: '/s/notify' }],
    ['how often to say that it is well', { kind: 'after', ms: 1 }, 10_000, { NOTIFY_SOCKET: '/s/notify', WATCHDOG_USEC: '10000000' }],
  ] as const)('and of its supervisor: %s', (_what, ready, watchdogMs, environment) => {
    const health = watchdogMs === null ? null : { probe: null, intervalMs: 1, timeoutMs: 1, failures: 1, graceMs: 0, watchdogMs };
    expect(notifyEnvironment({ ready, health }, '/s/notify')).toEqual(environment);
  });
});

describe('the launch plan', () => {
  const spec = { argv: ['app', '--flag'] as [string, ...string[]], directory: '/srv', umask: null, passing: 'listen-fds' as const, limits: { memoryBytes: null, cpu: null, tasks: null, files: null } };
  const facts = { program: '/usr/bin/app', become: null, environment: { A: 'b=c' }, sockets: 0, entrance: OUTSIDE, startsInCgroups: false, files: null, setpriv: '/usr/bin/setpriv' };

  it('executes the program itself, by the name that it was given', () => {
    expect(launchPlan(spec, facts)).toEqual({ file: '/usr/bin/app', argv: ['app', '--flag'], environment: ['A=b=c'], directory: '/srv', cgroup: null });
  });

  it.each([
    ['another user', { become: { uid: 33, gid: 4 } }, null, ['/usr/bin/setpriv', '--reuid', '33', '--regid', '4', '--init-groups', '--']],
    ['a umask', {}, 0o22, ['/bin/sh', '-c', 'umask 0022; exec "$@"', 'sh']],
    ['sockets', { sockets: 2 }, null, ['/bin/sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh']],
    ['sockets and a umask', { sockets: 1 }, 0o22, ['/bin/sh', '-c', 'umask 0022; LISTEN_PID=$$ exec "$@"', 'sh']],
    ['both', { become: { uid: 33, gid: 33 } }, 0, ['/bin/sh', '-c', 'umask 0000; exec "$@"', 'sh', '/usr/bin/setpriv', '--reuid', '33', '--regid', '33', '--init-groups', '--']],
    ['a cgroup', { entrance: { cgroup: '/c/1', addressSpace: null } }, null, ['/bin/sh', '-c', 'echo 0 > "$1/cgroup.procs"; shift; exec "$@"', 'sh', '/c/1']],
    ['a cgroup, before it becomes another user', { entrance: { cgroup: '/c/1', addressSpace: null }, become: { uid: 33, gid: 4 } }, null, ['/bin/sh', '-c', 'echo 0 > "$1/cgroup.procs"; shift; exec "$@"', 'sh', '/c/1', '/usr/bin/setpriv', '--reuid', '33', '--regid', '4', '--init-groups', '--']],
    ['an address space', { entrance: { cgroup: null, addressSpace: 65_536 } }, null, ['/bin/sh', '-c', 'ulimit -v 64 || exit 126; exec "$@"', 'sh']],
    ['the files that the emperor was started with', { files: 1024 }, null, ['/bin/sh', '-c', 'ulimit -S -n 1024; exec "$@"', 'sh']],
  ])('puts in front what gives it %s', (_what, changes, umask, prefix) => {
    const plan = launchPlan({ ...spec, umask }, { ...facts, ...changes });
    expect(plan).toMatchObject({ file: prefix[0], argv: [...prefix, '/usr/bin/app', '--flag'] });
  });

  it('leaves the cgroup to who can start it there', () => {
    const entrance = { cgroup: '/c/1', addressSpace: null };
    expect(launchPlan(spec, { ...facts, entrance, startsInCgroups: true })).toMatchObject({ file: '/usr/bin/app', argv: ['app', '--flag'], cgroup: '/c/1' });
  });

  it('takes the files that the vassal asks for instead of those of the emperor', () => {
    expect(launchPlan({ ...spec, limits: { ...spec.limits, files: 64 } }, { ...facts, files: 1024 }).argv[2]).toBe('ulimit -n 64 || exit 126; exec "$@"');
  });
});

describe('whom an instance runs as', () => {
  const users = {
    user: (name: string): User | null => [root, www].find((user) => user.name === name || String(user.uid) === name) ?? null,
    group: (name: string): number | null => (name === 'adm' || name === '4' ? 4 : name === '33' ? 33 : null),
    groupName: (): string | null => null,
  };
  const asRoot = { user: root, gid: 0 };
  const asWww = { user: www, gid: 33 };
  it.each([
    [asRoot, null, null, { gid: 0, changes: false }],
    [asRoot, 'root', null, { gid: 0, changes: false }],
    [asRoot, 'www-data', null, { user: www, gid: 33, changes: true }],
    [asRoot, '33', 'adm', { user: www, gid: 4, changes: true }],
    [asRoot, null, '4', { user: root, gid: 4, changes: true }],
    [asWww, 'www-data', '33', { user: www, changes: false }],
    [asWww, 'root', null, { refused: 'only root can become the user "root", and the emperor runs as "www-data"', key: 'user' }],
    [asWww, null, 'adm', { refused: 'only root can become the group "adm", and the emperor runs as "www-data"', key: 'group' }],
    [asRoot, 'ghost', null, { refused: 'the user "ghost" does not exist', key: 'user' }],
    [asRoot, null, 'ghosts', { refused: 'the group "ghosts" does not exist', key: 'group' }],
  ])('as %o, user %j and group %j', (own, user, group, expected) => {
    expect(runsAs({ user, group }, own, users)).toMatchObject(expected);
  });
});

it.each([
  ['#!/bin/sh\n', { name: '/bin/sh', viaEnv: null }],
  ['#! /bin/sh -e\nrest', { name: '/bin/sh', viaEnv: null }],
  ['#!/usr/bin/env python3\n', { name: '/usr/bin/env', viaEnv: 'python3' }],
  ['#!/usr/bin/env -S A=b node --flag\n', { name: '/usr/bin/env', viaEnv: 'node' }],
  ['#!/usr/bin/env\n', { name: '/usr/bin/env', viaEnv: null }],
  ['#!/bin/sh\r\n', { name: '/bin/sh\r', viaEnv: null }],
  ['#!/usr/bin/env node\r\n', { name: '/usr/bin/env', viaEnv: 'node\r' }],
  ['#!/bin/sh', { name: '/bin/sh', viaEnv: null }],
  ['#!\n', null],
  ['\x7fELF', null],
  ['', null],
])('reads the first line %j', (head, interpreter) => {
  expect(parseInterpreter(head)).toEqual(interpreter);
});

it.each([
  ['ENOENT', 'E_PROGRAM_MISSING', true], ['ENOTDIR', 'E_PROGRAM_MISSING', true], ['EACCES', 'E_PROGRAM_DENIED', true], ['ENOEXEC', 'E_PROGRAM_DENIED', true],
  ['EAGAIN', 'E_SPAWN', false], ['ENOMEM', 'E_SPAWN', false], ['EMFILE', 'E_SPAWN', false], ['ETXTBSY', 'E_SPAWN', false], ['E2BIG', 'E_SPAWN', true],
])('judges %s as %s, lasting: %j', (errno, code, lasting) => {
  expect(judgeErrno(errno)).toEqual({ code, lasting });
});

it.each([
  [{ kind: 'exited', code: 3 }, { kind: 'exited', code: 3 }],
  [{ kind: 'killed', signal: 9 }, { kind: 'killed', signal: 'SIGKILL' }],
  [{ kind: 'killed', signal: 6 }, { kind: 'killed', signal: 'SIGABRT' }],
  [{ kind: 'killed', signal: 35 }, { kind: 'killed', signal: 'SIG35' }],
  ['stranger', { kind: 'unknown' }],
] as const)('tells the ending %j as %j', (ending, status) => {
  expect(exitStatus(ending)).toEqual(status);
});

it.each([
  [{ kind: 'killed', signal: 'SIGKILL' }, true],
  [{ kind: 'exited', code: 137 }, true],
  [{ kind: 'killed', signal: 'SIGTERM' }, false],
  [{ kind: 'exited', code: 0 }, false],
  [{ kind: 'exited', code: 1 }, false],
  [{ kind: 'unknown' }, false],
] as const)('%j can be the work of the killer of those who take too much memory: %s', (status, expected) => {
  expect(looksKilled(status)).toBe(expected);
});
