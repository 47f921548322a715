import type { Health, Probe, Readiness } from '../../src/core/spec.ts';
import type { InstanceId } from '../../src/core/state.ts';
import type { Finding, Prober } from '../../src/probes/prober.ts';

/** A prober that asks nobody: the test tells what it finds. It keeps the port's promises, and writes down what it was asked for, in our words. */
export class FakeProber implements Prober {
  /** `judge shop#1 http /`, `judge shop#1 log ^ready`, `tend shop#1 tcp`, `forget shop#1` … in order. */
  readonly orders: string[] = [];
  readonly #sink: (finding: Finding) => void;
  readonly #asked: Map<InstanceId, 'judge' | 'tend'> = new Map();

  constructor(sink: (finding: Finding) => void) {
    this.#sink = sink;
  }

  judge(instance: InstanceId, readiness: Readiness & { readonly kind: 'probe' | 'log' }): void {
    this.orders.push(`judge ${instance} ${readiness.kind === 'log' ? `log ${readiness.pattern}` : print(readiness.probe)}`);
    this.#asked.set(instance, 'judge');
  }

  tend(instance: InstanceId, health: Health & { readonly probe: Probe }): void {
    this.orders.push(`tend ${instance} ${print(health.probe)}`);
    this.#asked.set(instance, 'tend');
  }

  forget(instance: InstanceId): void {
    this.orders.push(`forget ${instance}`);
    this.#asked.delete(instance);
  }

  /** It answers well. Nothing is found out of one that is not judged. */
  ready(instance: InstanceId, why = 'HTTP 200'): void {
    if (this.#end(instance, 'judge')) this.#sink({ type: 'ready', instance, why });
  }

  /** It does not yet answer well. */
  unready(instance: InstanceId, answer = 'connection refused'): void {
    if (this.#asked.get(instance) === 'judge') this.#sink({ type: 'unready', instance, answer });
  }

  /** It has not answered well for too long. Nothing is found out of one that is not tended. */
  sick(instance: InstanceId, answer = 'HTTP 500'): void {
    if (this.#end(instance, 'tend')) this.#sink({ type: 'sick', instance, answer });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#asked.clear();
    return Promise.resolve();
  }

  #end(instance: InstanceId, what: 'judge' | 'tend'): boolean {
    return this.#asked.get(instance) === what && this.#asked.delete(instance);
  }
}

function print(probe: Probe): string {
  if (probe.kind === 'command') return `command ${probe.argv.join(' ')}`;
  return probe.kind === 'http' ? `http ${probe.path}` : 'tcp';
}
