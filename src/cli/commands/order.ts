import { InvalidArgumentError, type Command } from 'commander';
import { DEFAULT_TIMEOUT, type Demand, type OrderVerb } from '../../control/protocol.ts';
import { parseDuration } from '../../core/duration.ts';
import { printableJson } from '../../world/printable.ts';
import { exitCodeOfResults } from '../exit-codes.ts';
import { connect, withControl, type Cli, type ControlOption, type DeclareVerb } from '../verb.ts';

/** `start NAME…`: ends a stop by an operator; starts at once what waits after a death. */
export const start: DeclareVerb = orderVerb('start', 'start vassals that do not run');

/** `stop NAME…`: remembered until `start` or a touched file. */
export const stop: DeclareVerb = orderVerb('stop', 'stop vassals, until "start" or until their file is touched');

/** `restart NAME…`: stop, then start, whatever the vassal's reload strategy is. */
export const restart: DeclareVerb = orderVerb('restart', 'stop vassals and start them again');

/** `reload NAME…`: as a touched file does. */
export const reload: DeclareVerb = orderVerb('reload', 'bring the newest revision into service, as touching the file does');

/** `pause NAME…`: stop, with the sockets held: who connects waits. */
export const pause: DeclareVerb = orderVerb('pause', 'stop vassals and keep their sockets, so that connections wait, until "resume" or "start"');

/** `resume NAME…`: ends a pause. */
export const resume: DeclareVerb = orderVerb('resume', 'start vassals that were paused');

/** The options of an acting verb. */
export interface OrderOptions extends ControlOption {
  readonly json?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function orderVerb(verb: Exclude<OrderVerb, 'scale' | 'rollback'>, summary: string): DeclareVerb {
  return (program, cli) => {
    withOrder(program.command(verb).argument('<name...>', 'vassals'), summary)
      .action(async (names: string[], options: OrderOptions) => giveOrder({ verb }, names, options, cli));
  };
}

/** Adds what every verb has that gives an order to vassals. @param more what else its help says */
export function withOrder(command: Command, summary: string, more = ''): Command {
  return withWaiting(withControl(command))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.${more} Waits for the outcome and says why it failed.`)
    .option('--json', 'print the results as a document');
}

/** Gives an order, prints what became of it, and sets the exit code. */
export async function giveOrder(demand: Demand, names: readonly string[], options: OrderOptions, cli: Cli): Promise<void> {
  const client = await connect(options, cli);
  const { resultLines } = await import('../render/results.ts');
  const reply = await client.order(demand, names, options.wait ? options.timeout : null);
  if (options.json === true) {
    await cli.terminal.out(`${printableJson(reply, 2)}\n`);
  } else {
    for (const { text, good } of resultLines(demand.verb, reply.results)) {
      if (good) await cli.terminal.out(text);
      else cli.terminal.err(text);
    }
  }
  cli.ends(exitCodeOfResults(reply.results));
}

/** Adds what every acting verb has: `--no-wait` and `--timeout`. */
export function withWaiting(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait for the outcome')
    .option('--timeout <duration>', 'how long to wait for the outcome', timeoutMs, timeoutMs(DEFAULT_TIMEOUT));
}

function timeoutMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms <= 0 || ms > 86_400_000) throw new InvalidArgumentError('a duration like 500ms, 30s or 5m, at most 24h');
  return ms;
}
