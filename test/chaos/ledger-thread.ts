import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Account } from './invariants.ts';
import { account } from './ledger.ts';

/** What is to be compared with what. */
export interface Question {
  readonly logs: string;
  readonly printed: ReadonlyMap<string, number>;
  readonly unheard: ReadonlySet<string>;
}

/** {@link account}, in a thread of its own: the clients must not be held up by it, or servers would give them up. */
export async function accountAside({ logs, printed, unheard }: Question): Promise<readonly Account[]> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { logs, printed, unheard } });
  const [accounts] = (await once(worker, 'message')) as [readonly Account[]];
  return accounts;
}

if (!isMainThread && parentPort !== null) {
  const { logs, printed, unheard } = workerData as Question;
  parentPort.postMessage(account(logs, printed, unheard), []);
}
