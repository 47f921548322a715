import { printableJson } from '../../world/printable.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

/** `why NAME`: why a vassal does what it does. */
export const why: DeclareVerb = (program, cli) => {
  withControl(program.command('why').argument('<name>', 'vassal'))
    .summary('tell why a vassal does what it does')
    .description('Tells what a vassal does and since when, what brought it there, what went wrong last, and what can be done.')
    .option('--json', 'print it as a document')
    .action(async (name: string, options: ControlOption & { readonly json?: boolean }) => {
      const client = await connect(options, cli);
      const { whyText } = await import('../render/why.ts');
      const document = await client.why(name);
      await cli.terminal.out(options.json === true ? `${printableJson(document, 2)}\n` : whyText(document, Date.now()));
    });
};
