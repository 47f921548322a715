import { printable, printableJson } from '../../world/printable.ts';
import { between } from '../count.ts';
import { connect, withControl, type Cli, type ControlOption, type DeclareVerb } from '../verb.ts';

interface Options extends ControlOption {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
}

/** `logs NAME`: what a vassal printed. To a file or a pipe, every byte as it was. */
export const logs: DeclareVerb = (program, cli) => {
  withControl(program.command('logs').argument('<name>', 'vassal'))
    .summary('show what a vassal printed')
    .option('-f, --follow', 'go on with what it prints')
    .option('-n, --lines <count>', 'how many lines of the past', between(0, 100_000), 20)
    .option('--json', 'one JSON object a line')
    .action(async (name: string, options: Options) => {
      const client = await connect(options, cli);
      const chunks = client.logs(name, options.lines, options.follow === true);
      if (options.json === true) return printLines(chunks, (line) => printableJson({ name, line }), cli);
      if (!cli.terminal.interactive) return print(chunks, cli);
      return printLines(chunks, printable, cli);
    });
};

async function print(chunks: AsyncIterable<Uint8Array>, { terminal }: Cli): Promise<void> {
  for await (const chunk of chunks) await terminal.out(chunk);
}

async function printLines(chunks: AsyncIterable<Uint8Array>, show: (line: string) => string, { terminal }: Cli): Promise<void> {
  const { linesOf, textOf } = await import('../../control/client.ts');
  for await (const line of linesOf(textOf(chunks))) await terminal.out(`${show(line)}\n`);
}
