import type { InstanceEvent } from '../../src/core/event.ts';
import type { Instance } from '../../src/core/state.ts';
import { PROGRAMS, runnerContract } from '../contracts/runner.ts';
import { FakeHost, FakeRunner, type Manner } from '../fakes/runner.ts';

function mannerOf(instance: Instance): Manner {
  const program = instance.runs.spec.argv.join(' ');
  if (program === PROGRAMS.missing.argv.join(' ')) return { kind: 'unlaunchable', lasting: true };
  if (program === PROGRAMS.exitsWith3.argv.join(' ')) return { kind: 'dies', status: { kind: 'exited', code: 3 } };
  return { kind: 'lives' };
}

runnerContract('the fake', () => {
  const host = new FakeHost();
  const open = (): { runner: FakeRunner; events: InstanceEvent[] } => {
    const events: InstanceEvent[] = [];
    return { runner: new FakeRunner((event) => events.push(event), mannerOf, host), events };
  };
  return {
    ...open(),
    successor: open,
    lives: (proof) => host.processes.has(proof.pid),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});
