import type { InstanceEvent } from '../../../src/core/event.ts';
import { openUnitRunner, type UnitRunner } from '../../../src/runner/unit/units.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { runnerContract } from '../../contracts/runner.ts';
import { isThere, openHousehold } from '../../runner/household.ts';

runnerContract('units of systemd', () => {
  const household = openHousehold();
  const { libc, output, state } = household;
  const runners: UnitRunner[] = [];
  const open = (): { readonly runner: UnitRunner; readonly events: InstanceEvent[] } => {
    const events: InstanceEvent[] = [];
    const runner = openUnitRunner({ libc, clock: systemClock(), output, state, environment: process.env, notifySocket: `${state}/notify`, sink: (event) => events.push(event), onTrouble: () => {} });
    runners.push(runner);
    return { runner, events };
  };
  const { runner, events } = open();
  return {
    runner,
    events,
    successor: open,
    lives: isThere,
    async [Symbol.asyncDispose]() {
      for (const each of runners) await each[Symbol.asyncDispose]();
      await household[Symbol.asyncDispose]();
    },
  };
});

