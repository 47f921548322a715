import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { startLoad } from '../../src/cli/load.ts';
import type { Custom, Member } from './household.ts';
import type { LostRequest } from './invariants.ts';

/** A client waits so long for its answer. */
const PATIENCE_MS = 20_000;
const TELL_EVERY_MS = 500;

/** What came of all requests until now. */
export interface Counts {
  readonly answered: number;
  readonly resent: number;
  readonly lost: number;
}

interface Plan {
  readonly clients: readonly { readonly name: string; readonly custom: Custom }[];
  /** When the campaign began: ms since 1970, by the monotonic clock of this process. */
  readonly beganAt: number;
}

type Told = { readonly kind: 'lost'; readonly lost: LostRequest } | { readonly kind: 'counts'; readonly counts: Counts };

/**
 * Clients of all members that have some; they go on until they are told to end. They have a thread of their own: servers give up clients that are held up, as they
 * would be while all processes of the host are looked at.
 */
export class Traffic {
  readonly #worker: Worker;
  #counts: Counts = { answered: 0, resent: 0, lost: 0 };

  /** @param beganMs when the campaign began, as told by `performance.now()` */
  constructor(members: readonly Member[], beganMs: number, onLost: (lost: LostRequest) => void) {
    const clients = members.flatMap(({ name, custom }) => (custom === null ? [] : [{ name, custom }]));
    const plan: Plan = { clients, beganAt: performance.timeOrigin + beganMs };
    this.#worker = new Worker(new URL(import.meta.url), { workerData: plan });
    this.#worker.on('message', (told: Told) => {
      if (told.kind === 'lost') onLost(told.lost);
      else this.#counts = told.counts;
    });
  }

  counts(): Counts {
    return this.#counts;
  }

  async end(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('end', []);
    await ended;
  }
}

function work({ clients, beganAt }: Plan, tell: (told: Told) => void, onceToldToEnd: Promise<unknown>): void {
  const now = (): number => performance.timeOrigin + performance.now() - beganAt;
  const loads = clients.map(({ name, custom }) =>
    startLoad({ ...custom, path: '/', timeoutMs: PATIENCE_MS, onLost: (why, fromMs) => tell({ kind: 'lost', lost: { vassal: name, fromMs, atMs: now(), why } }) }, now));
  const count = (): void => {
    const results = loads.map((load) => load.result());
    const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
    tell({ kind: 'counts', counts: { answered: sum(results.map((each) => each.answered)), resent: sum(results.map((each) => each.resent)), lost: sum(results.map((each) => sum([...each.lost.values()]))) } });
  };
  const counting = setInterval(count, TELL_EVERY_MS);
  void onceToldToEnd.then(async () => {
    clearInterval(counting);
    await Promise.all(loads.map((load) => load.end()));
    count();
  });
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  work(workerData as Plan, (told) => port.postMessage(told, []), once(port, 'message'));
}
