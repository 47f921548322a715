import { describe, expect, it } from 'vitest';
import type { InstanceEvent } from '../../src/core/event.ts';
import type { VassalSpec } from '../../src/core/spec.ts';
import type { Instance, Proof } from '../../src/core/state.ts';
import type { Runner } from '../../src/runner/runner.ts';
import { instanceOf } from '../fakes/instance.ts';
import { until } from '../until.ts';

/** A runner on a host, as the suite needs it. Disposing it ends all that it started. */
export interface RunnerStage extends AsyncDisposable {
  readonly runner: Runner;
  /** All that was told, in order. */
  readonly events: InstanceEvent[];
  /** The next emperor on the same host: its runner tells into `events` of its own. */
  successor(): { readonly runner: Runner; readonly events: InstanceEvent[] };
  /** Whether a process is still there. */
  lives(proof: Proof): boolean;
}

/** Programs by their manners; real ones for real runners, only their names matter to the fake. */
export const PROGRAMS: Readonly<Record<'lives' | 'exitsWith3' | 'missing', Pick<VassalSpec, 'argv'>>> = {
  lives: { argv: ['/bin/sleep', '1000'] },
  exitsWith3: { argv: ['/bin/sh', '-c', 'exit 3'] },
  missing: { argv: ['/nowhere/to/be/found'] },
};

/** The promises of the port `Runner`, for any implementation. */
export function runnerContract(name: string, openStage: () => RunnerStage): void {
  describe(`the runner contract, kept by ${name}`, () => {
    const typesOf = (events: readonly InstanceEvent[]): string[] => events.map((event) => `${event.type} ${event.instance}`);

    async function launched(stage: RunnerStage, instance: Instance): Promise<Proof> {
      stage.runner.launch('shop', instance, []);
      return await until(() => {
        const spawned = stage.events.find((event) => event.type === 'spawned' && event.instance === instance.id);
        if (spawned?.type !== 'spawned') throw new Error(`not spawned yet: ${JSON.stringify(stage.events)}`);
        return spawned.process;
      });
    }

    it('answers a launch with `spawned`, and not from within the call', async () => {
      await using stage = openStage();
      stage.runner.launch('shop', instanceOf(1, PROGRAMS.lives), []);
      expect(stage.events).toEqual([]);
      await until(() => expect(typesOf(stage.events)).toEqual(['spawned shop#1']));
    });

    it('answers a launch of what does not exist with a lasting `unlaunchable`, and not from within the call', async () => {
      await using stage = openStage();
      stage.runner.launch('shop', instanceOf(1, PROGRAMS.missing), []);
      expect(stage.events).toEqual([]);
      await until(() => expect(stage.events).toMatchObject([{ type: 'unlaunchable', code: 'E_PROGRAM_MISSING', lasting: true }]));
    });

    it('tells `spawned` before `exited`, and how it ended', async () => {
      await using stage = openStage();
      stage.runner.launch('shop', instanceOf(1, PROGRAMS.exitsWith3), []);
      await until(() => expect(typesOf(stage.events)).toEqual(['spawned shop#1', 'exited shop#1']));
      expect(stage.events[1]).toMatchObject({ status: { kind: 'exited', code: 3 } });
    });

    it.each(['main', 'group'] as const)('delivers a signal to %s', async (whom) => {
      await using stage = openStage();
      const instance = instanceOf(1, PROGRAMS.lives);
      await launched(stage, instance);
      stage.runner.signal(instance.id, 'SIGTERM', whom);
      await until(() => expect(stage.events[1]).toMatchObject({ type: 'exited', status: { kind: 'killed', signal: 'SIGTERM' } }));
    });

    it('keeps a signal for an instance that is being launched until it lives', async () => {
      await using stage = openStage();
      const instance = instanceOf(1, PROGRAMS.lives);
      stage.runner.launch('shop', instance, []);
      stage.runner.signal(instance.id, 'SIGKILL', 'group');
      await until(() => expect(typesOf(stage.events)).toEqual(['spawned shop#1', 'exited shop#1']));
      expect(stage.events[1]).toMatchObject({ status: { kind: 'killed', signal: 'SIGKILL' } });
    });

    it('ignores signals to strangers and to the dead', async () => {
      await using stage = openStage();
      const dead = instanceOf(1, PROGRAMS.exitsWith3);
      stage.runner.launch('shop', dead, []);
      await until(() => expect(stage.events).toHaveLength(2));
      stage.runner.signal(dead.id, 'SIGKILL', 'group');
      stage.runner.signal(instanceOf(7).id, 'SIGKILL', 'main');
      await launched(stage, instanceOf(2, PROGRAMS.lives));
      expect(typesOf(stage.events)).toEqual(['spawned shop#1', 'exited shop#1', 'spawned shop#2']);
    });

    it('launches many, and tells of each once', async () => {
      await using stage = openStage();
      const serials = Array.from({ length: 40 }, (_, index) => index + 1);
      for (const serial of serials) stage.runner.launch('shop', instanceOf(serial, PROGRAMS.lives), []);
      await until(() => expect(stage.events).toHaveLength(40));
      expect(new Set(typesOf(stage.events))).toEqual(new Set(serials.map((serial) => `spawned shop#${serial}`)));
    });

    it('leaves its instances alive when it is disposed, and says nothing more', async () => {
      await using stage = openStage();
      const proof = await launched(stage, instanceOf(1, PROGRAMS.lives));
      await stage.runner[Symbol.asyncDispose]();
      expect(stage.lives(proof)).toBe(true);
      const next = stage.successor();
      expect(next.runner.adopt('shop', instanceOf(1, PROGRAMS.lives, proof))).toBe(true);
      next.runner.signal(instanceOf(1).id, 'SIGKILL', 'group');
      await until(() => expect(typesOf(next.events)).toEqual(['exited shop#1']));
      expect(typesOf(stage.events)).toEqual(['spawned shop#1']);
      expect(stage.lives(proof)).toBe(false);
    });

    it('adopts neither what is gone nor what only has the same pid', async () => {
      await using stage = openStage();
      const gone = await launched(stage, instanceOf(1, PROGRAMS.exitsWith3));
      const living = await launched(stage, instanceOf(2, PROGRAMS.lives));
      await until(() => expect(stage.events).toHaveLength(3));
      // An emperor has tidied up before the next one looks.
      await stage.runner[Symbol.asyncDispose]();
      const next = stage.successor();
      expect(next.runner.adopt('shop', instanceOf(1, {}, gone))).toBe(false);
      expect(next.runner.adopt('shop', instanceOf(2, {}, { ...living, startTicks: living.startTicks - 1 }))).toBe(false);
      expect(next.runner.adopt('shop', instanceOf(2, {}, { ...living, bootId: 'another' }))).toBe(false);
      expect(next.runner.adopt('shop', instanceOf(2))).toBe(false);
    });
  });
}
