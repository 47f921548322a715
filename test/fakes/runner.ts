import type { SignalName } from '../../src/core/spec.ts';
import type { ExitStatus, Instance, InstanceId, Proof } from '../../src/core/state.ts';
import type { Runner, RunnerSink } from '../../src/runner/runner.ts';

/** What happens to an instance that is launched. */
export type Manner =
  /** It lives until a signal ends it. */
  | { readonly kind: 'lives' }
  /** It lives; of the signals only SIGKILL ends it. */
  | { readonly kind: 'stubborn' }
  /** It is spawned and ends at once. */
  | { readonly kind: 'dies'; readonly status: ExitStatus }
  | { readonly kind: 'unlaunchable'; readonly lasting: boolean }
  /** Nothing is heard of it: the test tells with {@link FakeRunner.spawn} and {@link FakeRunner.exit}. */
  | { readonly kind: 'silent' };

/** The processes of a host that does not exist. It outlives the runners on it, as processes outlive an emperor. */
export class FakeHost {
  readonly processes: Map<number, { readonly proof: Proof; readonly manner: Manner; watcher: (status: ExitStatus) => void }> = new Map();
  #nextPid = 1_000;

  start(manner: Manner, watcher: (status: ExitStatus) => void): Proof {
    const proof = { pid: this.#nextPid, startTicks: this.#nextPid * 10, bootId: 'this-boot' };
    this.#nextPid += 1;
    this.processes.set(proof.pid, { proof, manner, watcher });
    return proof;
  }

  end(pid: number, status: ExitStatus): void {
    const process = this.processes.get(pid);
    this.processes.delete(pid);
    process?.watcher(status);
  }
}

/** A runner without processes. It keeps the port's promises and writes down what it was asked for, in our words. */
export class FakeRunner implements Runner {
  /** `launch shop#1`, `signal shop#1 SIGTERM main`, `adopt shop#1` … in order. */
  readonly orders: string[] = [];
  readonly #sink: RunnerSink;
  readonly #manners: (instance: Instance) => Manner;
  readonly #host: FakeHost;
  readonly #living: Map<InstanceId, Proof> = new Map();
  readonly #launching: Map<InstanceId, { manner: Manner; signals: SignalName[] }> = new Map();
  #disposed = false;

  constructor(sink: RunnerSink, manners: (instance: Instance) => Manner = () => ({ kind: 'silent' }), host: FakeHost = new FakeHost()) {
    this.#sink = sink;
    this.#manners = manners;
    this.#host = host;
  }

  launch(_vassalName: string, instance: Instance, sockets: readonly number[]): void {
    this.orders.push(`launch ${instance.id}${sockets.length === 0 ? '' : ` on ${sockets.join(' ')}`}`);
    const manner = this.#manners(instance);
    this.#launching.set(instance.id, { manner, signals: [] });
    if (manner.kind === 'silent') return;
    setImmediate(() => {
      if (this.#disposed) return;
      if (manner.kind === 'unlaunchable') this.refuse(instance.id, manner.lasting);
      else this.spawn(instance.id);
    });
  }

  signal(instance: InstanceId, signal: SignalName, whom: 'main' | 'group'): void {
    this.orders.push(`signal ${instance} ${signal} ${whom}`);
    const launching = this.#launching.get(instance);
    if (launching === undefined) this.#deliver(instance, signal);
    else launching.signals.push(signal);
  }

  adopt(_vassalName: string, instance: Instance): boolean {
    this.orders.push(`adopt ${instance.id}`);
    const process = instance.process === null ? undefined : this.#host.processes.get(instance.process.pid);
    if (process === undefined || process.proof.startTicks !== instance.process?.startTicks || process.proof.bootId !== instance.process.bootId) return false;
    process.watcher = (status) => this.exit(instance.id, status);
    this.#living.set(instance.id, process.proof);
    return true;
  }

  instanceOf(pid: number): InstanceId | null {
    return [...this.#living].find(([, proof]) => proof.pid === pid)?.[0] ?? null;
  }

  follow(instance: InstanceId, pid: number): void {
    this.orders.push(`follow ${instance} ${pid}`);
  }

  /** It lives from now on. */
  spawn(instance: InstanceId): void {
    const launching = this.#launching.get(instance);
    if (launching === undefined) return;
    this.#launching.delete(instance);
    const proof = this.#host.start(launching.manner, (status) => this.exit(instance, status));
    this.#living.set(instance, proof);
    this.#sink({ type: 'spawned', instance, process: proof });
    if (launching.manner.kind === 'dies') this.#host.end(proof.pid, launching.manner.status);
    for (const signal of launching.signals) this.#deliver(instance, signal);
  }

  /** It cannot be started. */
  refuse(instance: InstanceId, lasting: boolean): void {
    this.#launching.delete(instance);
    const code = lasting ? 'E_PROGRAM_MISSING' : 'E_SPAWN';
    this.#sink({ type: 'unlaunchable', instance, code, reason: `cannot start ${instance}`, lasting });
  }

  /** It has ended. */
  exit(instance: InstanceId, status: ExitStatus): void {
    const proof = this.#living.get(instance);
    if (proof === undefined || this.#disposed) return;
    this.#living.delete(instance);
    this.#host.processes.delete(proof.pid);
    this.#sink({ type: 'exited', instance, status });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    return Promise.resolve();
  }

  #deliver(instance: InstanceId, signal: SignalName): void {
    const proof = this.#living.get(instance);
    const manner = proof === undefined ? undefined : this.#host.processes.get(proof.pid)?.manner.kind;
    if (proof === undefined || manner === 'silent' || (manner === 'stubborn' && signal !== 'SIGKILL')) return;
    setImmediate(() => this.#host.end(proof.pid, { kind: 'killed', signal }));
  }
}
