import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readEmperorLine, type LineReading } from '../../src/config/emperor-line.ts';
import { EMPEROR_OPTIONS } from '../../src/config/emperor-options.ts';
import { SETTINGS_KEYS } from '../../src/config/settings.ts';
import { printFault } from '../../src/core/fault.ts';
import { needs } from '../e2e/needs.ts';
import { CONTEXT } from './context.ts';

/** Those of uWSGI's master branch that no release has. */
const UNRELEASED = ['emperor-chdir-attr', 'emperor-collect-attr', 'emperor-collect-attribute', 'emperor-command-socket', 'emperor-fork-server-attr', 'emperor-subreaper', 'emperor-trigger-socket', 'emperor-tyrant-initgroups', 'emperor-use-fork-server', 'emperor-wait-for-command', 'emperor-wait-for-command-ignore', 'emperor-wrapper-attr', 'fork-server', 'fork-socket', 'hook-as-emperor-before-vassal', 'hook-as-emperor-setns', 'hook-as-on-config-vassal', 'hook-as-on-demand-vassal', 'hook-as-vassal-before-drop', 'vassal-fork-base', 'zeus', 'else'];

const NAMES = EMPEROR_OPTIONS.flatMap(({ names }) => names);

function read(words: string, files: Readonly<Record<string, string>> = {}): LineReading {
  return readEmperorLine(words === '' ? [] : words.split(' '), { folder: '/w', host: CONTEXT.host, environment: CONTEXT.environment, read: (path) => files[path] ?? null });
}

const faultsOf = (reading: LineReading): readonly string[] => reading.faults.map(printFault);

describe('the options of an Emperor', () => {
  it('have a home each, as the uWSGI that is installed has them', () => {
    needs('uwsgi', 'uwsgi-core');
    const help = execFileSync('uwsgi', ['--help'], { encoding: 'utf8', maxBuffer: 2 ** 24 });
    const emperors = [...help.matchAll(/^ +(?:-\S\|)?--(\S+)/gm)].map(([, name = '']) => name)
      .filter((name) => /emperor|vassal|imperial|^heartbeat$/.test(name));
    expect(emperors.length).toBeGreaterThan(60);
    expect(emperors.filter((name) => !NAMES.includes(name))).toEqual([]);
  });

  it('are there, too, where no release has them yet', () => {
    const marked = EMPEROR_OPTIONS.filter(({ since }) => since === '2.1').flatMap(({ names }) => names);
    expect(marked.toSorted()).toEqual(UNRELEASED.toSorted());
  });

  it('are named once', () => {
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });

  it.each(EMPEROR_OPTIONS.flatMap(({ home }) => (home.kind === 'setting' ? [home.key] : [])))('lead to a setting that exists: %s', (key) => {
    expect(Object.hasOwn(SETTINGS_KEYS, key)).toBe(true);
  });
});

describe('a command line of an Emperor', () => {
  it.each([
    ['--emperor /etc/uwsgi/vassals', { sources: ['/etc/uwsgi/vassals'] }],
    ['--emperor=/a --emperor glob:///b/*.ini', { sources: ['/a', 'glob:///b/*.ini'] }],
    ['--emperor /a --emperor-tyrant --emperor-tyrant-nofollow', { sources: ['/a'], tyrant: true, 'tyrant-nofollow': true }],
    ['--emperor-cap setgid,CAP_SETUID,7', { cap: ['setgid', 'setuid', 'cap_7'] }],
    ['--emperor-freq 10', { rescan: 10_000 }],
    ['--emperor-extra-ext .conf --emperor-extra-extension .lua', { 'extra-extensions': ['.conf', '.lua'] }],
    ['--emperor-magic-exec --emperor-nofollow', { 'magic-exec': true, nofollow: true }],
    ['--vassals-include all.ini --vassal-set harakiri=30 --vassals-set a=b', { 'vassals-include': ['/w/all.ini'], 'vassal-set': ['harakiri=30', 'a=b'] }],
    ['--master --emperor /a --logto /x', { sources: ['/a'] }],
    ['', {}],
  ])('%s', (words, settings) => {
    const reading = read(words);
    expect(faultsOf(reading)).toEqual([]);
    expect(reading.settings).toEqual(settings);
  });

  it('says of each option what it became', () => {
    expect(read('--emperor /a --emperor-tyrant --emperor-curse-tolerance 30 --emperor-stats :1717 --uid www --zeus x --emperor-freqq 3').said).toEqual([
      '--emperor /a → sources = "/a"',
      '--emperor-tyrant → tyrant in emperor.toml: no-new-privileges is set, and uWSGI options beyond those of README need tyrant-options',
      '--emperor-curse-tolerance 30 → stop-timeout = "30s" in each file, or in _defaults.toml of its folder: it is not taken over',
      '--emperor-stats :1717 → stats in emperor.toml',
      '--uid www → nothing: start the emperor as that user (`User=` of a unit), or use `tyrant`',
      '--zeus x → none: it is a stub in uWSGI: with it stop and reload do nothing',
      '--emperor-freqq 3 → nothing: did you mean "emperor-freq"?',
    ]);
  });

  it.each([
    ['--ini emperor.ini', { '/w/emperor.ini': '[uwsgi]\nemperor = %d/vassals\nemperor-tyrant = true\nuid = root\nplugins = x\n' }, { sources: ['/w//vassals'], tyrant: true }],
    ['emperor.ini', { '/w/emperor.ini': '[uwsgi]\nbase = /srv\nemperor = %(base)/a\nemperor = $(HOME)/b\n' }, { sources: ['/srv/a', '/home/caesar/b'] }],
    ['--ini emperor.ini:second', { '/w/emperor.ini': '[uwsgi]\nemperor = /a\n[second]\nemperor = /b\nemperor-tyrant = off\n' }, { sources: ['/b'] }],
    ['--ini a/one.ini --emperor /x', { '/w/a/one.ini': '[uwsgi]\ninclude = two.ini\n', '/w/a/two.ini': '[uwsgi]\nemperor = /two\n' }, { sources: ['/two', '/x'] }],
    ['--yaml e.yml', { '/w/e.yml': 'uwsgi:\n  emperor: /a\n  emperor-nofollow: 1\n' }, { sources: ['/a'], nofollow: true }],
    ['--json e.json', { '/w/e.json': '{"uwsgi":{"emperor":["/a","/b"]}}' }, { sources: ['/a', '/b'] }],
    ['--xml e.xml', { '/w/e.xml': '<uwsgi><emperor>/a</emperor><emperor-magic-exec/></uwsgi>' }, { sources: ['/a'], 'magic-exec': true }],
  ])('%s', (words, files, settings) => {
    const reading = read(words, files);
    expect(faultsOf(reading)).toEqual([]);
    expect(reading.settings).toEqual(settings);
  });

  it.each([
    ['--ini a.ini', { '/w/a.ini': '[uwsgi]\ninclude = b.ini\n', '/w/b.ini': '[uwsgi]\nini = a.ini\n' }, 'files name each other in a circle: /w/a.ini → /w/b.ini → /w/a.ini at /w/b.ini:2; remove one of them'],
    ['--ini a.ini', {}, '/w/a.ini cannot be read at command line; look whether it is there'],
    ['--ini a.ini', { '/w/a.ini': '[uwsgi]\nemperor = /a\0\n' }, '/w/a.ini holds NUL bytes: it is no text at command line'],
    ['--ini a.ini:x', { '/w/a.ini': '[uwsgi]\n' }, '/w/a.ini has no section "x" at command line; name it behind a ":"'],
    ['--ini a.ini', { '/w/a.ini': '[uwsgi]\nemperor = $(NOWHERE)\n' }, 'NOWHERE'],
    ['--emperor', {}, '--emperor wants a value at command line'],
    ['/etc/vassals', {}, '"/etc/vassals" is no option, and no file of options at command line; an option begins with --'],
    ['--emperor-extra-extension conf', {}, '"extra-extensions" wants the end of a name, with its dot, not "conf" at command line; write ".conf"'],
  ])('%s with %j is refused', (words, files, message) => {
    expect(faultsOf(read(words, files)).join('\n')).toContain(message);
  });

  it('reads a file of 10,000 lines, and one that many others lead to, at once', () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => `env = A${at}=${at}`).join('\n');
    expect(read('--ini a.ini', { '/w/a.ini': `[uwsgi]\n${lines}\nemperor = /a\n` }).settings).toEqual({ sources: ['/a'] });
    const chain = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`/w/${at}.ini`, `[uwsgi]\nini = ${at + 1}.ini\n`]));
    expect(faultsOf(read('--ini 0.ini', chain))).toEqual(['more than 32 files name each other at /w/31.ini:2']);
  });
});
