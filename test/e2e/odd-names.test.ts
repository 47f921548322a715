import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, toml, type Ended } from './daemon.ts';

const NAMES = [
  'with space', ' blanks around ', `quote's "two" \`three\``, 'new\nline', 'tab\there', '\u001B[31mred\u001B]0;title\u0007', 'nel\u0085', 'turned\u202Etxt', 'grüße', '日本語',
  '$(touch pwned)', '-rf', '--json', 'up\\..\\..', 'a..', '%2e%2e%2fup', '%n %(x) $(HOME)', 'back\\slash', 'a#1', '*', '?x=1&y', 'x'.repeat(250), '語'.repeat(83),
];

/** Tells its name twice: by its argument and by its environment. */
const TELL = ['/bin/sh', '-c', 'printf "<%%s|%%s>\\n" "$1" "$EMPEROR_VASSAL"; exec sleep 100000', 'sh', '%n'];

/** What could move a cursor, ring a bell or turn the direction of writing. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/;

function wellBehaved({ code, stdout, stderr }: Ended): string {
  expect(stdout + stderr).not.toMatch(CONTROL);
  expect(code, stderr).toBe(0);
  return stdout;
}

it('lets vassals have any name that a file can have, and whoever asks name them', async () => {
  await using daemon = await Daemon.start();
  for (const name of NAMES) daemon.write(`${name}.toml`, toml(TELL));
  const allReady = (): Promise<unknown> => daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'ready').length === NAMES.length, 'all are ready');
  await allReady();
  expect((await daemon.status()).vassals.map(({ name }) => name).toSorted()).toEqual(NAMES.toSorted());

  for (const verb of ['stop', 'start', 'restart', 'reload']) {
    const { results } = JSON.parse((await daemon.cli(verb, '--json', '--', ...NAMES)).stdout) as { results: { name: string; outcome: string }[] };
    expect(results.map(({ name, outcome }) => [name, outcome]), verb).toEqual(NAMES.map((name) => [name, 'done']));
    const vassals = (await daemon.status()).vassals;
    expect(vassals.every(({ state }) => state === (verb === 'stop' ? 'stopped' : 'ready'))).toBe(true);
  }
  expect(wellBehaved(await daemon.cli('status')).trim().split('\n')).toHaveLength(NAMES.length + 3);
  expect(wellBehaved(await daemon.cli('restart', '--', ...NAMES)).trim().split('\n')).toHaveLength(NAMES.length);
  expect(wellBehaved(await daemon.cli('events', '-n', '10000')).trim().split('\n').every((line) => line.startsWith('20'))).toBe(true);

  const written = (): readonly string[] => readdirSync(daemon.place.logs).map((file) => readFileSync(join(daemon.place.logs, file), 'utf8'));
  await until(() => expect(written().map((text) => text.endsWith('>\n'))).toEqual(NAMES.map(() => true)));
  await Promise.all(NAMES.map(async (name) => {
    const { code, stdout } = await daemon.cli('logs', '--', name);
    expect([name, code, stdout.endsWith(`<${name}|${name}>\n`)]).toEqual([name, 0, true]);
  }));
  for (const name of ['new\nline', '\u001B[31mred\u001B]0;title\u0007', '--json', 'up\\..\\..', 'x'.repeat(250)]) {
    expect(wellBehaved(await daemon.cli('status', '--', name)).split('\n')[0]).toMatch(/: ready$/);
    const events = await daemon.cli('events', '--json', '--', name);
    expect(events.stdout.split('\n').filter((line) => line !== '').every((line) => (JSON.parse(line) as { name: string }).name === name)).toBe(true);
  }
  expect((await daemon.cli('status', '--', 'with space.toml')).code).toBe(4);

  const logs = readdirSync(daemon.place.logs, { recursive: true, encoding: 'utf8' });
  expect(logs).toHaveLength(NAMES.length);
  expect(logs.every((file) => file.endsWith('.log') && !CONTROL.test(file.replace('\u202E', '')))).toBe(true);
  expect(readdirSync(daemon.place.folder).toSorted()).toEqual(['control', 'logs', 'state', 'vassals']);
  expect(readdirSync(join(daemon.place.state, 'fifos')).every((file) => /^\d+$/.test(file))).toBe(true);
  expect(daemon.output.every((line) => line.startsWith('{') && !CONTROL.test(line.replaceAll('\u202E', '').replaceAll('\u0085', '')))).toBe(true);

  await daemon.end('SIGKILL');
  await using next = await daemon.successor();
  const adopted = (await next.status()).vassals.filter(({ instances }) => instances[0]?.adopted);
  expect(adopted.map(({ name }) => name).toSorted()).toEqual(NAMES.toSorted());
}, 60_000);

it('tells a name that is no text as a fault, and leaves out names that are no vassal', async () => {
  await using daemon = await Daemon.start();
  const raw = (name: string): Buffer => Buffer.concat([Buffer.from(`${daemon.place.vassals}/`), Buffer.from(name, 'latin1')]);
  writeFileSync(raw('caf\u00E9.toml'), toml(TELL));
  for (const name of ['.hidden.toml', '..toml', 'backup.toml~', 'shop.toml.swp', 'README', 'shop.toml.dpkg-old', '.toml', 'shop.toml.disabled']) daemon.write(name, toml(TELL));
  const nameless = await daemon.untilState('caf\\xe9', 'invalid');
  expect(nameless.failure).toMatchObject({ code: 'E_NAME', message: `the file name is not valid UTF-8 at ${daemon.place.vassals}/caf\\xe9.toml; rename it` });
  expect((await daemon.status()).vassals).toHaveLength(1);
  expect((await daemon.cli('check', daemon.place.vassals)).code).toBe(78);

  renameSync(raw('caf\u00E9.toml'), join(daemon.place.vassals, 'café.toml'));
  await daemon.untilState('café', 'ready');
  await daemon.until(({ vassals }) => vassals.length === 1, 'the nameless one is forgotten');
  await until(() => expect(readFileSync(join(daemon.place.logs, 'café.log'), 'utf8')).toBe('<café|café>\n'));
});
