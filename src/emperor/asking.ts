import type { Libc } from '../kernel/libc.ts';
import type { Clock } from '../world/clock.ts';
import { openAskAddress } from './ask-address.ts';
import { openAsk } from './ask-program.ts';
import type { Ask, AskAddress } from './programs.ts';
import type { Settings } from './settings.ts';

/** Who is asked about vassal files beside the files themselves. */
export interface Asking {
  readonly ask?: Ask;
  readonly askAddress?: AskAddress;
}

/** Asks as the treatment says, until it is disposed of. */
export function openAsking(libc: Libc, { treatment, environment, allowWritable }: Pick<Settings, 'treatment' | 'environment' | 'allowWritable'>, clock: Clock): Disposable & { readonly asking: Asking } {
  const { magicExec = false, demand = null } = treatment ?? {};
  const programs = magicExec ? openAsk(libc, { environment, clock }) : null;
  const addresses = demand === null ? null : openAskAddress(demand, { environment, allowWritable, clock });
  return {
    asking: { ...(programs === null ? {} : { ask: programs.ask }), ...(addresses === null ? {} : { askAddress: addresses.askAddress }) },
    [Symbol.dispose]() {
      programs?.[Symbol.dispose]();
      addresses?.[Symbol.dispose]();
    },
  };
}
