import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignalName } from '../../core/spec.ts';
import { NO_USAGE, type Usage } from '../cage.ts';
import { numberOf } from '../limit-files.ts';

const ROOT = '/sys/fs/cgroup';

/** Whether a process is in a unit, wherever in it: cgroups(7). */
export function isInUnit(pid: number, unit: string): boolean {
  return read(`/proc/${pid}/cgroup`).split('\n').some((line) => `${line}/`.includes(`/${unit}/`));
}

/** The service that a process is in; null: it is in none. */
export function serviceOf(pid: number | 'self'): string | null {
  const lines = read(`/proc/${pid}/cgroup`).split('\n').filter((line) => /^(?:0::|\d+:name=systemd:)/.test(line));
  return lines.flatMap((line) => line.split('/').filter((part) => part.endsWith('.service'))).at(-1) ?? null;
}

/** Signals the process group that a process of the unit leads: kill(2). If that has ended, its number may be another's, and nobody is signalled. */
export function signalGroup(leader: number, unit: string, signal: SignalName): void {
  if (!isInUnit(leader, unit)) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // Nobody is left in it.
  }
}

/** What the processes of that cgroup use. */
export function usageOf(cgroup: string): Usage {
  if (cgroup === '') return NO_USAGE;
  const memory = read(join(ROOT, cgroup, 'memory.current')) || read(join(ROOT, 'memory', cgroup, 'memory.usage_in_bytes'));
  const cpu = numberOf(read(join(ROOT, cgroup, 'cpu.stat')), 'usage_usec');
  return { memoryBytes: memory === '' ? null : Number(memory), cpuMs: cpu === null ? null : cpu / 1_000 };
}

/** Empty: it is not there. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
