import type { Health, Probe } from '../core/spec.ts';
import type { InstanceId } from '../core/state.ts';
import { EmperorError } from '../errors.ts';
import type { Clock } from '../world/clock.ts';
import { openPatterns } from '../world/pattern.ts';
import { bad, good } from './answer.ts';
import { askCommand, type CommandQuestion } from './command.ts';
import { askHttp } from './http.ts';
import { pause } from './pause.ts';
import type { Answer, Finding, Prober } from './prober.ts';
import { askTcp } from './tcp.ts';
import { wayTo, type Door } from './way.ts';

/** What a prober is made of: the ways to an instance, which other rooms know. */
export interface ProberOptions {
  readonly clock: Clock;
  /** Told as things are found, never from within a call of the prober. */
  readonly sink: (finding: Finding) => void;
  /** A way to the generation of an instance alone, through the first address of `listen`. null: it has none. An EmperorError that it throws is a bad answer. */
  readonly door: (instance: InstanceId) => Door | null;
  /** Connections that wait to be accepted by its generation. */
  readonly pending: (instance: InstanceId) => number;
  /** Looks for a line that it prints; calls back once, later. The returned function ends it. */
  readonly watchLog: (instance: InstanceId, pattern: string, onSeen: (seen: LineSeen) => void) => () => void;
  /** Runs a command as the instance runs; an abort kills it with all that it started. */
  readonly run: (instance: InstanceId, ...rest: Parameters<CommandQuestion['run']>) => ReturnType<CommandQuestion['run']>;
}

/** What came of looking for a line. */
export type LineSeen = { readonly kind: 'matched'; readonly line: string } | { readonly kind: 'unusable'; readonly why: string };

/** Asks one instance one question, within its time; what is asked again and again keeps what it needs between. */
type Ask = (forgotten: AbortSignal) => Promise<Answer>;

/** Nobody is that late who runs all the time: see the emperor's own alarm. */
const ABSENT_MS = 1_000;

/** Opens a prober. Disposing forgets all instances and waits until every question has ended. */
export function openProber(options: ProberOptions): Prober {
  const { clock, sink } = options;
  const patterns = openPatterns();
  const asked = new Map<InstanceId, AbortController>();
  const rounds = new Set<Promise<void>>();

  function askerOf(instance: InstanceId, probe: Probe, timeoutMs: number): Ask {
    const body = probe.kind === 'http' && probe.body !== null ? patterns(probe.body) : null;
    const ask = async (signal: AbortSignal): Promise<Answer> => {
      if (probe.kind === 'command') return await askCommand({ argv: probe.argv, run: (...rest) => options.run(instance, ...rest), signal, timeoutMs });
      using way = wayTo(probe.target, () => options.door(instance));
      if (way === null) return bad('it has no address to be asked at');
      if (probe.kind === 'http') return await askHttp({ probe, way, body, signal, timeoutMs });
      return await askTcp({ way, pending: probe.target.kind === 'listen' ? () => options.pending(instance) : null, clock, signal, timeoutMs });
    };
    return async (forgotten) => {
      const over = new AbortController();
      const end = (): void => over.abort();
      const cancel = clock.after(timeoutMs, end);
      forgotten.addEventListener('abort', end);
      try {
        return await ask(over.signal);
      } catch (error) {
        if (!(error instanceof EmperorError)) throw error;
        return bad(error.message);
      } finally {
        cancel();
        forgotten.removeEventListener('abort', end);
      }
    };
  }

  async function judge(instance: InstanceId, ask: Ask, intervalMs: number, forgotten: AbortSignal): Promise<void> {
    let last: string | null = null;
    while (!forgotten.aborted) {
      const answer = await ask(forgotten);
      if (forgotten.aborted) return;
      if (answer.good) return sink({ type: 'ready', instance, why: answer.text });
      if (answer.text !== last) sink({ type: 'unready', instance, answer: answer.text });
      last = answer.text;
      await pause(clock, intervalMs, forgotten);
    }
  }

  async function tend(instance: InstanceId, ask: Ask, health: Health, forgotten: AbortSignal): Promise<void> {
    await pause(clock, health.graceMs, forgotten);
    let failures = 0;
    while (!forgotten.aborted) {
      const askedMs = clock.now().ms;
      const answer = await ask(forgotten);
      if (forgotten.aborted) return;
      // The answer was there in time, perhaps: it is who asked that was not.
      if (!answer.good && clock.now().ms - askedMs > health.timeoutMs + ABSENT_MS) continue;
      failures = answer.good ? 0 : failures + 1;
      if (failures >= health.failures) return sink({ type: 'sick', instance, answer: answer.text });
      await pause(clock, health.intervalMs, forgotten);
    }
  }

  async function watch(instance: InstanceId, pattern: string, forgotten: AbortSignal): Promise<void> {
    const seen = await new Promise<LineSeen | null>((resolve) => {
      let waits = true;
      const end = (how: LineSeen | null): void => {
        waits = false;
        resolve(how);
      };
      const stop = options.watchLog(instance, pattern, end);
      forgotten.addEventListener('abort', () => {
        stop();
        end(null);
      });
      clock.soon(() => {
        if (waits) sink({ type: 'unready', instance, answer: `no line matches ${patterns(pattern).text} yet` });
      });
    });
    if (seen === null || forgotten.aborted) return;
    if (seen.kind === 'unusable') sink({ type: 'unready', instance, answer: seen.why });
    else sink({ type: 'ready', instance, why: good(`printed ${JSON.stringify(seen.line)}`).text });
  }

  /** One round of questions at a time for each instance: a new one ends that before. */
  function begin(instance: InstanceId, round: (forgotten: AbortSignal) => Promise<void>): void {
    asked.get(instance)?.abort();
    const control = new AbortController();
    asked.set(instance, control);
    const ended = round(control.signal).finally(() => {
      rounds.delete(ended);
      if (asked.get(instance) === control) asked.delete(instance);
    });
    rounds.add(ended);
  }

  return {
    judge(instance, readiness) {
      begin(instance, (forgotten) => readiness.kind === 'log'
        ? watch(instance, readiness.pattern, forgotten)
        : judge(instance, askerOf(instance, readiness.probe, readiness.timeoutMs), readiness.intervalMs, forgotten));
    },
    tend(instance, health) {
      begin(instance, (forgotten) => tend(instance, askerOf(instance, health.probe, health.timeoutMs), health, forgotten));
    },
    forget(instance) {
      asked.get(instance)?.abort();
      asked.delete(instance);
    },
    async [Symbol.asyncDispose]() {
      for (const control of asked.values()) control.abort();
      asked.clear();
      await Promise.all(rounds);
    },
  };
}
