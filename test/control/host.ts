import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlPorts, LogReader } from '../../src/control/command.ts';
import { hideEnvironment } from '../../src/config/hiding/hide-environment.ts';
import { openControl } from '../../src/control/server.ts';
import type { Outcome, VassalId } from '../../src/core/listing.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openPeerOf } from '../../src/kernel/peer.ts';
import type { LogFields, Logger } from '../../src/world/logger.ts';
import { specOf } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

/** A folder of this test alone, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a test can set of its host. */
export interface HostOptions {
  readonly emperor?: FakeEmperor;
  readonly path?: string;
  readonly logs?: LogReader;
  readonly rescan?: () => Promise<void>;
  readonly history?: ControlPorts['history'];
  readonly parse?: ControlPorts['parse'];
}

/** A control server on a real socket, with a fake emperor behind it. */
export interface Host {
  readonly path: string;
  readonly emperor: FakeEmperor;
  /** What was logged: level and message. */
  readonly logged: string[];
  readonly ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly close: () => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The text as JSON; undefined if it is none. */
  readonly json: unknown;
}

export async function host(options: HostOptions = {}): Promise<Host> {
  const emperor = options.emperor ?? new FakeEmperor();
  const path = options.path ?? join(temporaryFolder(), 'control.sock');
  const logged: string[] = [];
  const ports = portsOf(emperor, { ...options, logger: loggerInto(logged) });
  const server = await openControl({ path, gid: null, fd: null }, ports);
  const close = async (): Promise<void> => server[Symbol.asyncDispose]();
  onTestFinished(close);
  return { path, emperor, logged, close, ask: (method, url, body, headers) => ask(path, method, url, body, headers) };
}

/** What the control room needs, of a fake emperor. */
export function portsOf(emperor: FakeEmperor, changes: Partial<ControlPorts> = {}): ControlPorts {
  return {
    emperor,
    clock: emperor,
    identity: { version: '0.1.0', pid: 4242, startedAt: 1_600_000_000_000, kills: 'process-group', keeps: new Set(['memory', 'files']) },
    logger: changes.logger ?? loggerInto([]),
    history: changes.history ?? ((query) => emperor.store.history(query)),
    revisions: changes.revisions ?? ((vassal) => emperor.store.revisions(vassal)),
    parse: changes.parse ?? parsed,
    hideEnvironment: changes.hideEnvironment ?? hideEnvironment,
    logs: changes.logs ?? NO_LOGS,
    upgrade: changes.upgrade ?? (async () => ({ version: '0.2.0' })),
    usage: changes.usage ?? (() => ({ memoryBytes: null, cpuMs: null })),
    uwsgi: changes.uwsgi ?? (() => Promise.reject(new Error('nobody has uWSGI here'))),
    rescan: changes.rescan ?? (async () => {}),
    nameOfPeer: changes.nameOfPeer ?? nameOfPeer,
  };
}

const peerOf = openPeerOf(openLibc());

function nameOfPeer(fd: number): string | null {
  const peer = peerOf(fd);
  return peer === null ? null : `uid ${peer.uid}[${peer.pid}]`;
}

/** How a peer in this process is named. */
export function me(): string {
  return `uid ${process.getuid?.()}[${process.pid}]`;
}

/** Every text can be run, but for those that say so. */
function parsed(id: VassalId, text: string): Outcome {
  if (!text.includes('bad')) return { ok: true, spec: specOf() };
  return { ok: false, faults: [{ code: 'E_KEY_UNKNOWN', message: 'unknown key "x"', file: id, line: 1, key: 'x', hint: null }] };
}

/** What the failed instance of a vassal printed last is told. */
export function quote(emperor: FakeEmperor, name: string, ...lines: readonly string[]): void {
  const vassal = emperor.vassal(name);
  const instance = vassal?.failure?.instance ?? null;
  if (vassal === undefined || instance === null) throw new Error(`no instance of ${name} has failed`);
  emperor.play({ type: 'quoted', vassal: vassal.id, instance, lines });
}

/** One request, its path sent as it is. */
export function ask(socketPath: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath, method, path, agent: false, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, json: jsonOf(text) });
      });
    });
    asked.on('error', reject).end(payload);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Vassals that never print. */
export const NO_LOGS: LogReader = {
  tail: async () => new Uint8Array(),
  async *follow() {},
};

/** Every vassal printed this text, and prints no more. */
export function logsOf(text: string): LogReader {
  return { tail: async () => Buffer.from(text), async *follow() {} };
}

function loggerInto(logged: string[]): Logger {
  const at = (level: string) => (_fields: LogFields, message: string): void => void logged.push(`${level}: ${message}`);
  const logger: Logger = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => logger };
  return logger;
}
