import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, toml, type Place } from './daemon.ts';
import { needs } from './needs.ts';

const SLEEP = ['/bin/sleep', '100000'];

function configured(...lines: readonly string[]): { readonly place: Place; readonly args: readonly string[] } {
  const place = makePlace();
  const file = join(place.folder, 'emperor.toml');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { place, args: ['--config', file] };
}

function environmentOf(pid: number | null | undefined): readonly string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

async function started(daemon: Daemon, name: string): Promise<readonly string[]> {
  const { instances: [instance] } = await daemon.untilState(name, 'ready');
  return environmentOf(instance?.pid);
}

it('a file with another extension counts when it is told to, and is read as ini; names with _ in front are none', async () => {
  const { place, args } = configured('extra-extensions = [".conf"]');
  await using daemon = await Daemon.start(place, { args });
  daemon.write('_base.ini', '[vassal]\ncommand = /bin/sleep 100000\n');
  daemon.write('shop.conf', '[vassal]\ncommand = /bin/sleep 100000\nready.after = 50ms\n');
  await daemon.untilState('shop', 'ready');
  expect((await daemon.status()).vassals.map(({ name }) => name)).toEqual(['shop']);
});

it('with nofollow a change behind a symlink is none, until the symlink is touched', async () => {
  const { place, args } = configured('nofollow = true');
  const target = join(place.folder, 'template.toml');
  const link = join(place.vassals, 'shop.toml');
  writeFileSync(target, toml(SLEEP));
  symlinkSync(target, link);
  await using daemon = await Daemon.start(place, { args });
  const old = await daemon.untilState('shop', 'ready');
  writeFileSync(target, toml(SLEEP, 'environment = { A = "1" }'));
  daemon.write('other.toml', toml(SLEEP));
  await daemon.untilState('other', 'ready');
  daemon.process.kill('SIGHUP');
  daemon.write('third.toml', toml(SLEEP));
  await daemon.untilState('third', 'ready');
  expect((await daemon.vassal('shop'))?.instances[0]?.id).toBe(old.instances[0]?.id);
  rmSync(link);
  symlinkSync(target, link);
  const fresh = await daemon.untilReplaced('shop', old);
  expect(environmentOf(fresh.instances[0]?.pid)).toContain('A=1');
});

it('a program says what it prints, is asked again when it is touched, and takes nothing down when it fails', async () => {
  const { place, args } = configured('magic-exec = true');
  const file = join(place.vassals, 'shop.ini');
  const script = (value: string): string => `#!/bin/sh\nprintf '[vassal]\\ncommand = /bin/sleep 100000\\nready.after = 50ms\\nenvironment = A=${value}\\n'\n`;
  writeFileSync(file, script('1'), { mode: 0o755 });
  await using daemon = await Daemon.start(place, { args });
  expect(await started(daemon, 'shop')).toContain('A=1');
  const old = await daemon.untilState('shop', 'ready');
  daemon.write('shop.ini', script('2'));
  const fresh = await daemon.untilReplaced('shop', old);
  expect(environmentOf(fresh.instances[0]?.pid)).toContain('A=2');
  daemon.write('shop.ini', '#!/bin/sh\necho out of money >&2\nexit 1\n');
  const status = await daemon.until(({ vassals }) => vassals[0]?.failure?.code === 'E_FILE_PROGRAM', 'it fails');
  expect(status.vassals[0]).toMatchObject({ state: 'ready', instances: [{ id: fresh.instances[0]?.id }], failure: { message: expect.stringContaining('it ended with code 1; it says: out of money') } });
  // What was a plain file goes on while it is asked for the first time as a program.
  daemon.write('wiki.ini', '[vassal]\ncommand = /bin/sleep 100000\nready.after = 50ms\n');
  const wiki = await daemon.untilState('wiki', 'ready');
  const aside = join(place.folder, 'wiki');
  writeFileSync(aside, `#!/bin/sh\ncat ${place.folder}/gate\n${script('3').slice('#!/bin/sh\n'.length)}`, { mode: 0o755 });
  writeFileSync(join(place.folder, 'gate'), '');
  copyFileSync(aside, join(place.vassals, 'wiki.ini'));
  chmodSync(join(place.vassals, 'wiki.ini'), 0o755);
  const after = await daemon.untilReplaced('wiki', wiki);
  expect(environmentOf(after.instances[0]?.pid)).toContain('A=3');
  expect((await daemon.events('wiki')).map(({ event }) => event)).not.toContain('vanished');
});

it('the next emperor knows what programs had printed, and waits for what they print now', async () => {
  const { place, args } = configured('magic-exec = true');
  writeFileSync(join(place.vassals, 'shop.ini'), "#!/bin/sh\nprintf '[vassal]\\ncommand = /bin/sleep 100000\\nready.after = 50ms\\n'\n", { mode: 0o755 });
  await using daemon = await Daemon.start(place, { args });
  const old = await daemon.untilState('shop', 'ready');
  await daemon.end('SIGKILL');
  await using next = await Daemon.start(place, { args });
  expect((await next.vassal('shop'))?.instances[0]?.id).toBe(old.instances[0]?.id);
});

it('the defaults of a folder count for its files, and a change of them reloads what it changes', async () => {
  await using daemon = await Daemon.start();
  daemon.write('_defaults.toml', '[vassal]\nenvironment = { A = "default", B = "default" }\nready = { after = "50ms" }\n');
  daemon.write('shop.toml', '[vassal]\ncommand = ["/bin/sleep", "100000"]\nenvironment = { A = "own" }\n');
  daemon.write('wiki.toml', '[vassal]\ncommand = ["/bin/sleep", "100000"]\nenvironment = { A = "own", B = "own" }\n');
  expect(await started(daemon, 'shop')).toEqual(expect.arrayContaining(['A=own', 'B=default']));
  const [shop, wiki] = [await daemon.untilState('shop', 'ready'), await daemon.untilState('wiki', 'ready')];
  daemon.write('_defaults.toml', '[vassal]\nenvironment = { A = "default", B = "changed" }\nready = { after = "50ms" } # a comment\n');
  const fresh = await daemon.untilReplaced('shop', shop);
  expect(environmentOf(fresh.instances[0]?.pid)).toEqual(expect.arrayContaining(['A=own', 'B=changed']));
  expect((await daemon.vassal('wiki'))?.instances[0]?.id).toBe(wiki.instances[0]?.id);
  expect((await daemon.status()).vassals.map(({ name }) => name)).toEqual(['shop', 'wiki']);

  daemon.write('_defaults.toml', '[vassal]\nstop-timout = "1s"\n');
  const status = await daemon.until(({ vassals }) => vassals.every(({ failure }) => failure?.code === 'E_KEY_UNKNOWN'), 'they are at fault');
  expect(status.vassals.map(({ state }) => state)).toEqual(['ready', 'ready']);
  expect(status.vassals[0]?.failure?.message).toContain('_defaults.toml:2; did you mean "stop-timeout"?');

  await daemon.end('SIGKILL');
  await using next = await daemon.successor();
  expect((await next.vassal('shop'))?.instances[0]?.id).toBe(fresh.instances[0]?.id);
  rmSync(join(daemon.place.vassals, '_defaults.toml'));
  const last = await next.untilReplaced('shop', fresh);
  expect(environmentOf(last.instances[0]?.pid).filter((line) => line.startsWith('B='))).toEqual([]);
});

it('files of uWSGI get the options that all of them are to have, in the order of its own Emperor', async () => {
  needs('uwsgi', 'uwsgi-core');
  const { place, args } = configured('vassals-include-before = ["before.ini"]', 'vassals-inherit = ["after.ini"]', 'vassal-set = ["greeting=hello"]');
  writeFileSync(join(place.folder, 'before.ini'), '[uwsgi]\nenv = WHO=before\nmaster = true\nprint = greeting %(greeting)\n');
  writeFileSync(join(place.folder, 'after.ini'), '[uwsgi]\nprint = after %(greeting)\n');
  mkdirSync(join(place.folder, 'run'));
  await using daemon = await Daemon.start(place, { args });
  daemon.write('shop.ini', `[uwsgi]\nsocket = ${place.folder}/run/shop.sock\nenv = NAME=%n\n`);
  await daemon.untilState('shop', 'ready');
  await until(() => expect(readFileSync(join(place.logs, 'shop.log'), 'utf8')).toContain('greeting hello'));
  const { instances: [instance] } = await daemon.untilState('shop', 'ready');
  const words = readFileSync(`/proc/${instance?.pid}/cmdline`, 'utf8').split('\0');
  expect(words.slice(3, 11)).toEqual(['--include', `${place.folder}/before.ini`, '--set', 'greeting=hello', '--ini', `${place.vassals}/shop.ini`, '--inherit', `${place.folder}/after.ini`]);
});

it('one file of defaults that is touched touches nothing', async () => {
  await using daemon = await Daemon.start();
  const defaults = daemon.write('_defaults.yaml', 'vassal:\n  ready: { after: 50ms }\n');
  daemon.write('shop.toml', '[vassal]\ncommand = ["/bin/sleep", "100000"]\n');
  const old = await daemon.untilState('shop', 'ready');
  utimesSync(defaults, new Date(), new Date());
  daemon.write('wiki.toml', toml(SLEEP));
  await daemon.untilState('wiki', 'ready');
  expect((await daemon.vassal('shop'))?.instances[0]?.id).toBe(old.instances[0]?.id);
});

it('a program that prints options for uWSGI is given to uWSGI as one', async () => {
  needs('uwsgi', 'uwsgi-core');
  const { place, args } = configured('magic-exec = true');
  writeFileSync(join(place.vassals, 'shop.ini'), `#!/bin/sh\nprintf '[uwsgi]\\nmaster = true\\nsocket = ${place.folder}/shop.sock\\nprint = it was asked\\n'\n`, { mode: 0o755 });
  await using daemon = await Daemon.start(place, { args });
  const { instances: [instance] } = await daemon.untilState('shop', 'ready');
  expect(readFileSync(`/proc/${instance?.pid}/cmdline`, 'utf8').split('\0')).toContain(`exec://${place.vassals}/shop.ini`);
  await until(() => expect(readFileSync(join(place.logs, 'shop.log'), 'utf8')).toContain('it was asked'));
});

it('the command line of a uWSGI Emperor will do, and each option is answered', async () => {
  needs('uwsgi', 'uwsgi-core');
  const place = makePlace();
  const ini = join(place.folder, 'emperor.ini');
  writeFileSync(ini, `[uwsgi]\nemperor = ${place.vassals}\nemperor-nofollow = true\nvassal-set = greeting=hello\nmaster = true\n`);
  await using daemon = await Daemon.start(place, { sources: [], args: ['--emperor-compat', '--', '--ini', ini, '--emperor-stats', join(place.folder, 'stats')] });
  daemon.write('shop.ini', `[uwsgi]\nsocket = ${place.folder}/shop.sock\nmaster = true\nprint = %(greeting)\n`);
  await daemon.untilState('shop', 'ready');
  await until(() => expect(readFileSync(join(place.logs, 'shop.log'), 'utf8')).toContain('hello'));
  expect(daemon.output.filter((line) => line.startsWith('emperor: --'))).toEqual([
    `emperor: --emperor ${place.vassals} (${ini}:2) → sources = ${JSON.stringify(place.vassals)}`,
    `emperor: --emperor-nofollow true (${ini}:3) → nofollow in emperor.toml`,
    `emperor: --vassal-set greeting=hello (${ini}:4) → vassal-set in emperor.toml`,
    `emperor: --master (${ini}:5) → nothing: the emperor needs none`,
    `emperor: --emperor-stats ${place.folder}/stats → stats in emperor.toml`,
  ]);
});
