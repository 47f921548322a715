import type { VassalSpec } from '../../src/core/spec.ts';
import type { Instance, InstanceId, Proof } from '../../src/core/state.ts';
import { specOf } from './declaration.ts';

/** An instance of the vassal `shop` that is about to be launched; `changes` are what the test is about. */
export function instanceOf(serial: number, changes: Partial<VassalSpec> = {}, process: Proof | null = null): Instance {
  return {
    id: `shop#${serial}` as InstanceId,
    serial,
    generation: 1,
    runs: { number: 1, spec: specOf(changes) },
    process,
    bornMs: 0,
    bornAt: 0,
    readyMs: null,
    readyAt: null,
    adopted: process !== null,
    status: null,
  };
}
