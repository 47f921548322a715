import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, extname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import type { Code } from '../../src/errors.ts';
import { faultsOf } from '../config/context.ts';
import { asNobody } from './nobody.ts';
import { Daemon, makePlace } from './daemon.ts';

const BROKEN = new URL('../fixtures/vassals/', import.meta.url);

/** One thing that can be wrong with a file. */
interface Row {
  readonly name: string;
  readonly extension: string;
  readonly bytes: Buffer | string;
  readonly code: Code;
}

function row(name: string, extension: string, code: Code, bytes: Buffer | string): Row {
  return { name, extension, code, bytes };
}

/** What every fixture is told as, is in test/config/faults.test.ts; here it matters that each is told, by its code. */
const ROWS: readonly Row[] = [
  ...readdirSync(BROKEN).map((file) => {
    const text = readFileSync(new URL(file, BROKEN), 'utf8');
    return row(`broken-${file.replace('.', '-')}`, extname(file), codeOf(file, text), text);
  }),
  row('empty-file', '.toml', 'E_FILE_EMPTY', ''),
  row('only-blanks', '.yaml', 'E_FILE_EMPTY', ' \n\t\r\n'),
  row('only-a-mark', '.json', 'E_FILE_EMPTY', '\uFEFF'),
  row('a-binary', '.toml', 'E_FILE_BINARY', readFileSync('/bin/true')),
  row('a-nul-at-the-end', '.ini', 'E_FILE_BINARY', `[vassal]\ncommand = /bin/true\n\0`),
  row('utf-16', '.ini', 'E_FILE_BINARY', Buffer.from('\uFEFF[vassal]\ncommand = /bin/true\n', 'utf16le')),
  row('latin-1', '.toml', 'E_FILE_ENCODING', Buffer.from('[vassal]\n# caf\u00E9\ncommand = "/bin/true"\n', 'latin1')),
  row('a-cut-character', '.json', 'E_FILE_ENCODING', Buffer.from('{"vassal":{"command":"/bin/true €"}}').subarray(0, -4)),
  row('ten-megabytes', '.toml', 'E_FILE_TOO_LARGE', Buffer.alloc(10 * 2 ** 20, '# a long comment\n')),
  row('a-byte-too-much', '.ini', 'E_FILE_TOO_LARGE', Buffer.alloc(2 ** 20 + 1, ' ')),
  row('one-long-line', '.toml', 'E_SYNTAX', `[vassal]\ncommand = "/bin/true"\numask = "${'7'.repeat(900_000)}"\n`),
  row('one-long-word', '.ini', 'E_PROGRAM_MISSING', `[vassal]\ncommand = ${'w'.repeat(900_000)}\n`),
  row('one-long-key', '.ini', 'E_KEY_UNKNOWN', `[vassal]\ncommand = /bin/true\n${'k'.repeat(900_000)} = 1\n`),
  row('many-faults', '.ini', 'E_KEY_UNKNOWN', `[vassal]\ncommand = /bin/true\n${Array.from({ length: 2_000 }, (_, line) => `key-${line} = 1\n`).join('')}`),
  row('deep-json', '.json', 'E_SYNTAX', `{"vassal":${'['.repeat(10_000)}`),
  row('deep-toml', '.toml', 'E_SYNTAX', `vassal = ${'['.repeat(10_000)}`),
  row('deep-yaml', '.yaml', 'E_SYNTAX', '['.repeat(5_000)),
  row('deep-xml', '.xml', 'E_SYNTAX', '<vassal>'.repeat(5_000)),
  row('a-long-key-path', '.toml', 'E_KEY_UNKNOWN', `vassal.${Array.from({ length: 100 }, () => 'a').join('.')} = 1\n`),
  row('billion-laughs', '.yaml', 'E_SYNTAX', laughs()),
  row('billion-laughs-of-xml', '.xml', 'E_SYNTAX', '<!DOCTYPE v [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<vassal><command>&b;</command></vassal>'),
  row('proto-json', '.json', 'E_KEY_UNKNOWN', '{"vassal":{"command":"/bin/true","__proto__":{"umask":"000"}}}'),
  row('proto-section', '.json', 'E_KEY_UNKNOWN', '{"__proto__":{"vassal":{}},"vassal":{"command":"/bin/true"}}'),
  row('constructor-json', '.json', 'E_KEY_UNKNOWN', '{"vassal":{"command":"/bin/true","constructor":{"prototype":{"x":1}}}}'),
  row('proto-yaml', '.yaml', 'E_KEY_UNKNOWN', 'vassal:\n  command: /bin/true\n  __proto__: {umask: "000"}\n'),
  row('proto-toml', '.toml', 'E_KEY_UNKNOWN', '[vassal]\ncommand = "/bin/true"\n[vassal.__proto__]\numask = "000"\n'),
  row('proto-ini', '.ini', 'E_KEY_UNKNOWN', '[vassal]\ncommand = /bin/true\n__proto__.umask = 000\n'),
  row('ini-without-section', '.ini', 'E_NO_SECTION', 'command = /bin/sleep 1\n'),
  row('empty-section', '.toml', 'E_KEY_MISSING', '[vassal]\n'),
  row('empty-section-yaml', '.yaml', 'E_KEY_MISSING', 'vassal:\n'),
  row('wrong-format', '.json', 'E_SYNTAX', '[vassal]\ncommand = "/bin/true"\n'),
  row('missing-program', '.toml', 'E_PROGRAM_MISSING', '[vassal]\ncommand = "/nonexistent/program"\n'),
  row('missing-program-in-path', '.ini', 'E_PROGRAM_MISSING', '[vassal]\ncommand = no-such-program-anywhere\n'),
  row('program-is-a-folder', '.toml', 'E_PROGRAM_DENIED', '[vassal]\ncommand = "/usr/bin/"\n'),
  row('program-is-a-device', '.toml', 'E_PROGRAM_DENIED', '[vassal]\ncommand = "/dev/null"\n'),
  row('program-without-x', '.toml', 'E_PROGRAM_DENIED', '[vassal]\ncommand = "/etc/passwd"\n'),
  row('missing-directory', '.toml', 'E_DIRECTORY', '[vassal]\ncommand = "/bin/true"\ndirectory = "/nonexistent/folder"\n'),
  row('directory-is-a-file', '.toml', 'E_DIRECTORY', '[vassal]\ncommand = "/bin/true"\ndirectory = "/etc/passwd"\n'),
  row('unknown-user', '.toml', 'E_USER', '[vassal]\ncommand = "/bin/true"\nuser = "nobody-of-this-name"\n'),
  row('unknown-group', '.toml', 'E_USER', '[vassal]\ncommand = "/bin/true"\ngroup = "no-such-group"\n'),
  row('missing-environment-file', '.toml', 'E_ENVIRONMENT_FILE', '[vassal]\ncommand = "/bin/true"\nenvironment-file = "/nonexistent/file"\n'),
  row('environment-file-without-end', '.toml', 'E_ENVIRONMENT_FILE', '[vassal]\ncommand = "/bin/true"\nenvironment-file = "/dev/zero"\n'),
];

/** What a file says is at fault or not, whatever the fault: of the fixtures a few will do as edits. */
const EDITS = ROWS.filter(({ name }, at) => !name.startsWith('broken-') || at % 8 === 0);

/** What the config room says to a fixture: it has one fault. */
function codeOf(file: string, text: string): Code {
  return (faultsOf(`/v/${file}`, text)[0]?.split(' ')[0] ?? '') as Code;
}

function laughs(): string {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let letter = 98; letter < 106; letter += 1) {
    const [before, here] = [String.fromCharCode(letter - 1), String.fromCharCode(letter)];
    lines.push(`${here}: &${here} [${Array(9).fill(`*${before}`).join(', ')}]`);
  }
  return `${lines.join('\n')}\nvassal: {command: *i}\n`;
}

/** A good file of each format. */
function good(extension: string, seconds: number): string {
  switch (extension) {
    case '.ini':
      return `[vassal]\ncommand = /bin/sleep ${seconds}\nready.after = 20ms\n`;
    case '.json':
      return `{"vassal": {"command": "/bin/sleep ${seconds}", "ready": {"after": "20ms"}}}`;
    case '.xml':
      return `<vassal><command>/bin/sleep ${seconds}</command><ready><after>20ms</after></ready></vassal>`;
    case '.yaml':
      return `vassal:\n  command: /bin/sleep ${seconds}\n  ready: {after: 20ms}\n`;
    default:
      return `[vassal]\ncommand = "/bin/sleep ${seconds}"\nready = { after = "20ms" }\n`;
  }
}

/** Replaces a file in one step. */
function replace(daemon: Daemon, file: string, bytes: Buffer | string): void {
  const aside = join(daemon.place.folder, file);
  writeFileSync(aside, bytes);
  renameSync(aside, join(daemon.place.vassals, file));
}

function byName(status: StatusDocument): ReadonlyMap<string, VassalDocument> {
  return new Map(status.vassals.map((each) => [each.name, each]));
}

/** What is to be seen of a vassal; `pid` of its first instance. */
function facts(vassal: VassalDocument | undefined): object {
  return { state: vassal?.state, code: vassal?.failure?.code ?? null, pid: vassal?.instances[0]?.pid ?? null, revision: vassal?.revision };
}

async function check(daemon: Daemon, path: string): Promise<{ code: number | null; faults: ReadonlyMap<string, string> }> {
  const { code, stdout } = await daemon.cli('check', '--json', path);
  const { files } = JSON.parse(stdout) as { files: { name: string; faults: { code: string }[] }[] };
  return { code, faults: new Map(files.map((each) => [each.name, each.faults[0]?.code ?? ''])) };
}

describe('a bad text', () => {
  it('is a clear fault of that file alone, in status and in check', async () => {
    await using daemon = await Daemon.start();
    daemon.write('neighbour.toml', good('.toml', 1000));
    const neighbour = await daemon.untilState('neighbour', 'ready');
    for (const { name, extension, bytes } of ROWS) daemon.write(name + extension, bytes as string);
    const status = byName(await daemon.until(({ vassals }) => vassals.length === ROWS.length + 1, 'all files are known'));

    expect(ROWS.map(({ name }) => [name, status.get(name)?.state, status.get(name)?.failure?.code])).toEqual(ROWS.map(({ name, code }) => [name, 'invalid', code]));
    for (const { name, extension } of ROWS) expect(status.get(name)?.failure?.message).toMatch(new RegExp(`^.{1,600} at ${daemon.place.vassals}/${name}${extension}[^]{0,60000}$`));
    expect(facts(await daemon.vassal('neighbour'))).toEqual({ ...facts(neighbour) });
    const checked = await check(daemon, daemon.place.vassals);
    expect(checked.code).toBe(78);
    expect(ROWS.map(({ name }) => [name, checked.faults.get(name)])).toEqual(ROWS.map(({ name, code }) => [name, code]));
    expect((await daemon.cli('start', 'empty-file')).code).toBe(78);
  }, 60_000);

  it.each([['in place'], ['by rename']])('written %s changes nothing of what runs, and the next good one is deployed', async (how) => {
    await using daemon = await Daemon.start();
    const put = (file: string, bytes: Buffer | string): void => {
      if (how === 'in place') writeFileSync(join(daemon.place.vassals, file), bytes);
      else replace(daemon, file, bytes);
    };
    for (const { name, extension } of EDITS) put(name + extension, good(extension, 1000));
    const ready = ({ vassals }: StatusDocument): boolean => vassals.filter((each) => each.state === 'ready' && each.failure === null).length === EDITS.length;
    const before = byName(await daemon.until(ready, 'all are ready'));

    for (const { name, extension, bytes } of EDITS) put(name + extension, bytes);
    const faulty = byName(await daemon.until(({ vassals }) => vassals.every((each) => each.failure !== null), 'all are at fault'));
    expect(EDITS.map(({ name }) => [name, facts(faulty.get(name))])).toEqual(EDITS.map(({ name, code }) => [name, { ...facts(before.get(name)), code }]));

    for (const { name, extension } of EDITS) put(name + extension, good(extension, 2000));
    const healed = byName(await daemon.until((status) => ready(status) && status.vassals.every((each) => (each.revision ?? 0) > 1), 'all are mended'));
    for (const { name } of EDITS) {
      expect(healed.get(name)?.failure).toBeNull();
      expect(readFileSync(`/proc/${healed.get(name)?.instances[0]?.pid}/cmdline`, 'utf8')).toBe(['/bin/sleep', '2000', ''].join('\0'));
    }
  }, 60_000);
});


describe('a text that only looks bad', () => {
  it('is deployed: a byte order mark, line ends of Windows, no last line end', async () => {
    await using daemon = await Daemon.start();
    for (const extension of ['.toml', '.ini', '.yaml', '.json', '.xml']) {
      const text = good(extension, 1000);
      daemon.write(`mark-${extension.slice(1)}${extension}`, `\uFEFF${text}`);
      daemon.write(`windows-${extension.slice(1)}${extension}`, text.replaceAll('\n', '\r\n'));
      daemon.write(`cut-${extension.slice(1)}${extension}`, text.trimEnd());
    }
    await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'ready').length === 15, 'all are ready');
    expect((await daemon.cli('check', daemon.place.vassals)).stdout).toBe('15 files, no faults\n');
  });
});

/** Makes something that has the name of a vassal file and is none. */
const KINDS: readonly (readonly [string, Code, (path: string) => unknown])[] = [
  ['fifo', 'E_FILE_KIND', (path) => execFileSync('mkfifo', [path])],
  ['socket', 'E_FILE_KIND', async (path) => {
    const server = createServer().listen(`${path}~`);
    await once(server, 'listening');
    // Closing a server removes its file, so it has to have another name by then.
    renameSync(`${path}~`, path);
    server.close();
  }],
  ['link-to-a-device', 'E_FILE_KIND', (path) => symlinkSync('/dev/zero', path)],
  ['link-to-nowhere', 'E_FILE_LINK', (path) => symlinkSync('/nonexistent/file.toml', path)],
  ['link-to-itself', 'E_FILE_LINK', (path) => symlinkSync(basename(path), path)],
  ['link-below-a-file', 'E_FILE_LINK', (path) => symlinkSync('/etc/passwd/file.toml', path)],
];

describe('something that is no file, under the name of one', () => {
  it('is a fault of its own, and hangs nobody', async () => {
    await using daemon = await Daemon.start();
    daemon.write('neighbour.toml', good('.toml', 1000));
    const neighbour = await daemon.untilState('neighbour', 'ready');
    for (const [name, , make] of KINDS) await make(join(daemon.place.vassals, `${name}.toml`));
    mkdirSync(join(daemon.place.vassals, 'folder.toml'));
    const status = byName(await daemon.until(({ vassals }) => vassals.length === KINDS.length + 1, 'all are known'));

    expect(KINDS.map(([name]) => [name, status.get(name)?.state, status.get(name)?.failure?.code])).toEqual(KINDS.map(([name, code]) => [name, 'invalid', code]));
    expect(facts(await daemon.vassal('neighbour'))).toEqual(facts(neighbour));
    const checked = await check(daemon, daemon.place.vassals);
    expect([checked.code, ...KINDS.map(([name]) => checked.faults.get(name))]).toEqual([78, ...KINDS.map(([, code]) => code)]);
    const alone = await daemon.cli('check', ...KINDS.map(([name]) => join(daemon.place.vassals, `${name}.toml`)));
    expect([alone.code, ...alone.stdout.split('\n').map((line) => line.split(':')[0])]).toEqual([78, ...KINDS.map(([, code]) => code), expect.anything(), '']);
  });

  it('changes nothing of what runs when it takes the place of its file, and the next file is deployed', async () => {
    await using daemon = await Daemon.start();
    const kinds = [...KINDS, ['link-to-a-folder', 'E_FILE_KIND', (path: string): void => symlinkSync('/tmp', path)] as const];
    for (const [name] of kinds) daemon.write(`${name}.toml`, good('.toml', 1000));
    const ready = ({ vassals }: StatusDocument): boolean => vassals.filter((each) => each.state === 'ready' && each.failure === null).length === kinds.length;
    const before = byName(await daemon.until(ready, 'all are ready'));

    const aside = join(daemon.place.folder, 'aside');
    mkdirSync(aside);
    for (const [name, , make] of kinds) {
      await make(join(aside, `${name}.toml`));
      renameSync(join(aside, `${name}.toml`), join(daemon.place.vassals, `${name}.toml`));
    }
    const faulty = byName(await daemon.until(({ vassals }) => vassals.every((each) => each.failure !== null), 'all are at fault'));
    expect(kinds.map(([name]) => [name, facts(faulty.get(name))])).toEqual(kinds.map(([name, code]) => [name, { ...facts(before.get(name)), code }]));

    for (const [name] of kinds) replace(daemon, `${name}.toml`, good('.toml', 2000));
    const healed = byName(await daemon.until((status) => ready(status) && status.vassals.every((each) => each.revision === 2), 'all are mended'));
    for (const [name] of kinds) expect(readFileSync(`/proc/${healed.get(name)?.instances[0]?.pid}/cmdline`, 'latin1')).toContain('2000');
  });

  it('such as a file that may not be read, is a fault as well', async () => {
    const place = makePlace();
    await using daemon = await asNobody(place);
    daemon.write('secret.toml', good('.toml', 1000));
    const secret = join(place.vassals, 'secret.toml');
    const before = await daemon.untilState('secret', 'ready');
    chmodSync(secret, 0);
    const faulty = await daemon.until(({ vassals }) => vassals[0]?.failure?.code === 'E_FILE_UNREADABLE', 'it is unreadable');
    expect(facts(faulty.vassals[0])).toEqual({ ...facts(before), code: 'E_FILE_UNREADABLE' });
    expect(faulty.vassals[0]?.failure?.message).toBe(`the file cannot be read: EACCES at ${secret}; let the user of the emperor read it, and enter the folders above it`);
    chmodSync(secret, 0o644);
    const back = await daemon.until(({ vassals }) => vassals[0]?.failure === null, 'it can be read again');
    expect(facts(back.vassals[0])).toEqual(facts(before));

    const another = join(place.folder, 'another.toml');
    writeFileSync(another, good('.toml', 1000), { mode: 0o000 });
    renameSync(another, join(place.vassals, 'another.toml'));
    expect((await daemon.untilState('another', 'invalid')).failure?.code).toBe('E_FILE_UNREADABLE');

    writeFileSync(another, good('.toml', 2000));
    chmodSync(another, 0o644);
    renameSync(another, secret);
    expect(await daemon.untilReplaced('secret', before)).toMatchObject({ failure: null });
    chmodSync(join(place.vassals, 'another.toml'), 0o644);
    expect(await daemon.untilState('another', 'ready')).toMatchObject({ failure: null });
  });
});

describe('two files with one name', () => {
  it('leave the name to the first, and its place to the second', async () => {
    await using daemon = await Daemon.start();
    const first = daemon.write('twin.toml', good('.toml', 1000));
    const owner = await daemon.untilState('twin', 'ready');
    daemon.write('twin.ini', good('.ini', 2000));
    const { vassals } = await daemon.until((status) => status.vassals.length === 2, 'both are known');
    expect(vassals.find((each) => each.file === first)).toEqual(owner);
    expect(vassals.find((each) => each.file !== first)).toMatchObject({ state: 'invalid', instances: [], failure: { code: 'E_NAME_CLASH' } });
    expect(vassals.find((each) => each.file !== first)?.failure?.message).toContain(`the name "twin" belongs to ${first} already at `);
    expect((await daemon.cli('status', 'twin')).stdout).toContain(first);
    expect((await check(daemon, daemon.place.vassals)).code).toBe(78);
    // The clash is over where the first one is: what it says may change as ever.
    daemon.write('twin.toml', good('.toml', 1500));
    await daemon.untilReplaced('twin', owner);

    unlinkSync(first);
    const heir = await daemon.until((status) => status.vassals.length === 1 && status.vassals[0]?.state === 'ready', 'the second has the name');
    expect(heir.vassals[0]).toMatchObject({ failure: null, file: join(daemon.place.vassals, 'twin.ini') });
  });
});
