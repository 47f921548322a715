import type { Instance, InstanceId } from '../core/state.ts';
import type { Runner } from './runner.ts';
import type { UnitRunner } from './unit/units.ts';

/** One runner out of two: instances whose file asks for a unit go to `units`, all others to `direct`. Both are disposed with it. */
export function eitherRunner(direct: Runner, units: UnitRunner): Runner {
  const runnerOf = (instance: InstanceId): Runner => (units.knows(instance) ? units : direct);
  // What it runs may have been lost with the store: where its process is tells as well.
  const shouldAdopt = (vassalName: string, instance: Instance): Runner => (instance.runs.spec.unit !== null || units.owns(vassalName, instance) ? units : direct);
  return {
    launch: (vassalName, instance, sockets, channel) => (instance.runs.spec.unit === null ? direct : units).launch(vassalName, instance, sockets, channel),
    signal: (instance, signal, whom) => runnerOf(instance).signal(instance, signal, whom),
    follow: (instance, pid) => runnerOf(instance).follow(instance, pid),
    adopt: (vassalName, instance) => shouldAdopt(vassalName, instance).adopt(vassalName, instance),
    instanceOf: (pid) => direct.instanceOf(pid) ?? units.instanceOf(pid),
    async [Symbol.asyncDispose]() {
      await Promise.all([direct[Symbol.asyncDispose](), units[Symbol.asyncDispose]()]);
    },
  };
}
