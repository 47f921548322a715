import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StatusDocument, VassalDocument } from '../../src/control/protocol.ts';
import type { Code } from '../../src/errors.ts';
import { until } from '../until.ts';
import { Daemon, makePlace, toml, type Place } from './daemon.ts';
import { asNobody } from './nobody.ts';

const SLEEP = ['/bin/sleep', '100000'];
const SCRIPT = '#!/bin/sh\nexec sleep 100000\n';

/** Puts a file where it belongs in one step. */
function put(path: string, text: string, mode = 0o755): void {
  writeFileSync(`${path}~`, text, { mode });
  renameSync(`${path}~`, path);
}

/** Something that a host can lack: what stands in the file, what is wrong then, and what mends it. `at`: a path of one's own. */
interface Lack {
  readonly name: string;
  readonly code: Code;
  readonly lines: (at: string) => readonly string[];
  readonly before: (at: string) => unknown;
  readonly mend: (at: string) => unknown;
}

const nothing = (): void => undefined;
const runsIt = (at: string): readonly string[] => [`command = ["${at}"]`];
const LACKS: readonly Lack[] = [
  { name: 'program', code: 'E_PROGRAM_MISSING', lines: runsIt, before: nothing, mend: (at) => put(at, SCRIPT) },
  { name: 'program-in-a-missing-folder', code: 'E_PROGRAM_MISSING', lines: (at) => runsIt(`${at}/bin/app`), before: nothing, mend: (at) => (mkdirSync(`${at}/bin`, { recursive: true }), put(`${at}/bin/app`, SCRIPT)) },
  { name: 'program-behind-a-link', code: 'E_PROGRAM_MISSING', lines: runsIt, before: (at) => symlinkSync(`${at}.target`, at), mend: (at) => put(`${at}.target`, SCRIPT) },
  { name: 'program-without-x', code: 'E_PROGRAM_DENIED', lines: runsIt, before: (at) => put(at, SCRIPT, 0o644), mend: (at) => chmodSync(at, 0o755) },
  { name: 'program-that-is-a-folder', code: 'E_PROGRAM_DENIED', lines: runsIt, before: (at) => mkdirSync(at), mend: (at) => (rmSync(at, { recursive: true }), put(at, SCRIPT)) },
  { name: 'interpreter', code: 'E_PROGRAM_MISSING', lines: runsIt, before: (at) => put(at, `#!${at}.sh\nexec sleep 100000\n`), mend: (at) => symlinkSync('/bin/sh', `${at}.sh`) },
  { name: 'interpreter-of-env', code: 'E_PROGRAM_MISSING', lines: runsIt, before: (at) => put(at, '#!/usr/bin/env no-such-shell\n'), mend: (at) => put(at, SCRIPT) },
  { name: 'unix-line-ends', code: 'E_PROGRAM_MISSING', lines: runsIt, before: (at) => put(at, SCRIPT.replaceAll('\n', '\r\n')), mend: (at) => put(at, SCRIPT) },
  { name: 'directory', code: 'E_DIRECTORY', lines: (at) => ['command = "sleep 100000"', `directory = "${at}"`], before: nothing, mend: (at) => mkdirSync(at) },
  { name: 'directory-that-is-a-file', code: 'E_DIRECTORY', lines: (at) => ['command = "sleep 100000"', `directory = "${at}"`], before: (at) => put(at, ''), mend: (at) => (unlinkSync(at), mkdirSync(at)) },
  { name: 'directory-with-its-program', code: 'E_DIRECTORY', lines: (at) => ['command = "./app"', `directory = "${at}"`], before: nothing, mend: (at) => (mkdirSync(`${at}~~`), put(`${at}~~/app`, SCRIPT), renameSync(`${at}~~`, at)) },
  { name: 'environment-file', code: 'E_ENVIRONMENT_FILE', lines: (at) => ['command = "sleep 100000"', `environment-file = "${at}"`], before: nothing, mend: (at) => put(at, 'A=1\n', 0o644) },
  { name: 'environment-file-with-a-mistake', code: 'E_ENVIRONMENT_FILE', lines: (at) => ['command = "sleep 100000"', `environment-file = "${at}"`], before: (at) => put(at, 'A="1\n', 0o644), mend: (at) => put(at, 'A="1"\n', 0o644) },
];

function lacking({ lines }: Lack, at: string): string {
  return ['[vassal]', ...lines(at), 'ready = { after = "20ms" }', ''].join('\n');
}

function facts(vassals: readonly VassalDocument[]): unknown {
  return vassals.map(({ name, state, revision, instances, failure }) => [name, state, revision, instances[0]?.pid, failure?.code]);
}

describe('what this host lacks', () => {
  it('is a fault of who needs it, and heals by itself when it is there', async () => {
    await using daemon = await Daemon.start();
    const at = ({ name }: Lack, kind: string): string => join(daemon.place.folder, `${kind}-${name}`);
    daemon.write('neighbour.toml', toml(SLEEP));
    for (const lack of LACKS) daemon.write(`edited-${lack.name}.toml`, toml(SLEEP));
    const before = await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'ready').length === LACKS.length + 1, 'all are ready');

    for (const lack of LACKS) {
      for (const kind of ['fresh', 'edited']) {
        lack.before(at(lack, kind));
        daemon.write(`${kind}-${lack.name}.toml`, lacking(lack, at(lack, kind)));
      }
    }
    const faulty = await daemon.until(({ vassals }) => vassals.filter(({ failure }) => failure !== null).length === 2 * LACKS.length, 'all are at fault');
    const fault = (lack: Lack): Code => lack.code;
    const expected = before.vassals.map(({ name, state, revision, instances }) => [name, state, revision, instances[0]?.pid, LACKS.filter((lack) => name === `edited-${lack.name}`).map(fault)[0]]);
    expect(facts(faulty.vassals.filter(({ name }) => !name.startsWith('fresh-')))).toEqual(expected);
    for (const lack of LACKS) {
      const fresh = faulty.vassals.find(({ name }) => name === `fresh-${lack.name}`);
      expect([fresh?.name, fresh?.state, fresh?.failure?.code]).toEqual([`fresh-${lack.name}`, 'invalid', lack.code]);
      expect(fresh?.failure?.message).toMatch(new RegExp(`${at(lack, 'fresh')}.* at ${daemon.place.vassals}/fresh-${lack.name}.toml; .+`));
    }
    expect((await daemon.cli('check', daemon.place.vassals)).code).toBe(78);

    for (const lack of LACKS) for (const kind of ['fresh', 'edited']) lack.mend(at(lack, kind));
    const isReady = ({ state, failure }: VassalDocument): boolean => state === 'ready' && failure === null;
    const healed = await daemon.until(({ vassals }) => vassals.every(isReady), 'all are mended');
    expect(healed.vassals.filter(({ name }) => name.startsWith('edited-')).map(({ revision }) => revision)).toEqual(LACKS.map(() => 2));
    expect(healed.vassals.find(({ name }) => name === 'neighbour')).toEqual(before.vassals.find(({ name }) => name === 'neighbour'));
  });

  it('may be the rights of the emperor', async () => {
    const place = makePlace();
    writeFileSync(join(place.vassals, 'proud.toml'), toml(SLEEP, 'user = "root"'));
    writeFileSync(join(place.vassals, 'modest.toml'), toml(SLEEP));
    mkdirSync(join(place.folder, 'closed'));
    writeFileSync(join(place.vassals, 'barred.toml'), toml(SLEEP, `directory = "${place.folder}/closed"`));
    await using daemon = await asNobody(place);
    chmodSync(join(place.folder, 'closed'), 0);
    await daemon.untilState('modest', 'ready');
    expect((await daemon.untilState('proud', 'invalid')).failure).toMatchObject({ code: 'E_USER', message: expect.stringContaining('only root can become the user "root"') as string });
    const barred = await daemon.cli('restart', 'barred');
    expect([barred.code, barred.stderr.includes('cannot be entered')]).toEqual([78, true]);
    chmodSync(join(place.folder, 'closed'), 0o755);
    await daemon.untilState('barred', 'ready');
  });
});

describe('a source that cannot be looked at', () => {
  const blind = ({ emperor }: StatusDocument): boolean => emperor.blind.length === 1;

  it.each([
    ['it may not be read', (place: Place) => chmodSync(place.vassals, 0o300), (place: Place) => chmodSync(place.vassals, 0o755)],
    ['it may not be entered', (place: Place) => chmodSync(place.vassals, 0o600), (place: Place) => chmodSync(place.vassals, 0o755)],
    ['a file took its place', (place: Place) => (renameSync(place.vassals, `${place.vassals}~`), writeFileSync(place.vassals, '')), (place: Place) => (unlinkSync(place.vassals), renameSync(`${place.vassals}~`, place.vassals))],
    ['a circle took its place', (place: Place) => (renameSync(place.vassals, `${place.vassals}~`), symlinkSync('vassals', place.vassals)), (place: Place) => (unlinkSync(place.vassals), renameSync(`${place.vassals}~`, place.vassals))],
  ])('as %s: what runs goes on, and it is told', async (_what, harm, mend) => {
    const place = makePlace();
    await using daemon = await asNobody(place);
    daemon.write('shop.toml', toml(SLEEP));
    const before = await daemon.untilState('shop', 'ready');
    harm(place);
    const status = await daemon.until(blind, 'the source is blind');
    expect(status.emperor.blind[0]?.reason).toContain(place.vassals);
    expect(status.vassals).toEqual([before]);
    mend(place);
    await daemon.until((now) => !blind(now), 'the source is seen');
    expect((await daemon.status()).vassals).toEqual([before]);
    daemon.write('blog.toml', toml(SLEEP));
    await daemon.untilState('blog', 'ready');
  });

  it('does not keep the emperor from starting: a file, or nothing, where a folder should be', async () => {
    const place = makePlace();
    const [file, missing] = [join(place.folder, 'file'), join(place.folder, 'missing')];
    writeFileSync(file, '');
    writeFileSync(join(place.vassals, 'shop.toml'), toml(SLEEP));
    await using daemon = await Daemon.start(place, { sources: [file, missing, place.vassals] });
    await daemon.untilState('shop', 'ready');
    expect((await daemon.status()).emperor.blind.map(({ source }) => source)).toEqual([`dir://${file}`, `dir://${missing}`]);
    const { code, stdout } = await daemon.cli('check', file);
    expect([code, stdout]).toEqual([78, expect.stringContaining(`ENOTDIR: ${file} is no folder at ${file}; a vassal file ends in .ini`)]);
    mkdirSync(missing);
    writeFileSync(join(missing, 'blog.toml'), toml(SLEEP));
    await daemon.untilState('blog', 'ready');
  });
});

describe('a full disk', () => {
  const isRoot = process.getuid?.() === 0;

  /** A daemon that sees a small file system of its own in a folder, and what runs a command where it can be seen. */
  async function onSmallDisk(place: Place, folder: string, size: string): Promise<{ daemon: Daemon; inside: (script: string) => void }> {
    mkdirSync(folder);
    const daemon = await Daemon.start(place, { through: ['unshare', '--mount', '/bin/sh', '-c', `mount -t tmpfs -o ${size},mode=0755 tmpfs "$0" && exec "$@"`, folder] });
    const inside = (script: string): void => void execFileSync('nsenter', [`--mount=/proc/${daemon.process.pid}/ns/mnt`, '/bin/sh', '-c', script, folder]);
    return { daemon, inside };
  }

  it.runIf(isRoot)('costs the memory of what happens, and nothing that runs; what was kept is written when there is room', async () => {
    const place = makePlace();
    const { daemon, inside } = await onSmallDisk(place, place.state, 'size=1m');
    await using _ = daemon;
    daemon.write('shop.toml', toml(SLEEP));
    const shop = await daemon.untilState('shop', 'ready');
    inside('! cat /dev/zero > "$0/ballast" 2> /dev/null');
    // The feed of events is read from the store, so it is silent now.
    const see = (name: string, wanted: Partial<VassalDocument>): Promise<unknown> => until(async () => expect(await daemon.vassal(name)).toMatchObject(wanted));
    let edits = 0;
    while (!daemon.output.some((line) => line.includes('the state cannot be stored'))) {
      edits += 1;
      daemon.write('busy.toml', toml(['/bin/sleep', String(1000 + edits)]));
      await see('busy', { state: 'ready', revision: edits });
    }
    process.kill((await daemon.vassal('busy'))!.instances[0]!.pid!, 'SIGKILL');
    await see('busy', { state: 'ready', restarts: 1 });
    daemon.write('late.toml', toml(SLEEP));
    await see('late', { state: 'ready' });
    expect(await daemon.vassal('shop')).toEqual(shop);

    inside('rm "$0/ballast"');
    expect((await daemon.cli('restart', 'late')).code).toBe(0);
    await until(() => expect(daemon.output.some((line) => line.includes('the state can be stored again'))).toBe(true));
    expect((await daemon.events('late')).map(({ event }) => event)).toEqual(expect.arrayContaining(['appeared', 'launch', 'spawned', 'ready', 'order']));
    expect((await daemon.events('busy')).filter(({ event }) => event === 'edited')).toHaveLength(edits - 1);
  });

  it.runIf(isRoot)('without room for another FIFO: what is to start waits, and starts when there is room', async () => {
    const place = makePlace();
    const { daemon, inside } = await onSmallDisk(place, place.state, 'size=8m,nr_inodes=100');
    await using _ = daemon;
    daemon.write('shop.toml', toml(SLEEP));
    const shop = await daemon.untilState('shop', 'ready');
    inside('mkdir "$0/many"; i=0; while touch "$0/many/$i" 2> /dev/null; do i=$((i+1)); done');
    daemon.write('late.toml', toml(SLEEP, 'backoff = { max = "250ms" }'));
    const late = await daemon.until(({ vassals }) => vassals.some(({ name, failure }) => name === 'late' && failure?.code === 'E_SPAWN'), 'late cannot be started');
    expect(late.vassals.find(({ name }) => name === 'late')?.failure?.message).toContain('ENOSPC');
    expect(await daemon.vassal('shop')).toEqual(shop);
    inside('rm -r "$0/many"');
    expect(await daemon.untilState('late', 'ready')).toMatchObject({ failure: null });
  });

  it.runIf(isRoot)('under the logs costs output, is told, and nobody stands still', async () => {
    const place = makePlace();
    const { daemon, inside } = await onSmallDisk(place, place.logs, 'size=1m');
    await using _ = daemon;
    inside('! cat /dev/zero > "$0/ballast" 2> /dev/null');
    const beat = join(place.folder, 'beat');
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'i=0; while :; do i=$((i+1)); echo "$i" > "$0"; seq 1000; done', beat]));
    const shop = await daemon.untilState('shop', 'ready');
    await until(() => expect(daemon.output.some((line) => line.includes('"output was lost"') && line.includes('ENOSPC'))).toBe(true));
    const beats = Number(readFileSync(beat, 'utf8'));
    await until(() => expect(Number(readFileSync(beat, 'utf8'))).toBeGreaterThan(beats + 200));
    inside('rm "$0/ballast"');
    await until(() => expect(readFileSync(`/proc/${daemon.process.pid}/root${place.logs}/shop.log`, 'utf8')).toContain('\n1000\n1\n'));
    expect((await daemon.vassal('shop'))?.instances).toEqual(shop.instances);
  });
});

describe('a logs folder that may not be written', () => {
  it('costs output, is told, and is used as soon as it may be', async () => {
    const place = makePlace();
    mkdirSync(place.logs);
    await using daemon = await asNobody(place);
    chmodSync(place.logs, 0o555);
    daemon.write('shop.toml', toml(['/bin/sh', '-c', 'while :; do echo tick; sleep 0.01; done']));
    const shop = await daemon.untilState('shop', 'ready');
    await until(() => expect(daemon.output.some((line) => line.includes('"output was lost"') && line.includes('EACCES'))).toBe(true));
    chmodSync(place.logs, 0o755);
    await until(() => expect(readFileSync(join(place.logs, 'shop.log'), 'utf8')).toContain('tick\n'));
    expect((await daemon.vassal('shop'))?.instances).toEqual(shop.instances);
  });
});

describe('an emperor that cannot begin says why in a line, and ends', () => {
  const file = (path: string, text = ''): string => (writeFileSync(path, text), path);
  const config = (place: Place, text: string): readonly string[] => ['--config', file(join(place.folder, 'emperor.toml'), text)];

  it.each<readonly [string, number, RegExp, (place: Place) => readonly string[]]>([
    ['its state folder is a file', 2, /cannot make the folder \S+\/file: .*--state$/, (place) => ['--state', file(join(place.folder, 'file'))]],
    ['its state folder would be below a file', 2, /cannot make the folder .*ENOTDIR.*--state$/, (place) => ['--state', join(file(join(place.folder, 'file')), 'state')]],
    ['its state folder is one of the kernel', 2, /cannot make the folder \/proc\/emperor: ENOENT.*--state$/, () => ['--state', '/proc/emperor']],
    ['its lock is a folder', 1, /cannot open the lock: EISDIR/, (place) => (mkdirSync(join(place.state, 'lock'), { recursive: true }), [])],
    ['its database is a folder', 1, /cannot use the database \S+: it is no regular file/, (place) => (mkdirSync(join(place.state, 'emperor.db'), { recursive: true }), [])],
    ['its logs folder is a file', 2, /cannot make the folder .*--logs$/, (place) => ['--logs', file(join(place.folder, 'file'))]],
    ['its control socket is a file', 2, /cannot use \S+ as control socket: there is something else/, (place) => ['--control', file(join(place.folder, 'file'))]],
    ['the path of its control socket is too long', 2, /107 bytes at most/, (place) => ['--control', join(place.folder, 'x'.repeat(100))]],
    ['a source has an unknown scheme', 2, /unknown scheme "etcd"; there are dir:\/\/, glob:\/\//, () => ['etcd://somewhere']],
    ['a source is named twice', 2, /is named twice/, (place) => [`${place.vassals}/../vassals`]],
    ['its configuration file is missing', 2, /cannot read the configuration file \/nonexistent.toml: ENOENT/, () => ['--config', '/nonexistent.toml']],
    ['its configuration is no TOML', 2, /not valid TOML: .* at \S+\/emperor.toml:2$/, (place) => config(place, 'log-level = "info"\nsources = [')],
    ['its configuration has an unknown key', 2, /unknown key "sourcs" at \S+\/emperor.toml:1; did you mean "sources"\?$/, (place) => config(place, 'sourcs = []\n')],
    ['its configuration is binary', 2, /not valid TOML/, (place) => config(place, '\0\u0001\u0002')],
    ['its configuration names a group that does not exist', 2, /there is no group "no-such-group"/, (place) => config(place, 'control-group = "no-such-group"\n')],
  ])('%s', async (_what, code, line, args) => {
    const place = makePlace();
    try {
      const ended = await Daemon.start(place, { args: args(place) }).then(() => 'it began', String);
      const [first, ...lines] = ended.split('\n');
      expect(first).toBe(`Error: the emperor ended with ${code}:`);
      expect(lines.length).toBeLessThan(3);
      expect(lines.join(' ')).toMatch(line);
      expect(lines.join(' ')).toMatch(/^emperor: /);
    } finally {
      rmSync(place.folder, { recursive: true });
    }
  });

  it('another one is at work on its state folder', async () => {
    await using daemon = await Daemon.start();
    const other = { ...daemon.place, control: `${daemon.place.control}-2` };
    await expect(Daemon.start(other)).rejects.toThrow(/^the emperor ended with 1:\nemperor: another emperor is at work on \S+ \(pid \d+, version \S+, since \S+Z\); end it first, or name another folder with --state$/);
    daemon.write('shop.toml', toml(SLEEP));
    await daemon.untilState('shop', 'ready');
  });
});
