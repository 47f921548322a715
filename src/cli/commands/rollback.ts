import { MAX_REVISION } from '../../control/protocol.ts';
import { between } from '../count.ts';
import type { DeclareVerb } from '../verb.ts';
import { giveOrder, withOrder, type OrderOptions } from './order.ts';

/** `rollback NAME [REVISION]`: an older text of the file counts, until the file changes. */
export const rollback: DeclareVerb = (program, cli) => {
  const command = program.command('rollback').argument('<name>', 'vassal').argument('[revision]', 'its number; without it, the one before what runs', between(1, MAX_REVISION));
  withOrder(command, 'go back to an older revision of a vassal', ' The vassal file is left as it is; when it changes or is touched, it counts again. "emperor history" shows the revisions.')
    .action(async (name: string, revision: number | undefined, options: OrderOptions) => giveOrder({ verb: 'rollback', revision: revision ?? null }, [name], options, cli));
};
