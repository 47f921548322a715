import type { Address } from '../core/address.ts';
import type { Basis } from '../core/basis.ts';
import type { Outcome, VassalId } from '../core/listing.ts';
import type { LimitName } from '../core/spec.ts';
import type { InstanceId } from '../core/state.ts';
import type { Emperor } from '../emperor/emperor.ts';
import type { HistoryQuery, StoredEntry, StoredRevision } from '../store/store.ts';
import type { Clock } from '../world/clock.ts';
import type { Logger } from '../world/logger.ts';
import type { NameOfPeer } from './actor.ts';
import type { EmperorDocument, InstanceDocument, UwsgiDocument } from './protocol.ts';

/** One thing that can be asked on the control socket. It answers from the snapshot, or posts an event; it never changes state. */
export interface ControlCommand {
  readonly method: 'GET' | 'POST';
  /** Below the version prefix; `:name` stands for one percent-encoded part. */
  readonly path: string;
  /** @throws EmperorError for what the asker is told; anything else is a bug */
  run(request: ControlRequest, ports: ControlPorts): ControlReply | Promise<ControlReply>;
}

/** A request as it came in: nothing of it is trusted yet. */
export interface ControlRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** Who asks, see actor.ts. To be called before the first wait: a connection that is gone has nobody at its other end. */
  readonly actor: () => string;
  /** Aborted when the asker has gone away, or the server closes. */
  readonly gone: AbortSignal;
}

export type ControlReply =
  | { readonly kind: 'document'; readonly document: object }
  | {
    readonly kind: 'stream';
    readonly contentType: 'application/x-ndjson' | 'text/plain';
    /** Pulled as fast as the asker reads, so nothing piles up for a slow one. */
    readonly chunks: AsyncIterable<string | Uint8Array>;
    /** True: the server leaves this connection open when it closes; it ends with the process. */
    readonly outlivesServer: boolean;
  };

/** What the control room needs of the rest, handed over as values. */
export interface ControlPorts {
  readonly emperor: Emperor;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly logger: Logger;
  readonly nameOfPeer: NameOfPeer;
  /** As in the store: oldest first. */
  readonly history: (query: HistoryQuery) => readonly StoredEntry[];
  /** As in the store: oldest first, also those of a forgotten vassal. */
  readonly revisions: (vassal: VassalId) => readonly StoredRevision[];
  /** Reads the text of a vassal file as this host does. */
  readonly parse: (vassal: VassalId, text: string, basis?: Basis) => Outcome;
  /** Two texts of a vassal file without the values of its environment. */
  readonly hideEnvironment: (file: VassalId, older: string, newer: string) => { readonly older: string; readonly newer: string };
  readonly logs: LogReader;
  /** Lets the program on the disk take over, once it has proved that it can. Rejects with E_UPGRADE. */
  readonly upgrade: (actor: string) => Promise<{ readonly version: string }>;
  /** What an instance uses of the host. */
  readonly usage: UsageOf;
  /** What a uWSGI master tells of itself; takes a second at most, and never rejects. */
  readonly uwsgi: (address: Address) => Promise<UwsgiDocument>;
  /** Has every source looked at again. */
  readonly rescan: () => Promise<void>;
}

/** Tells what an instance uses; null: nobody knows. */
export type UsageOf = (instance: InstanceId) => Pick<InstanceDocument, 'memoryBytes' | 'cpuMs'>;

/** Who this emperor is. */
export interface Identity {
  readonly version: string;
  readonly pid: number;
  /** Wall time, ms. */
  readonly startedAt: number;
  /** By what instances are killed here. */
  readonly kills: EmperorDocument['kills'];
  /** The limits that can be kept here. */
  readonly keeps: ReadonlySet<LimitName>;
}

/** The output of vassals, by name, in the bytes that they printed. */
export interface LogReader {
  /** The last lines, oldest first; empty if it never printed. A last line without an end counts. */
  tail(name: string, lines: number): Promise<Uint8Array>;
  /** The last lines, then what is printed, without a gap, until the signal. */
  follow(name: string, signal: AbortSignal, lines: number): AsyncIterable<Uint8Array>;
}
