import { printableJson } from '../../world/printable.ts';
import { EXIT } from '../exit-codes.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

/** `status [NAME]`: what the emperor and its vassals are doing. */
export const status: DeclareVerb = (program, cli) => {
  withControl(program.command('status').argument('[name]', 'only this vassal'))
    .summary('show what the vassals are doing')
    .description(`Shows the vassals and what they are doing. With a name it exits ${EXIT.notRunning} if that vassal is not running.`)
    .option('--json', 'print the whole document')
    .action(async (name: string | undefined, options: ControlOption & { readonly json?: boolean }) => {
      const client = await connect(options, cli);
      const { statusTable, vassalDetails } = await import('../render/status.ts');
      const document = await client.status(name ?? null);
      const [first] = document.vassals;
      if (options.json === true) await cli.terminal.out(`${printableJson(document, 2)}\n`);
      else if (name === undefined || first === undefined) await cli.terminal.out(statusTable(document, Date.now()));
      else await cli.terminal.out(vassalDetails(first, Date.now()));
      const runs = first?.state === 'ready' || first?.state === 'reloading';
      cli.ends(name === undefined || runs ? EXIT.done : EXIT.notRunning);
    });
};
