import { MAX_INSTANCES } from '../../control/protocol.ts';
import { between } from '../count.ts';
import type { DeclareVerb } from '../verb.ts';
import { giveOrder, withOrder, type OrderOptions } from './order.ts';

/** `scale NAME N`: more instances, or fewer, whatever the file says. */
export const scale: DeclareVerb = (program, cli) => {
  const command = program.command('scale').argument('<name>', 'vassal').argument('<count>', 'how many instances', between(1, MAX_INSTANCES));
  withOrder(command, 'change how many instances a vassal has', ' Remembered: it counts more than the "instances" of its file. What is not up takes the number when it starts.')
    .action(async (name: string, instances: number, options: OrderOptions) => giveOrder({ verb: 'scale', instances }, [name], options, cli));
};
