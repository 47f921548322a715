import type { Instance, InstanceId } from './state.ts';
import type { VassalId } from './listing.ts';
import type { SignalName } from './spec.ts';

/** An order to an adapter. */
export type Effect =
  | { readonly type: 'launch'; readonly vassal: VassalId; readonly name: string; readonly instance: Instance }
  /** `main`: its first process. `group`: its whole process group. */
  | { readonly type: 'signal'; readonly instance: InstanceId; readonly signal: SignalName; readonly whom: 'main' | 'group' }
  /** The file's program could not be started: check the file against this host again, and wait for what is missing. */
  | { readonly type: 'recheck'; readonly vassal: VassalId };
