import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODES } from '../src/errors.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const SOURCES: readonly string[] = globSync('src/**/*.ts', { cwd: ROOT }).sort();

/** Which files of other rooms a file may import: all of them, or (`types`) only by `import type`. The first row that fits counts. */
interface Wall {
  readonly files: RegExp;
  readonly may: readonly RegExp[];
  readonly types?: readonly RegExp[];
}

const ERRORS = /^src\/errors\.ts$/;
const CORE = /^src\/core\//;
const WORLD = /^src\/world\//;
const KERNEL = /^src\/kernel\//;
const CONFIG = /^src\/config\//;
const EDGE = /^src\/(monitors|channel|runner|sockets|probes|notify|store|logs|systemd|frontends|metrics)\//;
const CLIENT = [/^src\/control\/(client|protocol)\.ts$/, CORE, ERRORS, WORLD, /^src\/config\/(schema|schema-text|settings|emperor-line|emperor-options)\.ts$/];
const SETTINGS = /^src\/emperor\/settings\.ts$/;

const WALLS: readonly Wall[] = [
  { files: /^src\/main\.ts$/, may: [/^src\/cli\//] },
  { files: ERRORS, may: [] },
  { files: CORE, may: [ERRORS] },
  { files: CONFIG, may: [CORE, ERRORS], types: [/^src\/presets\/preset\.ts$/] },
  { files: /^src\/presets\//, may: [CORE, ERRORS] },
  { files: KERNEL, may: [ERRORS] },
  { files: WORLD, may: [ERRORS], types: [CORE] },
  { files: EDGE, may: [CORE, KERNEL, WORLD, ERRORS] },
  { files: /^src\/control\//, may: [CORE, WORLD, ERRORS], types: [/^src\/emperor\/emperor\.ts$/, /^src\/store\/store\.ts$/] },
  { files: /^src\/dashboard\//, may: [/^src\/control\/protocol\.ts$/] },
  { files: /^src\/cli\/commands\/run\.ts$/, may: [...CLIENT, SETTINGS, /^src\/emperor\/(boot|rehearsal|vassalage)\.ts$/] },
  { files: /^src\/cli\/commands\/check\.ts$/, may: [...CLIENT, /^src\/emperor\/check\.ts$/] },
  { files: /^src\/cli\//, may: CLIENT, types: [SETTINGS] },
  // Where the rooms meet: these make the parts and hand them to each other.
  { files: /^src\/emperor\/(ask-address|ask-program|asking|boot|check|controls|folders|host|log-reader|rehearsal|sources|statistics|succession|vassalage)\.ts$/, may: [/^src\/(?!cli\/)/] },
  { files: /^src\/emperor\//, may: [CORE, CONFIG, ERRORS, WORLD], types: [EDGE, /^src\/presets\/preset\.ts$/] },
];

/** Each package has one home; what is not listed is not imported at all. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  'better-sqlite3': /^src\/store\//,
  chokidar: /^src\/monitors\//,
  commander: /^src\/cli\//,
  diff: /^src\/cli\/render\//,
  undici: /^src\/cli\/load\.ts$/,
  execa: /^src\/runner\//,
  'fast-xml-parser': CONFIG,
  'fastest-levenshtein': CONFIG,
  fastify: /^src\/control\//,
  koffi: KERNEL,
  pino: /^src\/world\/logger\.ts$/,
  'pino-pretty': /^src\/world\/logger\.ts$/,
  'toml-eslint-parser': CONFIG,
  yaml: CONFIG,
};

/** Rooms that are pure: they touch nothing, not even through Node. */
const PURE = /^src\/(core|config|presets)\//;

interface Import {
  readonly from: string;
  readonly onlyTypes: boolean;
}

/** The code of a file, without its comments (as far as whole lines and blocks go). */
function codeOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*\*?[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function importsOf(file: string): readonly Import[] {
  const code = codeOf(file);
  const fixed = [...code.matchAll(/^(?:import|export)\s+(type\s)?(?:[\w*{}\s,$]*?\bfrom\s+)?'([^']+)'/gm)];
  const dynamic = [...code.matchAll(/\bimport\(\s*()'([^']+)'/g)];
  return [...fixed, ...dynamic].map(([, type, specifier = '']) => ({
    from: specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier,
    onlyTypes: type !== undefined && type !== '',
  }));
}

function roomOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

function mayImport(file: string, { from, onlyTypes }: Import): boolean {
  if (from.startsWith('node:')) return !PURE.test(file);
  if (!from.startsWith('src/')) return PACKAGES[from]?.test(file) ?? false;
  if (roomOf(file) === roomOf(from)) return true;
  const wall = WALLS.find((each) => each.files.test(file));
  return [...(wall?.may ?? []), ...(onlyTypes ? (wall?.types ?? []) : [])].some((each) => each.test(from));
}

describe('the walls between the rooms', () => {
  it('are watched: imports are found in every form', () => {
    const found = new Map(importsOf('src/store/sqlite.ts').map(({ from, onlyTypes }) => [from, onlyTypes]));
    expect([found.get('node:fs'), found.get('better-sqlite3'), found.get('src/errors.ts'), found.get('src/store/store.ts')]).toEqual([false, false, false, true]);
    expect(SOURCES.length).toBeGreaterThan(50);
  });

  it.each([
    ['src/core/step.ts', 'node:fs', false, false],
    ['src/core/step.ts', 'src/world/clock.ts', true, false],
    ['src/logs/tail.ts', 'src/runner/runner.ts', true, false],
    ['src/logs/tail.ts', 'chokidar', false, false],
    ['src/control/server.ts', 'src/store/store.ts', true, true],
    ['src/control/server.ts', 'src/store/store.ts', false, false],
    ['src/cli/commands/run.ts', 'src/emperor/boot.ts', false, true],
    ['src/cli/commands/status.ts', 'src/emperor/boot.ts', false, false],
    ['src/emperor/perform.ts', 'src/runner/direct.ts', false, false],
  ])('hold: that %s imports %s (types only: %s) is allowed: %s', (file, from, onlyTypes, allowed) => {
    expect(mayImport(file, { from, onlyTypes })).toBe(allowed);
  });

  it.each(SOURCES)('hold in %s', (file) => {
    expect(importsOf(file).filter((each) => !mayImport(file, each)).map(({ from }) => from)).toEqual([]);
  });

  it('let no room but world and cli read the clock, the environment or chance', () => {
    const touches = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|(?<![.\w])set(?:Timeout|Interval)\(|\bMath\.random\b|(?<![.\w])process\.(?:env|argv)\b/;
    const guilty = SOURCES.filter((file) => !/^src\/(world|cli)\/|^src\/main\.ts$/.test(file) && touches.test(codeOf(file)));
    expect(guilty).toEqual([]);
  });

  it('keep the pure rooms from every global that is not a value', () => {
    const touches = /\bDate\b|\bperformance\b|(?<![.\w])(?:set(?:Timeout|Interval|Immediate)|queueMicrotask|fetch)\(|\bMath\.random\b|\bconsole\.|(?<![.\w])process\.(?!pid\b)/;
    expect(SOURCES.filter((file) => PURE.test(file) && touches.test(codeOf(file)))).toEqual([]);
  });

  it('keep state in owners: no file has a variable of its own', () => {
    expect(SOURCES.filter((file) => /^(?:export )?(?:let|var) /m.test(codeOf(file)))).toEqual([]);
  });
});

describe('a source file', () => {
  it('has at most 300 lines', () => {
    const long = SOURCES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length] as const).filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  it('is named for one concept, in kebab-case', () => {
    const homeless = /^(?:utils?|helpers?|common|misc|types|manager|service|index)$/;
    const names = SOURCES.map((file) => [file, basename(file, '.ts')] as const);
    expect(names.filter(([, name]) => homeless.test(name) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)).map(([file]) => file)).toEqual([]);
  });
});

describe('README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const told = new Set(readme.match(/\bE_[A-Z]+(?:_[A-Z]+)*\b/g));

  it('tells of every error code', () => {
    expect(Object.keys(CODES).filter((code) => !told.has(code))).toEqual([]);
  });

  it('tells of no error code that does not exist', () => {
    expect([...told].filter((code) => !(code in CODES))).toEqual([]);
  });
});
