import { printableJson } from '../../world/printable.ts';
import { between } from '../count.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

interface Options extends ControlOption {
  readonly json?: boolean;
  readonly lines: number;
}

/** `history NAME`: the revisions of a vassal file. */
export const history: DeclareVerb = (program, cli) => {
  withControl(program.command('history').argument('<name>', 'vassal'))
    .summary('show the revisions of a vassal file')
    .description('Shows the revisions of a vassal file that are kept, the newest last, and which of them serves.')
    .option('-n, --lines <count>', 'how many, at most', between(0, 10_000), 20)
    .option('--json', 'print them as a document')
    .action(async (name: string, options: Options) => {
      const client = await connect(options, cli);
      const { revisionTable } = await import('../render/revisions.ts');
      const document = await client.history(name);
      const revisions = document.revisions.slice(Math.max(0, document.revisions.length - options.lines));
      await cli.terminal.out(options.json === true ? `${printableJson({ ...document, revisions }, 2)}\n` : revisionTable(revisions, Date.now()));
    });
};
