import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openUserDatabase } from '../../src/kernel/user.ts';
import { vet, type VetHost } from '../../src/runner/vet.ts';
import { specOf } from '../fakes/declaration.ts';

const folder = mkdtempSync(join(tmpdir(), 'emperor-vet-'));
const at = (name: string): string => join(folder, name);
mkdirSync(at('folder'));
writeFileSync(at('plain'), 'no program');
for (const [name, text] of [
  ['good', '#!/bin/sh\n'], ['orphaned', '#!/no/python\n'], ['env-good', '#!/usr/bin/env sh\n'], ['env-orphaned', '#!/usr/bin/env no-such-lang\n'],
  ['windows', '#!/bin/sh\r\n'], ['by-plain', `#!${at('plain')}\n`], ['by-orphaned', `#!${at('orphaned')}\n`], ['endless', `#!${at('endless')}\n`],
] as const) writeFileSync(at(name), text, { mode: 0o755 });
writeFileSync(at('good.env'), 'A=1\n');
writeFileSync(at('path.env'), `PATH=${folder}\n`);
writeFileSync(at('bad.env'), 'A=1\nB\nC="\n');
afterAll(() => rmSync(folder, { recursive: true }));

const users = openUserDatabase(openLibc());
const root = users.user('root');
if (root === null) throw new Error('no host is without root');
const rootIdentity = { user: root, gid: root.gid };
const host: VetHost = { users, own: rootIdentity, path: '/usr/bin:/bin', systemd: false, packages: new Map([['gunicorn-x', 'gunicorn']]) };
const look = (changes: Parameters<typeof specOf>[0]) => vet('/v/shop.toml', specOf({ directory: folder, ...changes }), host);

describe('vetting', () => {
  it.each([
    ['an absolute program', { argv: ['/bin/sleep'] }],
    ['a program in PATH', { argv: ['sleep'] }],
    ['a program relative to the directory', { argv: ['./good'] }],
    ['a program in a PATH of its own', { argv: ['good'], environment: { PATH: folder } }],
    ['a program in the PATH of the environment file', { argv: ['good'], environmentFile: at('path.env') }],
    ['a script by way of env', { argv: ['./env-good'] }],
    ['a script that is its own interpreter, as the kernel refuses that soon enough', { argv: ['./endless'] }],
    ['users and groups by name and number', { user: 'games', group: '0' }],
  ] as const)('passes %s', (_what, changes) => {
    expect(look(changes)).toEqual({ faults: [], missing: [] });
  });

  it.each([
    ['an absolute program that is missing', { argv: ['/nope'] }, 'E_PROGRAM_MISSING', 'command', 'the program /nope does not exist', ['/nope']],
    ['a relative program that is missing', { argv: ['bin/x'] }, 'E_PROGRAM_MISSING', 'command', `the program ${at('bin/x')} does not exist`, [at('bin/x')]],
    ['a server that is not in PATH', { argv: ['gunicorn-x'], server: 'gunicorn' }, 'E_PROGRAM_MISSING', 'server', 'the program "gunicorn-x" is not in PATH', ['/usr/bin/gunicorn-x', '/bin/gunicorn-x']],
    ['a program that is a folder', { argv: ['./folder'] }, 'E_PROGRAM_DENIED', 'command', `${at('folder')} is a directory`, [at('folder')]],
    ['a program that is a device', { argv: ['/dev/null'] }, 'E_PROGRAM_DENIED', 'command', '/dev/null is no regular file', ['/dev/null']],
    ['a program that is not executable', { argv: ['./plain'] }, 'E_PROGRAM_DENIED', 'command', `${at('plain')} is not executable`, [at('plain')]],
    ['an interpreter that is missing', { argv: ['./orphaned'] }, 'E_PROGRAM_MISSING', 'command', `${at('orphaned')} asks for "/no/python" in its first line, which does not exist`, [at('orphaned'), '/no/python']],
    ['an interpreter that env cannot find', { argv: ['./env-orphaned'] }, 'E_PROGRAM_MISSING', 'command', `${at('env-orphaned')} asks for "no-such-lang" in its first line, which does not exist`, [at('env-orphaned'), '/usr/bin/no-such-lang', '/bin/no-such-lang']],
    ['a first line with a carriage return', { argv: ['./windows'] }, 'E_PROGRAM_MISSING', 'command', `${at('windows')} asks for "/bin/sh\\r" in its first line, which does not exist`, [at('windows'), '/bin/sh\r']],
    ['an interpreter that is not executable', { argv: ['./by-plain'] }, 'E_PROGRAM_DENIED', 'command', `${at('by-plain')} asks for "${at('plain')}" in its first line, and ${at('plain')} is not executable`, [at('by-plain'), at('plain')]],
    ['the interpreter of an interpreter', { argv: ['./by-orphaned'] }, 'E_PROGRAM_MISSING', 'command', `${at('orphaned')} asks for "/no/python" in its first line, which does not exist`, [at('orphaned'), '/no/python']],
    ['a directory that is missing, and not its program', { argv: ['./x'], directory: '/nope' }, 'E_DIRECTORY', 'directory', 'the directory /nope does not exist', ['/nope']],
    ['a directory that is a file', { directory: at('plain') }, 'E_DIRECTORY', 'directory', `the directory ${at('plain')} is no directory`, [at('plain')]],
    ['a user', { user: 'ghost' }, 'E_USER', 'user', 'the user "ghost" does not exist', ['/etc/passwd', '/etc/group']],
    ['a group', { group: 'ghosts' }, 'E_USER', 'group', 'the group "ghosts" does not exist', ['/etc/passwd', '/etc/group']],
    ['an environment file that is missing', { environmentFile: at('no.env') }, 'E_ENVIRONMENT_FILE', 'environment-file', `the environment file ${at('no.env')} cannot be read: ENOENT`, [at('no.env')]],
  ] as const)('finds fault with %s', (_what, changes, code, key, message, missing) => {
    const verdict = look(changes);
    expect(verdict.faults).toMatchObject([{ code, key, message, file: '/v/shop.toml', line: null }]);
    expect(verdict.faults[0]?.hint).not.toBeNull();
    expect(verdict.missing).toEqual(missing);
  });

  it('names every mistake in an environment file, with its line', () => {
    const { faults } = look({ environmentFile: at('bad.env') });
    expect(faults.map((fault) => fault.message)).toEqual([`expected NAME=value at ${at('bad.env')}:2`, `the quotes of C are not closed at ${at('bad.env')}:3`]);
  });

  it('finds all faults at once', () => {
    const { faults } = look({ argv: ['/nope'], directory: '/nope', user: 'ghost', environmentFile: '/nope' });
    expect(faults.map((fault) => fault.code)).toEqual(['E_USER', 'E_DIRECTORY', 'E_ENVIRONMENT_FILE', 'E_PROGRAM_MISSING']);
  });

  it('looks in so many folders of a PATH that none holds up the emperor, or takes it down', () => {
    const { faults, missing } = look({ argv: ['nope'], environment: { PATH: ':x'.repeat(500_000) } });
    expect(faults).toMatchObject([{ code: 'E_PROGRAM_MISSING', message: 'the program "nope" is not in PATH' }]);
    expect(missing).toHaveLength(200);
  });

  it('hints at the Debian package of a known server', () => {
    expect(look({ argv: ['gunicorn-x'] }).faults[0]?.hint).toBe('install the Debian package gunicorn');
  });

  it('lets only root become someone else', () => {
    const games = users.user('games');
    if (games === null) throw new Error('this test needs the user games');
    const verdict = vet('/v/shop.toml', specOf({ user: 'root' }), { ...host, own: { user: games, gid: games.gid } });
    expect(verdict.faults).toMatchObject([{ code: 'E_USER', key: 'user', hint: 'run the emperor as root, or leave out "user"' }]);
    expect(verdict.missing).toEqual([]);
  });

  it('passes a program that only others may execute, for a vassal with another user', () => {
    writeFileSync(at('others'), '#!/bin/sh\n', { mode: 0o701 });
    expect(look({ argv: ['./others'], user: 'games' }).faults).toEqual([]);
  });
});

it.each([[false, ['E_UNIT']], [true, []]])('finds a unit at fault where the host was not booted with systemd (it was: %s)', (systemd, codes) => {
  const { faults } = vet('/v/shop.toml', specOf({ directory: folder, unit: { properties: [] } }), { ...host, systemd });
  expect(faults.map(({ code }) => code)).toEqual(codes);
});
