import type { ControlClient } from '../../control/client.ts';
import type { EmperorDocument } from '../../control/protocol.ts';
import { EmperorError } from '../../errors.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';
import { withWaiting } from './order.ts';

interface Options extends ControlOption {
  readonly wait: boolean;
  readonly timeout: number;
}

/** Between two looks whether the successor answers. */
const LOOK_MS = 20;

/** `upgrade`: the program on the disk takes the emperor's place. */
export const upgrade: DeclareVerb = (program, cli) => {
  withWaiting(withControl(program.command('upgrade')))
    .summary('let the program on the disk take over, in place')
    .description('Executes the program of the emperor again, as it is on the disk by now, in the same process: instances, sockets and logs go on. The new program has to prove first that it can; else the present one goes on. Waits until the new one reigns.')
    .action(async (options: Options) => {
      const client = await connect(options, cli);
      const before = await client.emperor();
      const { pid, from, to } = await client.upgrade();
      if (!options.wait) {
        await cli.terminal.out(`the emperor (pid ${pid}) becomes version ${to}\n`);
        return;
      }
      await untilOther(client, before, options.timeout);
      const { vassals } = await client.status(null);
      const instances = vassals.flatMap((vassal) => vassal.instances);
      const adopted = instances.filter((instance) => instance.adopted).length;
      await cli.terminal.out(`the emperor (pid ${pid}) was version ${from} and is version ${to}; ${adopted} of ${instances.length} instances were there before\n`);
    });
};

/** Waits until another emperor than that one answers, and has seen its sources. @throws E_TIMEOUT */
async function untilOther(client: ControlClient, before: EmperorDocument, timeoutMs: number): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      const { startedAt, life } = await client.emperor();
      if (startedAt !== before.startedAt && life !== 'starting') return;
    } catch (error) {
      if (!(error instanceof EmperorError) || error.code !== 'E_NO_EMPEROR') throw error;
    }
    if (performance.now() > untilMs) throw new EmperorError('E_TIMEOUT', `the new program did not answer within ${timeoutMs / 1000} s; the instances go on, and "systemctl status", or the emperor's log, may tell why`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
