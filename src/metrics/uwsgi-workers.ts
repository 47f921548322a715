import { connect } from 'node:net';
import { printAddress, type Address } from '../core/address.ts';
import { reasonOf } from '../errors.ts';
import type { Clock } from '../world/clock.ts';

/** What a uWSGI master tells of itself on its own stats socket. */
export interface UwsgiReport {
  /** Where it was asked. */
  readonly address: string;
  /** Why nothing is known; null: it answered. */
  readonly trouble: string | null;
  /** Connections that wait; null: it does not say. */
  readonly listenQueue: number | null;
  /** Sums over all workers, since each was started last. */
  readonly requests: number;
  readonly exceptions: number;
  /** Requests that took too long, and cost the worker its life. */
  readonly harakiri: number;
  readonly workers: readonly UwsgiWorker[];
}

/** One worker process. */
export interface UwsgiWorker {
  readonly id: number;
  readonly pid: number;
  /** `idle`, `busy`, `cheap`, `pause`, `sig…`: in its words. */
  readonly status: string;
  readonly requests: number;
  readonly exceptions: number;
  readonly harakiri: number;
  readonly respawns: number;
}

/** It tells at once, and not for long. */
const TIMEOUT_MS = 1_000;
/** About 1,000 workers with many apps. */
const MOST_BYTES = 4 * 2 ** 20;
const MOST_WORKERS = 10_000;

/** Asks a uWSGI master how its workers are. Never rejects, and takes a second at most. Source: uWSGI docs, "The uWSGI Stats Server"; core/master_utils.c. */
export async function askUwsgi(address: Address, clock: Clock): Promise<UwsgiReport> {
  try {
    return reportOf(printAddress(address), await read(address, clock));
  } catch (error) {
    return { address: printAddress(address), trouble: reasonOf(error), listenQueue: null, requests: 0, exceptions: 0, harakiri: 0, workers: [] };
  }
}

function read(address: Address, clock: Clock): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const give = (trouble: Error): void => {
      cancel();
      socket.destroy();
      reject(trouble);
    };
    const cancel = clock.after(TIMEOUT_MS, () => give(new Error(`no whole answer within ${TIMEOUT_MS} ms`)));
    // With stats-http it waits for nothing, too: the header comes before the document.
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) give(new Error(`its answer is longer than ${MOST_BYTES / 2 ** 20} MiB`));
    });
    socket.once('error', give);
    socket.once('end', () => {
      cancel();
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
  });
}

/** @throws SyntaxError for what is no JSON */
function reportOf(address: string, text: string): UwsgiReport {
  const body = text.startsWith('HTTP/') ? text.slice(text.indexOf('\r\n\r\n') + 4) : text;
  const document = fieldsOf(JSON.parse(body));
  const listed = document['workers'];
  const workers = (Array.isArray(listed) ? listed.slice(0, MOST_WORKERS) : []).map((each: unknown): UwsgiWorker => {
    const worker = fieldsOf(each);
    const { status } = worker;
    return {
      id: numberOf(worker['id']),
      pid: numberOf(worker['pid']),
      status: typeof status === 'string' ? status.slice(0, 100) : '',
      requests: numberOf(worker['requests']),
      exceptions: numberOf(worker['exceptions']),
      harakiri: numberOf(worker['harakiri_count']),
      respawns: numberOf(worker['respawn_count']),
    };
  });
  const sum = (of: (worker: UwsgiWorker) => number): number => workers.reduce((total, worker) => total + of(worker), 0);
  const queue = document['listen_queue'];
  return {
    address,
    trouble: null,
    listenQueue: typeof queue === 'number' ? queue : null,
    requests: sum(({ requests }) => requests),
    exceptions: sum(({ exceptions }) => exceptions),
    harakiri: sum(({ harakiri }) => harakiri),
    workers,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
