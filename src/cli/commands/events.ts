import { printableJson } from '../../world/printable.ts';
import { between } from '../count.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

interface Options extends ControlOption {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
}

/** `events [NAME]`: the history, and what happens. */
export const events: DeclareVerb = (program, cli) => {
  withControl(program.command('events').argument('[name]', 'only of this vassal'))
    .summary('show what happened')
    .option('-f, --follow', 'go on with what happens')
    .option('-n, --lines <count>', 'how many events of the past', between(0, 10_000), 50)
    .option('--json', 'one JSON object a line')
    .action(async (name: string | undefined, options: Options) => {
      const client = await connect(options, cli);
      const { eventLine } = await import('../render/event.ts');
      for await (const event of client.events(name ?? null, options.lines, options.follow === true)) {
        await cli.terminal.out(`${options.json === true ? printableJson(event) : eventLine(event)}\n`);
      }
    });
};
