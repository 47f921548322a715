import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

/** `rescan`: has all sources looked at again. */
export const rescan: DeclareVerb = (program, cli) => {
  withControl(program.command('rescan'))
    .summary('look at all sources again')
    .description('Has the emperor look at all sources of vassals again, and waits until what it saw is acted upon. It does so by itself when something changes.')
    .action(async (options: ControlOption) => {
      await (await connect(options, cli)).rescan();
    });
};
