import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { parseStats } from '../../config/settings.ts';
import type { Address } from '../../core/address.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Program, Settings } from '../../emperor/settings.ts';
import { systemClock } from '../../world/clock.ts';
import { readVersion } from '../../world/version.ts';
import type { Compat } from '../emperor-compat.ts';
import type { RunFlags } from '../resolve-settings.ts';
import type { Cli, DeclareVerb } from '../verb.ts';

/** Prove that you could be the emperor, say who you are, and end: what an emperor asks of a program that is to take its place. */
const REHEARSE_FLAG = '--rehearse';
/** After the boot. */
const SETTLE_MS = 3_000;

/** `run [SOURCE…]`: the daemon, in the foreground. */
export const run: DeclareVerb = (program, cli) => {
  program.command('run').argument('[source...]', 'folders of vassal files, dir:// or glob://')
    .summary('be the emperor, in the foreground')
    .description('Keeps one app server running per vassal file, until it is told to end. TERM and INT end it and its vassals, a second one hurries; HUP rereads the configuration and looks at the sources again; USR1 reopens the logs; USR2 upgrades in place.')
    .option('--state <dir>', 'folder of the database and the FIFOs (environment: EMPEROR_STATE)')
    .option('--control <path>', 'control socket (environment: EMPEROR_CONTROL)')
    .option('--control-group <group>', 'group that may use the control socket')
    .option('--command-socket <path>', "unix datagram socket for the commands of uWSGI's Emperor", socketPath)
    .option('--wait-for-command', 'a file alone starts nothing: an order does')
    .option('--allow-writable', 'as root: take vassal files, too, that others than root can write')
    .option('--emperor-compat', "what is behind -- is the command line of a uWSGI Emperor; says what each option becomes")
    .option('--heartbeat <duration>', 'as a vassal of another Emperor: say so often that it is well (default: never)', heartbeatMs)
    .option('--tyrant', 'each instance runs as the owner of its vassal file')
    .option('--on-demand-extension <end>', 'a uWSGI file is on demand at the address in the file beside it that is called so')
    .option('--on-demand-directory <dir>', 'uWSGI files are on demand at NAME.socket in this folder')
    .option('--on-demand-exec <command>', 'a uWSGI file is on demand at the address that this command prints')
    .option('--logs <dir>', 'folder for the output of the vassals (environment: EMPEROR_LOGS)')
    .option('--config <file>', 'configuration file (environment: EMPEROR_CONFIG)')
    .addOption(new Option('--log-level <level>', 'how much the emperor itself logs (default: info)').choices(['trace', 'debug', 'info', 'warn', 'error']))
    .option('--rescan <duration>', 'look at everything again that often; 0: only when something changes (default: 60s)', rescanMs)
    .option('--stats <address>', 'tell the statistics of a uWSGI Emperor there: a port, or the path of a unix socket', statsAddress)
    .option('--stats-http', 'tell them by HTTP')
    .addOption(new Option(REHEARSE_FLAG).hideHelp())
    .action(async (sources: string[], flags: RunFlags) => reign(sources, flags, cli));
};

async function reign(sources: readonly string[], flags: RunFlags, cli: Cli): Promise<void> {
  // First of all: in an upgrade somebody may speak to this process at any moment.
  const { catchSignals } = await import('../signals.ts');
  using signals = catchSignals(process, (signal, reason) => cli.terminal.err(`emperor: ${signal} did not do all of its work: ${String(reason)}\n`));
  const { preferSmallness } = await import('../../world/engine.ts');
  const engine = preferSmallness();
  const { configFile, resolveSettings } = await import('../resolve-settings.ts');
  const { readConfig } = await import('../read-config.ts');
  const startedBy = cli.environment['INVOCATION_ID'] === undefined ? cli.actor : 'systemd';
  const { emperorCompat } = await import('../emperor-compat.ts');
  const line = (): Compat => (flags.emperorCompat === true ? emperorCompat(sources, cli.environment) : { configured: {}, said: [] });
  for (const each of flags.rehearse === true ? [] : line().said) cli.terminal.err(`emperor: ${each}\n`);
  const settings = (): Settings => resolveSettings(flags.emperorCompat === true ? [] : sources, flags, { ...readConfig(configFile(flags, cli)), ...line().configured }, cli, { startedBy, readable: cli.terminal.interactive, cores: availableParallelism(), program: thisProgram() });
  const first = settings();
  if (flags.rehearse === true) {
    const { rehearse } = await import('../../emperor/rehearsal.ts');
    await rehearse(first);
    await cli.terminal.out(`rehearsed ${readVersion()}\n`);
    return;
  }
  const { boot } = await import('../../emperor/boot.ts');
  const emperor = await boot(first, engine.quicken);
  // What was to start at once has begun by then.
  const cancelSettling = systemClock().after(SETTLE_MS, engine.settle);
  const reread = async (): Promise<void> => emperor.reread(settings());
  signals.deliverTo({ post: emperor.post, reopenLogs: emperor.reopenLogs, reread, upgrade: async () => emperor.upgrade('SIGUSR2') });
  const { serveSuperior } = await import('../../emperor/vassalage.ts');
  const vassalage = serveSuperior({ emperor, settings: first, reread, clock: systemClock(), onTrouble: (message) => cli.terminal.err(`emperor: ${message}\n`) });
  const become = await emperor.ended;
  cancelSettling();
  vassalage[Symbol.dispose]();
  become?.();
}

function thisProgram(): Program {
  const args = [...process.execArgv, ...process.argv.slice(1)];
  return { file: process.execPath, args, rehearsal: [...args, REHEARSE_FLAG] };
}

function statsAddress(text: string): Address {
  const address = parseStats(text, process.cwd());
  if (address === undefined) throw new InvalidArgumentError('127.0.0.1:9191, or the path of a unix socket');
  return address;
}

function socketPath(text: string): string {
  if (text === '' || /^[^/]*:\d+$/.test(text)) throw new InvalidArgumentError('the path of a unix socket; by UDP nobody knows who sends');
  return text;
}

function heartbeatMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms === 0) throw new InvalidArgumentError('a duration like 5s');
  return ms;
}

function rescanMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('0, or a duration like 30s or 5m');
  return ms;
}
