import type { InstanceEvent } from '../core/event.ts';
import type { SignalName } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';

/** Turns instances into processes. It alone knows pids; everyone else speaks of instance ids. */
export interface Runner extends AsyncDisposable {
  /**
   * Starts a process for it; answers with `spawned`, or `unlaunchable`. Never throws for what the vassal asked.
   * @param sockets open listening sockets that become its descriptors from 3 on; they stay the caller's, and have to stay open until the answer
   * @param channel what follows them: its end of a channel, and a copy of ours; none where it has no channel
   */
  launch(vassalName: string, instance: Instance, sockets: readonly number[], channel?: readonly number[]): void;
  /** Sends a signal. A signal to an instance that is being launched is sent once it lives; one to a stranger or a dead one does nothing. */
  signal(instance: InstanceId, signal: SignalName, whom: 'main' | 'group'): void;
  /**
   * Another process of the instance's session is its first one from now on, MAINPID of sd_notify(3): signals go to it, and when the one before has
   * ended its end is the instance's. Answers with `followed`. A process that is not of that session, or not there, is not followed.
   */
  follow(instance: InstanceId, pid: number): void;
  /** Watches a process that an earlier emperor started. False: it is not there any more, or it is another one with the same pid (`instance.process` is the proof). */
  adopt(vassalName: string, instance: Instance): boolean;
  /** The instance whose first process has that pid, now; null: none. */
  instanceOf(pid: number): InstanceId | null;
}

/** Told to the emperor as things happen, never from within a call of the runner. */
export type RunnerSink = (event: InstanceEvent) => void;

/** Where an instance prints to: made by the log room, handed to the runner by who wires them. */
export interface OutputSink {
  /** Opens the way out of one instance. `writeFd` becomes its stdout and stderr; who asked closes it after the spawn. */
  open(vassalName: string, instance: Instance): { readonly writeFd: number };
  /** Reads on what an instance of an earlier emperor prints. */
  reopen(vassalName: string, instance: Instance): void;
  /** The instance is gone: read what is left, then close. */
  finished(instance: InstanceId): void;
}
