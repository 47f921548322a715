import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { EmperorError, reasonOf } from '../../errors.ts';
import { LAUNCHER, unitFiles, unitName, type UnitFile } from '../units.ts';
import type { Cli, DeclareVerb } from '../verb.ts';

interface Options {
  readonly user?: boolean;
  readonly name?: string;
}

/** What is to be done, and where. */
interface Job {
  readonly files: readonly UnitFile[];
  readonly folder: string;
  readonly unit: string;
  readonly named: boolean;
  readonly systemctl: (...args: readonly string[]) => Promise<string>;
  readonly say: (line: string) => Promise<void>;
}

/** `systemd install|uninstall|print`: the emperor as a service of this host. */
export const systemd: DeclareVerb = (program, cli) => {
  const verb = program.command('systemd').summary('be a service of this host').description('Makes the emperor a service of systemd, or takes that back. Says each thing that it does.');
  const declare = (name: string, summary: string, work: (job: Job) => Promise<void>): void => {
    verb.command(name).summary(summary).description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
      .option('--user', 'of this user alone, without root')
      .option('--name <name>', 'one of several: it has /etc/emperor/NAME/vassals, and folders of its own', instanceName)
      .action(async (options: Options) => work(await plan(options, cli)));
  };
  declare('install', 'write the units, enable and start it', install);
  declare('uninstall', 'stop it with its vassals, and remove the units; files, state and logs stay', uninstall);
  declare('print', 'print the units, and touch nothing', print);
};

async function plan({ user = false, name }: Options, cli: Cli): Promise<Job> {
  if (user && name !== undefined) throw new EmperorError('E_REQUEST', 'a user has one emperor: leave out --name, or --user');
  const systemctl = async (...args: readonly string[]): Promise<string> => {
    const all = [...(user ? ['--user'] : []), ...args];
    try {
      return (await promisify(execFile)('systemctl', all)).stdout.trim();
    } catch (error) {
      throw new EmperorError('E_SETTINGS', `systemctl ${all.join(' ')}: ${reasonOf(error).split('\n').slice(1).join(' ').trim() || reasonOf(error)}`, { cause: error });
    }
  };
  const version = Number(/^systemd (\d+)/.exec(await systemctl('--version'))?.[1] ?? 0);
  const request = { user, name: name ?? null, systemd: version, node: process.execPath, launcher: LAUNCHER };
  const config = cli.environment['XDG_CONFIG_HOME'] ?? join(cli.home, '.config');
  return {
    files: unitFiles(request),
    folder: user ? join(config, 'systemd/user') : '/etc/systemd/system',
    unit: unitName(request),
    named: name !== undefined,
    systemctl,
    say: (line) => cli.terminal.out(`${line}\n`),
  };
}

async function install({ files, folder, unit, systemctl, say }: Job): Promise<void> {
  await answers(systemctl);
  let changed = false;
  for (const { path, text } of files) {
    const file = join(folder, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) {
      await say(`${file} is as it should be`);
      continue;
    }
    write(file, text);
    changed = true;
    await say(`wrote ${file}`);
  }
  if (changed) await systemctl('daemon-reload');
  const wasActive = (await systemctl('show', '--property=ActiveState', '--value', unit)) === 'active';
  await systemctl('enable', '--quiet', unit);
  await say(`enabled ${unit}`);
  if (!wasActive) await systemctl('start', unit);
  await say(wasActive ? `${unit} is running${changed ? '; "emperor upgrade" has it take over a new program, "emperor shutdown --keep" new units: systemd starts it again, and the vassals serve on' : ''}` : `started ${unit}`);
}

async function uninstall({ files, folder, unit, named, systemctl, say }: Job): Promise<void> {
  await answers(systemctl);
  const present = files.map(({ path }) => join(folder, path)).filter((file) => existsSync(file));
  const [service] = files;
  if (service === undefined || !present.includes(join(folder, service.path))) return say(`${unit} is not installed in ${folder}`);
  await systemctl('disable', '--quiet', '--now', unit);
  await say(`stopped and disabled ${unit}`);
  // Those of the other emperors stay for them.
  const others = globSync(join(folder, '*.wants/emperor*.service')).some((link) => named || link.includes('emperor@'));
  for (const file of present) {
    if (others && (named || file.endsWith('.slice'))) continue;
    rmSync(file);
    await say(`removed ${file}`);
    // Of a drop-in: others may be beside it.
    if (dirname(file) !== folder && readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file));
  }
  await systemctl('daemon-reload');
}

/** Nothing is written, or removed, where no systemd runs that could take it up. */
async function answers(systemctl: Job['systemctl']): Promise<void> {
  await systemctl('show', '--property=Version');
}

async function print({ files, folder, say }: Job): Promise<void> {
  for (const { path, text } of files) await say(`# ${join(folder, path)}\n${text}`);
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new EmperorError('E_SETTINGS', `cannot write ${file}: ${reasonOf(cause)}`, { cause });
  }
}

/** The folders of a further emperor are in those of the only one, where these are taken: its sources, its state, and logs. */
const TAKEN = /^(?:vassals|fifos|texts|notify|lock|control\.sock|emperor\.(?:db|toml).*|.*\.log.*)$/;

/** What can stand for `%i` in paths. */
function instanceName(text: string): string {
  if (!/^[a-zA-Z0-9_][\w.-]{0,63}$/.test(text)) throw new InvalidArgumentError('letters, digits, _, - and dots');
  if (TAKEN.test(text)) throw new InvalidArgumentError('a file or folder of the emperor has that name');
  return text;
}
