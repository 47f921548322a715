import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';
import { withWaiting } from './order.ts';

interface Options extends ControlOption {
  readonly keep?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

/** `shutdown`: ends the emperor. */
export const shutdown: DeclareVerb = (program, cli) => {
  withWaiting(withControl(program.command('shutdown')))
    .summary('end the emperor, and its vassals')
    .description('Stops the vassals, then ends the emperor. Waits until it is gone. A second one hurries.')
    .option('--keep', 'leave the vassals running for the next emperor')
    .action(async (options: Options) => {
      const client = await connect(options, cli);
      const { pid } = await client.shutdown(options.keep === true, options.wait, AbortSignal.timeout(options.timeout));
      await cli.terminal.out(options.wait ? `the emperor (pid ${pid}) is gone\n` : `the emperor (pid ${pid}) was told to end\n`);
    });
};
