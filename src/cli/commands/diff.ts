import { MAX_REVISION } from '../../control/protocol.ts';
import { printableJson, printableLines } from '../../world/printable.ts';
import { between } from '../count.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

/** `diff NAME [A [B]]`: what changed from one revision of a vassal file to another. */
export const diff: DeclareVerb = (program, cli) => {
  withControl(program.command('diff').argument('<name>', 'vassal'))
    .argument('[a]', 'number of the old revision; without it, the one that serves, or the one before B', between(1, MAX_REVISION))
    .argument('[b]', 'number of the new revision; without it, the newest', between(1, MAX_REVISION))
    .summary('show what changed in a vassal file')
    .description('Shows what changed from one revision of a vassal file to another, as a unified diff.')
    .option('--json', 'print it as a document')
    .action(async (name: string, a: number | undefined, b: number | undefined, options: ControlOption & { readonly json?: boolean }) => {
      const client = await connect(options, cli);
      const document = await client.diff(name, a ?? null, b ?? null);
      const { unifiedDiff } = await import('../render/unified-diff.ts');
      const patch = unifiedDiff(document);
      if (options.json === true) return cli.terminal.out(`${printableJson({ ...document, patch }, 2)}\n`);
      const { from, to } = document;
      if (patch === '') return cli.terminal.err(`emperor: revisions ${from.number} and ${to.number} ${from.hash === to.hash ? 'hold the same text' : 'differ only in what is hidden'}\n`);
      if (!cli.terminal.interactive) return cli.terminal.out(patch);
      return cli.terminal.out(printableLines(patch));
    });
};
