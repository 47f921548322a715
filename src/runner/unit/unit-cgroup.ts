import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignalName } from '../../core/spec.ts';
import { NO_USAGE, type Usage } from '../cage.ts';
import { numberOf } from '../limit-files.ts';

const ROOT = '/sys/fs/cgroup';

/** The cgroup of a unit, below the root of each hierarchy, by a process that is in it, wherever: cgroups(7). null: the process is not in that unit. */
export function cgroupIn(pid: number, unit: string): string | null {
  for (const line of read(`/proc/${pid}/cgroup`).split('\n')) {
    const path = `${line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1)}/`;
    const at = path.indexOf(`/${unit}/`);
    if (at !== -1) return path.slice(0, at + 1 + unit.length);
  }
  return null;
}

/** Whether a process is in a unit, wherever in it. */
export function isInUnit(pid: number, unit: string): boolean {
  return cgroupIn(pid, unit) !== null;
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
