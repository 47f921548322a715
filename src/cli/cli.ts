import { Command, CommanderError } from 'commander';
import { EmperorError } from '../errors.ts';
import { readVersion } from '../world/version.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { processTerminal } from './terminal.ts';
import { ownName, sudoCaller, whereabouts, type Cli, type DeclareVerb } from './verb.ts';

/** Every verb, in the order of the help. Each is loaded when it is needed: a script may ask for the status many times. */
const VERBS: Readonly<Record<string, () => Promise<DeclareVerb>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  status: async () => (await import('./commands/status.ts')).status,
  start: async () => (await import('./commands/order.ts')).start,
  stop: async () => (await import('./commands/order.ts')).stop,
  restart: async () => (await import('./commands/order.ts')).restart,
  reload: async () => (await import('./commands/order.ts')).reload,
  pause: async () => (await import('./commands/order.ts')).pause,
  resume: async () => (await import('./commands/order.ts')).resume,
  scale: async () => (await import('./commands/scale.ts')).scale,
  rollback: async () => (await import('./commands/rollback.ts')).rollback,
  why: async () => (await import('./commands/why.ts')).why,
  logs: async () => (await import('./commands/logs.ts')).logs,
  events: async () => (await import('./commands/events.ts')).events,
  history: async () => (await import('./commands/history.ts')).history,
  diff: async () => (await import('./commands/diff.ts')).diff,
  check: async () => (await import('./commands/check.ts')).check,
  rescan: async () => (await import('./commands/rescan.ts')).rescan,
  systemd: async () => (await import('./commands/systemd.ts')).systemd,
  certify: async () => (await import('./commands/certify.ts')).certify,
  upgrade: async () => (await import('./commands/upgrade.ts')).upgrade,
  shutdown: async () => (await import('./commands/shutdown.ts')).shutdown,
  help: async () => (await import('./commands/help.ts')).help,
};

/** The whole command line. Resolves with the exit code; a bug rejects. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const terminal = processTerminal(process.stdout, process.stderr);
  const claim = sudoCaller(process.env);
  const cli: Cli = {
    ...whereabouts(process.env),
    terminal,
    actor: claim ?? ownName(),
    claim,
    ends: (code) => {
      exitCode = code;
    },
  };
  try {
    const root = program();
    for (const load of verbsFor(argv)) (await load())(root, cli);
    await root.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    // Commander has printed already; its own exit code for a wrong command line is 1.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(thrown instanceof EmperorError)) throw thrown;
    // Further lines are indented, so that none of them looks like another message.
    terminal.err(`emperor: ${thrown.message.replaceAll('\n', '\n  ')}\n`);
    return exitCodeOf(thrown.code);
  }
}

/** The verb that is asked for; all of them, if help or a hint may be. */
function verbsFor([first = '']: readonly string[]): readonly (() => Promise<DeclareVerb>)[] {
  const verb = first === 'help' || !Object.hasOwn(VERBS, first) ? undefined : VERBS[first];
  return verb === undefined ? Object.values(VERBS) : [verb];
}

function program(): Command {
  return new Command('emperor')
    .description('Keeps one app server running per vassal file: drop a file to deploy, touch it to reload, remove it to stop.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showHelpAfterError('(try "emperor help")')
    .exitOverride();
}
