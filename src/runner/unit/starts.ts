import { closeSync } from 'node:fs';
import type { Instance, InstanceId } from '../../core/state.ts';
import { reasonOf } from '../../errors.ts';
import type { Clock } from '../../world/clock.ts';
import { cannotStart, type Refusal } from '../refusal.ts';
import type { OutputSink } from '../runner.ts';
import type { Begin } from './begin.ts';
import { leave, type FirstProcess, type Identify } from './first-process.ts';
import type { PlanUnit } from './plan.ts';

/** An instance that is to become a unit. */
export interface Order {
  readonly vassalName: string;
  readonly instance: Instance;
  readonly sockets: readonly number[];
  readonly channel: readonly number[];
}

/** What starts are made of. */
export interface StartsOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly plan: PlanUnit;
  readonly output: OutputSink;
  readonly begin: Begin;
  readonly identify: Identify;
  /** Ends what is left of a unit. */
  readonly discard: (unit: string) => Promise<void>;
  /** Its program is executed. The descriptor of the process is the listener's. */
  readonly onStarted: (instance: Instance, unit: string, first: FirstProcess) => void;
  readonly onRefused: (instance: InstanceId, refusal: Refusal) => void;
}

/** Starts units, few at a time. Disposing starts no more, and waits a while for those that are on their way. */
export interface Starts extends AsyncDisposable {
  add(order: Order): void;
  /** It is to end already: if it does not live soon, it is given up. */
  hurry(instance: InstanceId): void;
}

/** Units that are started at one moment. */
const AT_ONCE = 4;
/** A start takes some 50 ms. One that is not wanted any more, and not over by then, is held up by systemd. */
const SOON_MS = 3_000;

/** Opens it. */
export function openStarts({ clock, plan, output, begin, identify, discard, onStarted, onRefused }: StartsOptions): Starts {
  const starts = new Set<Promise<void>>();
  const unwanted = new Map<InstanceId, AbortController>();
  let queue: Order[] = [];
  let disposed = false;

  function pump(): void {
    if (disposed) return;
    while (starts.size < AT_ONCE) {
      const next = queue.shift();
      if (next === undefined) return;
      const controller = new AbortController();
      unwanted.set(next.instance.id, controller);
      const start = startOne(next, controller.signal).finally(() => {
        starts.delete(start);
        unwanted.delete(next.instance.id);
        setImmediate(pump);
      });
      starts.add(start);
    }
  }

  async function startOne({ vassalName, instance, sockets, channel }: Order, givenUp: AbortSignal): Promise<void> {
    const beginning = plan(vassalName, instance, sockets, channel);
    if ('code' in beginning) return onRefused(instance.id, beginning);
    const refusal = (code: Refusal['code'], why: string): Refusal => ({ code, reason: cannotStart(beginning.errand.file, vassalName, why), lasting: false });
    let writeFd: number;
    try {
      writeFd = output.open(vassalName, instance).writeFd;
    } catch (error) {
      return onRefused(instance.id, refusal('E_SPAWN', reasonOf(error)));
    }
    const { unit } = beginning;
    const lost = refusal('E_UNIT', `its unit ${unit} was gone before the program was executed`);
    const found: FirstProcess[] = [];
    let over = false;
    const begun = begin({ ...beginning, output: writeFd, givenUp }, {
      async there(pid) {
        const first = await identify(unit, pid);
        if (first === 'untold') return refusal('E_UNIT', `systemd does not tell what it knows of its unit ${unit}`);
        if (first === null || over) leave(first);
        else found.push(first);
        return first === null ? lost : null;
      },
      executed() {
        const first = over ? undefined : found.pop();
        if (first === undefined) return;
        over = true;
        onStarted(instance, unit, first);
      },
    });
    closeSync(writeFd);
    const refused = await begun;
    if (refused === null && over) return;
    over = true;
    for (const first of found) leave(first);
    onRefused(instance.id, refused ?? lost);
    output.finished(instance.id);
    await discard(unit);
  }

  function giveUp(id: InstanceId): void {
    const waiting = queue.find(({ instance }) => instance.id === id);
    if (waiting === undefined) return unwanted.get(id)?.abort();
    queue = queue.filter((each) => each !== waiting);
    onRefused(id, { code: 'E_UNIT', reason: cannotStart(waiting.instance.runs.spec.argv[0] ?? '', waiting.vassalName, 'systemd starts others, and it is not wanted any more'), lasting: false });
  }

  return {
    add(order) {
      if (disposed) return;
      queue.push(order);
      setImmediate(pump);
    },
    hurry(instance) {
      clock.after(SOON_MS, () => giveUp(instance));
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      queue = [];
      const cancel = clock.after(SOON_MS, () => {
        for (const controller of unwanted.values()) controller.abort();
      });
      await Promise.all(starts);
      cancel();
    },
  };
}
