import { EXIT } from '../exit-codes.ts';
import type { DeclareVerb } from '../verb.ts';

/** Pages of the help that are no verbs. Each is loaded when it is asked for. */
const TOPICS: Readonly<Record<string, () => Promise<string>>> = {
  keys: async () => (await import('../../config/schema-text.ts')).schemaHelp(),
};

/** `help [VERB]`: the help of a verb, or a page of its own. */
export const help: DeclareVerb = (program, cli) => {
  const topics = Object.keys(TOPICS);
  program.command('help').argument('[topic]', ['a verb', ...topics].join(', '))
    .summary('print the help of a verb')
    .action(async (topic: string | undefined) => {
      const page = topic === undefined ? undefined : TOPICS[topic];
      const verb = program.commands.find((each) => each.name() === topic);
      if (page !== undefined) {
        await cli.terminal.out(await page());
      } else if (topic === undefined || verb !== undefined) {
        await cli.terminal.out((verb ?? program).helpInformation());
      } else {
        cli.terminal.err(`emperor: there is no verb ${JSON.stringify(topic)}; see "emperor help"\n`);
        cli.ends(EXIT.usage);
      }
    });
};
