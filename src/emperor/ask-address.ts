import type { Demand, DemandHost } from '../runner/demand.ts';
import { demandOf } from '../runner/demand.ts';
import { faulty } from '../monitors/content.ts';
import type { AskAddress } from './programs.ts';

/** Asks where vassal files wait for their first connection, until it is disposed of: then programs that are asked are killed. */
export function openAskAddress(demand: Demand, host: DemandHost): Disposable & { readonly askAddress: AskAddress } {
  const over = new AbortController();
  return {
    askAddress: async ({ id }) => {
      const found = await demandOf(id, demand, host, over.signal);
      if (found.ok) return found;
      const content = faulty(id, 'E_FILE_PROGRAM', found.message, 'mend it and touch the vassal file');
      if (content.ok) throw new Error('a fault is no text');
      return content;
    },
    [Symbol.dispose]: () => over.abort(),
  };
}
