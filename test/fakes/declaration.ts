import type { Declaration, VassalId } from '../../src/core/listing.ts';
import type { VassalSpec } from '../../src/core/spec.ts';

/** A spec with the documented defaults; `changes` are what the test is about. */
export function specOf(changes: Partial<VassalSpec> = {}): VassalSpec {
  return {
    server: null,
    argv: ['/bin/sleep', '1000'],
    source: null,
    programs: [],
    directory: '/tmp',
    environment: {},
    environmentFile: null,
    user: null,
    group: null,
    umask: null,
    listen: [],
    passing: 'listen-fds',
    channel: false,
    instances: 1,
    reload: { kind: 'restart' },
    roll: false,
    canary: null,
    lingerMs: 2_000,
    rollback: true,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 30_000,
    startTimeoutMs: 60_000,
    ready: { kind: 'after', ms: 1_000 },
    health: null,
    onDemand: false,
    idleTimeoutMs: null,
    after: [],
    limits: { memoryBytes: null, cpu: null, tasks: null, files: null },
    unit: null,
    restart: 'always',
    backoff: { firstMs: 250, factor: 2, maxMs: 60_000, jitter: 0, resetAfterMs: 60_000 },
    log: { to: 'file', maxBytes: 10 * 1024 ** 2, keep: 10, format: 'raw' },
    hooks: [],
    scaling: null,
    uwsgiStats: null,
    ...changes,
  };
}

/** The file `/v/NAME.toml` as it was read: `text` stands for its content, `touch` for its stamp. */
export function declare(name: string, changes: Partial<VassalSpec> = {}, text = 'a', touch = 1, folder = '/v'): Declaration {
  return { id: `${folder}/${name}.toml` as VassalId, name, stamp: String(touch), hash: text, text, outcome: { ok: true, spec: specOf(changes) } };
}

/** The same file with a fault in it. */
export function declareFaulty(name: string, text = 'bad', touch = 1, folder = '/v'): Declaration {
  const id = `${folder}/${name}.toml` as VassalId;
  const fault = { code: 'E_KEY_UNKNOWN', message: 'unknown key "x"', file: id, line: 1, key: 'x', hint: null } as const;
  return { id, name, stamp: String(touch), hash: text, text, outcome: { ok: false, faults: [fault] } };
}
