import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Daemon } from './daemon.ts';

const SECRETS = ['hunter2-in-the-file', 'hunter3-in-the-env-file', 'hunter4-in-the-edit', 'hunter5-in-the-broken-edit'] as const;
const [PLAIN, FILED, EDITED, BROKEN] = SECRETS;
/** Ends if it has not got both; tells nobody. */
const PROGRAM = ['/bin/sh', '-c', 'test -n "$PLAIN" && test -n "$FILED" && exec sleep 100000'];

/** A vassal file in each syntax; `more` is one more key, which may not exist. */
const FORMATS: Readonly<Record<string, (secret: string, envFile: string, more: string) => string>> = {
  ini: (secret, envFile, more) => `[vassal]\ncommand = sh -c 'test -n "$$PLAIN" && test -n "$$FILED" && exec sleep 100000'\nenvironment.PLAIN = ${secret}\nenvironment-file = ${envFile}\nready.after = 50ms\n${more === '' ? '' : `${more} = 1\n`}`.replaceAll('$$', '$'),
  toml: (secret, envFile, more) => `[vassal]\ncommand = ${JSON.stringify(PROGRAM)}\nenvironment-file = "${envFile}"\nready = { after = "50ms" }\n${more === '' ? '' : `${more} = 1\n`}[vassal.environment]\nPLAIN = "${secret}"\n`,
  yaml: (secret, envFile, more) => `vassal:\n  command: ${JSON.stringify(PROGRAM)}\n  environment-file: ${envFile}\n  ready: {after: 50ms}\n  environment:\n    PLAIN: ${secret}\n${more === '' ? '' : `  ${more}: 1\n`}`,
  json: (secret, envFile, more) => JSON.stringify({ vassal: { command: PROGRAM, environment: { PLAIN: secret }, 'environment-file': envFile, ready: { after: '50ms' }, ...(more === '' ? {} : { [more]: 1 }) } }, null, 2),
  xml: (secret, envFile, more) => `<vassal><command>/bin/sh</command><command>-c</command><command>test -n "$PLAIN" &amp;&amp; test -n "$FILED" &amp;&amp; exec sleep 100000</command>\n<environment><PLAIN>${secret}</PLAIN></environment>\n<environment-file>${envFile}</environment-file><ready><after>50ms</after></ready>${more === '' ? '' : `<${more}>1</${more}>`}</vassal>\n`,
};

it('lets the values of an environment reach the instance, and nobody else', async () => {
  await using daemon = await Daemon.start(undefined, { args: ['--log-level', 'trace'] });
  const { place } = daemon;
  const envFile = join(place.folder, 'shop.env');
  writeFileSync(envFile, `FILED=${FILED}\n`);
  const names = Object.keys(FORMATS);
  const write = (secret: string, more = ''): void => {
    for (const [name, text] of Object.entries(FORMATS)) daemon.write(`${name}.${name}`, text(secret, envFile, more));
  };
  const told: string[] = [];
  const hear = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await daemon.cli(...words);
    told.push(`${words.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  };

  write(PLAIN);
  const ready = (revision: number) => daemon.until(({ vassals }) => vassals.filter((each) => each.state === 'ready' && each.revision === revision).length === names.length, `all are at revision ${revision}`);
  const { vassals } = await ready(1);
  expect(readFileSync(`/proc/${vassals[0]?.instances[0]?.pid}/environ`, 'latin1')).toMatch(new RegExp(`${PLAIN}[^]*${FILED}|${FILED}[^]*${PLAIN}`));
  write(EDITED);
  await ready(2);
  write(BROKEN, 'no-such-key');
  await daemon.until((now) => now.vassals.every(({ failure }) => failure?.revision === 3), 'all edits are refused');
  for (const name of names) {
    const patch = await hear('diff', name, '1', '2');
    expect(patch, name).toContain('…hidden, changed');
    expect(await hear('diff', name), name).toContain('no-such-key');
    for (const path of [`status/${name}`, `why/${name}`, `history/${name}`, `diff/${name}?from=2&to=3`]) told.push(JSON.stringify(await daemon.get(`/v1/${path}`)));
  }
  for (const [name, text] of Object.entries(FORMATS)) daemon.write(`${name}.${name}`, text(BROKEN, envFile, '').replace(BROKEN, `"'${BROKEN}<{[`));
  await daemon.until((now) => now.vassals.filter(({ failure }) => failure?.revision === 4).length >= names.length - 1, 'broken syntax is refused');
  await hear('reload', ...names);
  for (const name of names) told.push(JSON.stringify(await daemon.get(`/v1/diff/${name}?from=3&to=4`)));
  await hear('check', place.vassals);
  writeFileSync(envFile, `FILED='${FILED}\n${FILED}/x==\n`);
  write(PLAIN);
  await daemon.until((now) => now.vassals.every(({ failure }) => failure?.code === 'E_ENVIRONMENT_FILE'), 'the environment file is at fault');
  for (const words of [['status'], ['events', '-n', '10000'], ['check', place.vassals], ['check', '--json', place.vassals], ...names.map((name) => ['why', name])]) await hear(...words);
  await daemon.end();
  told.push(...daemon.output, execFileSync('cat', ['/proc/self/cmdline'], { encoding: 'latin1' }));

  const everything = told.join('\n');
  expect(everything.length).toBeGreaterThan(10_000);
  for (const secret of SECRETS) expect(told.filter((text) => text.includes(secret))).toEqual([]);
  expect(statSync(join(place.state, 'emperor.db')).mode & 0o777).toBe(0o600);
}, 120_000);
